"""The yardstick: what two clean plays of one plan differ by anyway.

Programs, kernels and sockets are real, so two plays of a plan differ in their timing, and sometimes in a frame. A column of a row has
left that range when it differs from the same row of the twin by more than it does between clean plays. For a sort of row with n pairs of
rows of clean plays, and m columns, the range of a column ends at the difference of rank ⌈(n + 1)(1 - a/2m)⌉, and at twice the largest
where there are too few pairs for that rank, which is a margin and no theorem; likewise it has left the range if it is missing on one side alone, and that happens to fewer pairs. This is a conformal bound (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005, chapter 2;
for tests of outliers: Bates, Candès, Lei, Romano and Sesia, *Testing for outliers with conformal p-values*, The Annals of Statistics
51(1), 2023) with Bonferroni's correction for two tests of m columns. So a row that no attack touched leaves the range in any of its columns with
a probability of at most a, whatever the distribution, as long as there are enough pairs and the plays are exchangeable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask, Rows, Texts
from coldaisle_analysis.twins.sides import Side

ALPHA = 0.01
"""Largest share of the rows of clean plays that may leave the range in any of their columns."""
MARGIN = 2.0
"""Factor of the largest difference that ends a range for which there are too few pairs."""
_CLOSE = 1e-9
"""Largest relative difference between numbers that count as equal."""
EVERY = ""
"""The sort that stands for all sorts of a level, for rows of a sort without pairs."""


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


def ranges(*samples: Pairs) -> dict[str, Range]:
    """Return the range of each sort of row, and of all sorts together under :data:`EVERY`.

    Each sample has a range of its own, and the widest holds: two clean plays are one sample, the run and a twin before any episode that
    is left out are another, and the machine may have been busier in one of them.
    """
    found: dict[str, Range] = {}
    for sample in samples:
        for sort in sorted(set(sample.sort.tolist())):
            _widen(found, sort, range_of(sample.distance[sample.sort == sort]))
        if len(sample.sort):
            _widen(found, EVERY, range_of(sample.distance))
    return found


def _widen(found: dict[str, Range], sort: str, wider: Range) -> None:
    found[sort] = found[sort].united(wider) if sort in found else wider


def range_of(distances: Floats) -> Range:
    """Return the range of one sort of row, see the module's first lines.

    Args:
        distances: differences of pairs of rows of clean plays, shape (pairs, columns).
    """
    pairs, columns = distances.shape
    wanted = int(np.ceil((pairs + 1) * (1 - ALPHA / (2 * columns))))
    rank = min(wanted, pairs)
    flipped = np.isinf(distances)
    end = np.partition(np.where(flipped, 0.0, distances), rank - 1, axis=0)[rank - 1]
    return Range(end * (MARGIN if wanted > pairs else 1.0), flipped.sum(axis=0) > pairs - rank)


def outside(found: dict[str, Range], sort: Texts, distances: Floats) -> Mask:
    """Return which differences of matched rows have left their range, shape (rows, columns).

    Args:
        found: what :func:`ranges` returns; rows of a sort that it lacks have the range of all sorts.
        sort: sort of each row.
        distances: what :func:`distance` returns for the rows.
    """
    left = np.zeros(distances.shape, np.bool_)
    for name in set(sort.tolist()):
        if limits := found.get(name, found.get(EVERY)):
            left[sort == name] = limits.left(distances[sort == name])
    return left
