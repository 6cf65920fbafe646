"""Who learns from what: rows into folds, with whole days and whole episodes on one side.

Random folds are here only to show what they leak. The protocol is nested: a fold's training side is divided again, so that what is
set on scores (threshold, policy) is set on those of rows which the model that scored them had not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from coldaisle_analysis.arrays import Labels, Rows

OTHER_RUNS = "week"
"""The split that trains on the whole of a run and tests on others, see :mod:`other_runs`."""
DAY_FOLDS = 4
"""Days are dealt into at most so many test sets: with four days or fewer each day is left out alone."""
RANDOM_PARTS = 3
"""A random split tests on one of so many parts."""
HELD_ROWS = 10_000
"""Rows an inner fold holds out of a test set: groups are added while there are fewer."""
HELD_TOGETHER = 20_000
"""Rows the inner folds of a training side hold out: folds are added while there are fewer, and two at least."""
SPARED = 0.25
"""Share of a random split's training side that is held out of it."""


@dataclass(frozen=True)
class Side:
    """Row positions of what one fit takes.

    Attributes:
        fit: rows a model is fitted on.
        scored: rows it scores then; never among those, unless there are too few attacks to spare any.
        site: rows the site is learned from, which is told no label.
    """

    fit: Rows
    scored: Rows
    site: Rows


@dataclass(frozen=True)
class Fold:
    """Row positions of one fold.

    Attributes:
        outer: the training side, and the rows the fold tests.
        inner: rows held out of the training side, so that thresholds can be set; none twice.
    """

    outer: Side
    inner: tuple[Side, ...]

    @property
    def train(self) -> Rows:
        """Return the training side: rows the model that is tested is fitted on."""
        return self.outer.fit

    @property
    def test(self) -> Rows:
        """Return the rows that are tested."""
        return self.outer.scored

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return everything that has to be fitted for it."""
        return self.outer, *self.inner


def grouped(groups: npt.NDArray[np.int64], labels: Labels, time_ns: npt.NDArray[np.int64]) -> Iterator[Fold]:
    """Yield folds that test on whole groups, dealt round robin into at most :data:`DAY_FOLDS` test sets.

    Args:
        groups: see :func:`groups.groups_of`.
        labels: 1 is attack, shape (rows,).
        time_ns: when each row was known, ns, shape (rows,).
    """
    groups = _numbered(groups)
    parts = groups % DAY_FOLDS
    for number in range(parts.max() + 1) if parts.any() else ():
        train = np.flatnonzero(parts != number)
        outer = Side(train, np.flatnonzero(parts == number), train)
        yield Fold(outer, _inner(groups, number, labels, time_ns, train))


def untested(groups: npt.NDArray[np.int64], labels: Labels, time_ns: npt.NDArray[np.int64]) -> Fold:
    """Return a fold that trains on every row, for what is tried elsewhere; see :func:`grouped`."""
    rows = np.arange(len(labels))
    return Fold(Side(rows, rows[:0], rows), _inner(_numbered(groups), 0, labels, time_ns, rows))


def _numbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the place of each row's group among all of them."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.int64)


def _inner(
    groups: npt.NDArray[np.int64], tested: int, labels: Labels, time_ns: npt.NDArray[np.int64], train: Rows
) -> tuple[Side, ...]:
    """Divide a training side into inner folds, each of which leaves out the test set of another fold and scores rows of it.

    A set with attacks can be held out where others remain to fit on. Folds are paired as in a tournament, by exclusive or of their
    numbers: where a fold holds out another's test set, that one holds out its own, both models learn from the same rows, and one is
    enough. Where one set has all attacks, it is cut in time into two parts with half of them each.
    """
    parts = groups[train] % DAY_FOLDS
    attacks = pd.Series(labels[train]).groupby(parts).sum()
    spare = attacks[(attacks > 0) & (attacks < attacks.sum())].index
    if spare.empty:
        return _halves(parts == attacks.idxmax(), labels, time_ns, train)
    sets = [parts == part for part in sorted(spare, key=lambda part: part ^ tested)]
    found = [
        Side(train[~inside], _first_groups(groups, labels, train[inside]), train[~inside]) for inside in sets
    ]
    held = np.cumsum([len(each.scored) for each in found])
    return tuple(found[: max(int((held < HELD_TOGETHER).sum()) + 1, 2)])


def _first_groups(groups: npt.NDArray[np.int64], labels: Labels, rows: Rows) -> Rows:
    """Return the rows of some groups among these, those with attacks first, until there are :data:`HELD_ROWS`."""
    attacks = pd.Series(labels[rows]).groupby(groups[rows]).agg(["sum", "size"])
    order = attacks.index[np.argsort(attacks["sum"] == 0, kind="stable")]
    before = attacks["size"][order].cumsum() - attacks["size"][order]
    return rows[np.isin(groups[rows], order[before < HELD_ROWS])]


def _halves(
    whole: npt.NDArray[np.bool_], labels: Labels, time_ns: npt.NDArray[np.int64], train: Rows
) -> tuple[Side, ...]:
    """Return inner folds that hold out either half of a test set; the training side whole where it has too few attacks."""
    attacked = np.sort(time_ns[train[labels[train] == 1]])
    if len(attacked) < 2 or attacked[0] == attacked[-1]:  # noqa: PLR2004 - two halves
        return (Side(train, train, train),)
    middle = attacked[len(attacked) // 2]
    middle = middle if middle > attacked[0] else attacked[attacked > middle][0]
    late = time_ns[train] >= middle
    return tuple(Side(train[~rows], train[rows], train) for rows in (whole & late, whole & ~late))


def _spare_rows(labels: Labels, train: Rows, seed: int) -> Side:
    """Return the training side with a stratified draw of rows spared; whole where it has too few attacks."""
    if np.bincount(labels[train], minlength=2).min() < 1 / SPARED:
        return Side(train, train, train)
    fit, held = train_test_split(train, test_size=SPARED, stratify=labels[train], random_state=seed)
    return Side(np.sort(fit), np.sort(held), np.sort(fit))


def shuffled(labels: Labels, seed: int) -> Iterator[Fold]:
    """Yield a random stratified split: neighbours in time and packets of one episode on both sides.

    The rows that thresholds are set on are neither learned from nor tested, so that one model does for both. Yields nothing where a
    class has fewer rows than it needs.
    """
    if np.bincount(labels, minlength=2).min() < 2 * RANDOM_PARTS:
        return
    folds = StratifiedKFold(RANDOM_PARTS, shuffle=True, random_state=seed)
    train, test = next(iter(folds.split(np.zeros(len(labels)), labels)))
    spare = _spare_rows(labels, train, seed)
    yield Fold(Side(spare.fit, test, spare.site), (spare,))


def unseen_kinds(fold: Fold, kinds: npt.NDArray[np.object_], labels: Labels) -> tuple[Fold, ...]:
    """Return folds in which no attacked row is of a kind that was trained on; together they test what the given one does.

    Their sites are learned from the clean rows of the given one, and their thresholds set on its first inner fold.

    Args:
        fold: a grouped fold.
        kinds: kind of each row's episode, shape (rows,).
        labels: 1 is attack, shape (rows,).
    """
    attacked = labels == 1
    trained, tested = (set(kinds[rows[attacked[rows]]]) for rows in (fold.train, fold.test))
    common = sorted(trained & tested)
    known = np.isin(kinds, common) & attacked
    tests = {None: ~known, **{kind: known & (kinds == kind) for kind in common}}
    found = []
    for kind, of_test in tests.items():
        kept = kinds != kind
        outer, first = (
            Side(side.fit[kept[side.fit]], side.scored[kept[side.scored]], side.site[~attacked[side.site]])
            for side in fold.sides[:2]
        )
        found.append(Fold(replace(outer, scored=fold.test[of_test[fold.test]]), (first,)))
    return tuple(found)


def thin(rows: Rows, labels: Labels, most: int, seed: int) -> Rows:
    """Return at most ``most`` of the rows: every attack, and a seeded draw of the others, in order.

    Attacks alone may exceed ``most``; then half as many are drawn of either class.
    """
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng(seed)
    attacks, others = rows[labels[rows] == 1], rows[labels[rows] == 0]
    if len(attacks) > most // 2:
        attacks = rng.choice(attacks, min(len(attacks), max(most // 2, most - len(others))), replace=False)
    kept = rng.choice(others, min(len(others), most - len(attacks)), replace=False)
    return np.sort(np.concatenate([attacks, kept]))
