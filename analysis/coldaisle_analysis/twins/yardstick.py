"""The yardstick: what two clean plays of one plan differ by anyway.

Programs, kernels and sockets are real, so two plays of a plan differ in their timing, and sometimes in a frame. A column of a row has
left its range when it differs from the same row of the twin by more than it does between clean plays. All columns have to share the
errors: the range of each column of a sort of row ends at its r-th largest difference, or at so many flips from a value to a missing one,
and r is the largest number for which at most the share a of the pairs of clean rows, each judged by all others, leaves the range of any
column. This is the minP procedure (Westfall and Young, *Resampling-Based Multiple Testing*, 1993, chapter 2) on pairs of rows of clean plays, and the share is
bounded for fresh rows, too, whatever the distribution, if they are exchangeable with these: a conformal test of outliers (Bates, Candès,
Lei, Romano and Sesia, *Testing for outliers with conformal p-values*, The Annals of Statistics 51(1), 2023).

Where there are too few pairs for any r, the range ends at twice the largest difference, which is a margin and no theorem.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask, Rows, Texts
from coldaisle_analysis.twins.sides import Side

ALPHA = 0.01
"""Largest share of the rows of clean plays that may leave the range in any of their columns."""
MARGIN = 2.0
"""Factor of the largest difference that ends a range for which there are too few pairs."""
_CLOSE = 1e-9
"""Largest relative difference between numbers that count as equal."""


def distance(one: Floats, other: Floats) -> Floats:
    """Return the absolute differences of two tables: 0 where nearly equal or both missing, infinite where one alone is missing."""
    with np.errstate(invalid="ignore"):
        size = np.abs(one - other)
        size[size <= _CLOSE * np.maximum(np.abs(one), np.abs(other))] = 0.0
    gone, away = np.isnan(one), np.isnan(other)
    size[gone & away] = 0.0
    size[gone ^ away] = np.inf
    return size


@dataclass(frozen=True)
class Pairs:
    """Matched rows of two plays that no attack touched.

    Attributes:
        sort: sort of each pair.
        distance: their differences, shape (pairs, columns).
    """

    sort: Texts
    distance: Floats


@dataclass(frozen=True)
class Range:
    """The range of the columns of one sort of row.

    Attributes:
        end: the largest difference inside of it, shape (columns,).
        flips: whether a column may be missing on one side alone, shape (columns,).
    """

    end: Floats
    flips: Mask

    def left(self, distances: Floats) -> Mask:
        """Return which differences have left the range, shape (rows, columns)."""
        return np.where(np.isinf(distances), ~self.flips, distances > self.end)

    def united(self, other: "Range") -> "Range":
        """Return the wider of two ranges, column by column."""
        return Range(np.maximum(self.end, other.end), self.flips | other.flips)


def pairs_of(one: Side, other: Side, place: Rows, rows: Mask) -> Pairs:
    """Return the pairs of some rows of one play with their counterparts in another.

    Args:
        one: a level of a play.
        other: the same level of another play.
        place: the place of each row in the other play, -1 for none.
        rows: which rows are paired, where they have a counterpart.
    """
    chosen = np.flatnonzero(rows & (place >= 0))
    return Pairs(one.keys.sort[chosen], distance(one.columns[chosen], other.columns[place[chosen]]))


def joined(pairs: Sequence[Pairs]) -> Pairs:
    """Return pairs as one sample."""
    sorts, distances = [part.sort for part in pairs], [part.distance for part in pairs]
    return Pairs(np.concatenate(sorts), np.concatenate(distances))


def ranges(least: Floats, *samples: Pairs) -> dict[str, Range]:
    """Return the range of each sort of row.

    Each sample has a range of its own, and the widest holds: two clean plays are one sample, the run and its twins before any episode that
    is left out are another, and the machine may have been busier in one of them.

    Args:
        least: least end of the range of each column, shape (columns,).
        samples: the samples.
    """
    found: dict[str, Range] = {}
    for sample in samples:
        for sort in sorted(set(sample.sort.tolist())):
            own = range_of(sample.distance[sample.sort == sort])
            wider = Range(np.maximum(own.end, least), own.flips)
            found[sort] = found[sort].united(wider) if sort in found else wider
    return found


def range_of(distances: Floats) -> Range:
    """Return the range of one sort of row, see the module's first lines.

    Args:
        distances: differences of pairs of rows of clean plays, shape (pairs, columns).
    """
    flipped = np.isinf(distances)
    sizes = np.where(flipped, 0.0, distances)
    flips = np.asarray(flipped.sum(axis=0))
    ordered = np.sort(sizes, axis=0)
    rarest = np.full(len(distances), len(distances))
    for column in np.flatnonzero(ordered[-1] > 0):
        larger = len(distances) - np.searchsorted(ordered[:, column], sizes[:, column])
        np.minimum(rarest, larger, out=rarest)
    for column in np.flatnonzero(flips):
        rarest[flipped[:, column]] = np.minimum(rarest[flipped[:, column]], flips[column])
    allowed = int(ALPHA * (len(distances) + 1)) - 1
    rank = int(np.partition(rarest, max(allowed, 0))[max(allowed, 0)]) - 1  # a row counts itself
    if min(allowed + 1, rank) < 1:
        return Range(MARGIN * ordered[-1], flips > 0)
    return Range(ordered[len(distances) - rank], np.asarray(flips >= rank))


def outside(found: dict[str, Range], sort: Texts, distances: Floats) -> Mask:
    """Return which differences of matched rows have left their range, shape (rows, columns).

    Args:
        found: what :func:`ranges` returns; rows of a sort that it lacks have the widest range of any sort.
        sort: sort of each row.
        distances: what :func:`distance` returns for the rows.
    """
    left = np.zeros(distances.shape, np.bool_)
    for name in set(sort.tolist()):
        left[sort == name] = _limits(found, name).left(distances[sort == name])
    return left


def _limits(found: dict[str, Range], sort: str) -> Range:
    return found[sort] if sort in found else reduce(Range.united, found.values())
