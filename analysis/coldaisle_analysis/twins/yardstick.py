"""The yardstick: what two clean plays of one plan differ by anyway.

Programs, kernels and sockets are real, so two plays of a plan differ in their timing, and sometimes in a frame. A column of a row has
left that range when it differs from the same row of the twin by more than it does between clean plays. For a sort of row with n pairs of
rows of clean plays, and m columns, the range of a column ends at the difference of rank ⌈(n + 1)(1 - a/m)⌉, and at the largest where
there are fewer pairs. This is a conformal bound (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005, chapter 2;
for tests of outliers: Bates, Candès, Lei, Romano and Sesia, *Testing for outliers with conformal p-values*, The Annals of Statistics
51(1), 2023) with Bonferroni's correction for the m columns. So a row that no attack touched leaves the range in any of its columns with
a probability of at most a, whatever the distribution, as long as there are enough pairs and the plays are exchangeable.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask, Rows, Texts
from coldaisle_analysis.twins.sides import Side

ALPHA = 0.01
"""Largest share of the rows of clean plays that may leave the range in any of their columns."""
_CLOSE = 1e-9
"""Largest relative difference between numbers that count as equal."""
_EVERY = ""
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


class Yardstick:
    """The ranges of one level.

    Differences of two clean plays, and of the run and a twin before any episode that is left out, are two samples: the machine may have
    been busier in one of them. The wider range holds.

    Args:
        columns: number of columns.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._clean: list[Pairs] = []
        self._before: list[Pairs] = []
        self._spans: dict[str, tuple[Floats, Floats]] = {}
        self._reach: dict[str, Floats] = {}

    @property
    def pairs(self) -> int:
        """Number of pairs of rows that it rests on."""
        return sum(len(pairs.sort) for pairs in (*self._clean, *self._before))

    def add_clean(self, one: Side, other: Side, place: Rows, rows: Mask) -> None:
        """Add the pairs of two clean plays, and the values that their rows take."""
        self._clean.append(pairs_of(one, other, place, rows))
        for sort in np.unique(one.keys.sort[rows].astype("str")):
            values = one.columns[rows & (one.keys.sort == sort)]
            low, high = np.fmin.reduce(values), np.fmax.reduce(values)
            before = self._spans.get(str(sort), (low, high))
            self._spans[str(sort)] = np.fmin(before[0], low), np.fmax(before[1], high)

    def add_before(self, run: Side, twin: Side, place: Rows, rows: Mask) -> None:
        """Add the pairs of run and twin, of rows before any episode that is left out."""
        self._before.append(pairs_of(run, twin, place, rows))

    def close(self) -> None:
        """Settle the ranges, once all pairs are there."""
        for sample in (self._clean, self._before):
            for sort, reach in _reaches(sample).items():
                self._reach[sort] = np.fmax(self._reach.get(sort, reach), reach)

    def outside(self, sort: Texts, distances: Floats) -> Mask:
        """Return which differences have left the range, shape (rows, columns).

        Args:
            sort: sort of each row.
            distances: what :func:`distance` returns for the rows.
        """
        nothing = np.full(self._columns, np.inf)
        every = self._reach.get(_EVERY, nothing)
        limits = {name: self._reach.get(name, every) for name in set(sort.tolist())}
        reach = np.array([limits[name] for name in sort.tolist()]).reshape(len(sort), self._columns)
        return distances > reach

    def strange(self, sort: Texts, values: Floats) -> Mask:
        """Return which values of rows without a counterpart no row of their sort takes in clean plays, shape (rows, columns).

        A missing value is never strange. Every column of a row is strange where clean plays have no row of its sort.
        """
        strange = np.ones((len(sort), self._columns), np.bool_)
        for name in set(sort.tolist()) & self._spans.keys():
            low, high = self._spans[name]
            here = sort == name
            inside = (values[here] >= low) & (values[here] <= high)
            strange[here] = ~(inside | np.isnan(values[here]))
        return strange


def _reaches(sample: list[Pairs]) -> dict[str, Floats]:
    """Return the range of each column by sort, and of all sorts together."""
    by_sort: dict[str, list[Floats]] = defaultdict(list)
    for pairs in sample:
        for sort in set(pairs.sort.tolist()):
            by_sort[str(sort)].append(pairs.distance[pairs.sort == sort])
    every = [part for parts in by_sort.values() for part in parts]
    if every:
        by_sort[_EVERY] = every
    return {sort: bound(np.concatenate(parts)) for sort, parts in by_sort.items()}


def bound(distances: Floats) -> Floats:
    """Return the end of the range of each column, see the module's first lines; shape (columns,).

    Args:
        distances: differences of pairs of rows of clean plays, shape (pairs, columns).
    """
    pairs, columns = distances.shape
    rank = min(int(np.ceil((pairs + 1) * (1 - ALPHA / columns))), pairs)
    return np.asarray(np.partition(distances, rank - 1, axis=0)[rank - 1])
