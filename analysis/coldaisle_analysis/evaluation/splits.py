"""Splits of rows into folds that keep whole days and whole episodes on one side.

Random folds are here only to show how much they leak. The protocol is nested: a fold's training side is divided again, so that
thresholds and policies are set on scores of rows that the scoring model was not fitted on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from coldaisle_analysis.arrays import Ints, Labels, Mask, Rows, Texts

OTHER_RUNS = "week"
"""Name of the split that trains on the whole of a run and tests on other runs, see :mod:`other_runs`."""
DAY_FOLDS = 4
"""Largest number of test sets that days are dealt into: with four days or fewer each day is left out alone."""
RANDOM_PARTS = 3
"""Number of parts of a random split, one of which is tested."""
HELD_ROWS = 10_000
"""Rows that an inner fold holds out of a test set: groups are added while there are fewer."""
HELD_TOGETHER = 20_000
"""Rows that all inner folds of a training side hold out: folds are added while there are fewer, but at least two."""
SPARED = 0.25
"""Share of a random split's training side that is held out of it."""


@dataclass(frozen=True)
class Side:
    """Row positions for one fit.

    Attributes:
        fit: rows that a model is fitted on.
        scored: rows that it scores then; the same rows only where there are too few attacks to hold any out.
        site: rows that the site is learned from, without labels.
    """

    fit: Rows
    scored: Rows
    site: Rows


@dataclass(frozen=True)
class Fold:
    """Row positions of one fold.

    Attributes:
        outer: the training side, and the test rows of the fold.
        inner: parts of the training side that are held out to set thresholds; no row is held out twice.
    """

    outer: Side
    inner: tuple[Side, ...]

    @property
    def train(self) -> Rows:
        """Return the training side: the rows that the tested model is fitted on."""
        return self.outer.fit

    @property
    def test(self) -> Rows:
        """Return the test rows."""
        return self.outer.scored

    @property
    def sides(self) -> tuple[Side, ...]:
        """Return the sides of all fits that the fold needs."""
        return self.outer, *self.inner


def grouped(groups: Ints, labels: Labels, time_ns: Ints) -> Iterator[Fold]:
    """Yield folds that test on whole groups, dealt round robin into at most :data:`DAY_FOLDS` test sets.

    Args:
        groups: see :func:`groups.groups_of`.
        labels: 1 is attack, shape (rows,).
        time_ns: when all that a row describes had happened, in ns, shape (rows,).
    """
    groups = _numbered(groups)
    parts = groups % DAY_FOLDS
    for number in range(parts.max() + 1) if parts.any() else ():
        train = np.flatnonzero(parts != number)
        outer = Side(train, np.flatnonzero(parts == number), train)
        yield Fold(outer, _inner(groups, number, labels, time_ns, train))


def whole_run(groups: Ints, labels: Labels, time_ns: Ints) -> Fold:
    """Return a fold that trains on every row and tests none, for tests on other data; see :func:`grouped`."""
    rows = np.arange(len(labels))
    return Fold(Side(rows, rows[:0], rows), _inner(_numbered(groups), 0, labels, time_ns, rows))


def _numbered(groups: Ints) -> Ints:
    """Return the rank of each row's group among all groups."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.int64)


def _inner(groups: Ints, tested: int, labels: Labels, time_ns: Ints, train: Rows) -> tuple[Side, ...]:
    """Divide a training side into inner folds, each of which leaves out the test set of another fold and scores rows of it.

    A test set with attacks can be held out where other attacks remain to fit on. Folds are paired by exclusive or of their numbers: if
    fold A holds out the test set of fold B, fold B holds out that of fold A. Both models are then fitted on the same rows, so one fit is
    enough. If one test set has all attacks, it is cut in time into two parts with half of them each.
    """
    parts = groups[train] % DAY_FOLDS
    attacks = pd.Series(labels[train]).groupby(parts).sum()
    spare = attacks[(attacks > 0) & (attacks < attacks.sum())].index
    if spare.empty:
        return _halves(parts == attacks.idxmax(), labels, time_ns, train)
    sets = [parts == part for part in sorted(spare, key=lambda part: part ^ tested)]
    sides = [
        Side(train[~inside], _first_groups(groups, labels, train[inside]), train[~inside]) for inside in sets
    ]
    held = np.cumsum([len(side.scored) for side in sides])
    return tuple(sides[: max(int((held < HELD_TOGETHER).sum()) + 1, 2)])


def _first_groups(groups: Ints, labels: Labels, rows: Rows) -> Rows:
    """Return the rows of as many groups as it takes to have :data:`HELD_ROWS` rows; groups with attacks come first."""
    attacks = pd.Series(labels[rows]).groupby(groups[rows]).agg(["sum", "size"])
    order = attacks.index[np.argsort(attacks["sum"] == 0, kind="stable")]
    before = attacks["size"][order].cumsum() - attacks["size"][order]
    return rows[np.isin(groups[rows], order[before < HELD_ROWS])]


def _halves(whole: Mask, labels: Labels, time_ns: Ints, train: Rows) -> tuple[Side, ...]:
    """Return two inner folds that hold out one half of a test set each; the whole training side where it has too few attacks."""
    attacked = np.sort(time_ns[train[labels[train] == 1]])
    if len(attacked) < 2 or attacked[0] == attacked[-1]:  # noqa: PLR2004 - two halves
        return (Side(train, train, train),)
    middle = attacked[len(attacked) // 2]
    middle = middle if middle > attacked[0] else attacked[attacked > middle][0]
    late = time_ns[train] >= middle
    return tuple(Side(train[~rows], train[rows], train) for rows in (whole & late, whole & ~late))


def _spare_rows(labels: Labels, train: Rows, seed: int) -> Side:
    """Return the training side with a stratified draw of rows held out; undivided where it has too few attacks."""
    if np.bincount(labels[train], minlength=2).min() < 1 / SPARED:
        return Side(train, train, train)
    fit, held = train_test_split(train, test_size=SPARED, stratify=labels[train], random_state=seed)
    return Side(np.sort(fit), np.sort(held), np.sort(fit))


def shuffled(labels: Labels, seed: int) -> Iterator[Fold]:
    """Yield a random stratified split, with neighbours in time and packets of one episode on both sides.

    Thresholds are set on rows that are neither fitted on nor tested, so one fit is enough for both. If a class has too few rows, nothing
    is yielded.
    """
    if np.bincount(labels, minlength=2).min() < 2 * RANDOM_PARTS:
        return
    folds = StratifiedKFold(RANDOM_PARTS, shuffle=True, random_state=seed)
    train, test = next(iter(folds.split(np.zeros(len(labels)), labels)))
    spare = _spare_rows(labels, train, seed)
    yield Fold(Side(spare.fit, test, spare.site), (spare,))


def unseen_kinds(fold: Fold, kinds: Texts, labels: Labels) -> tuple[Fold, ...]:
    """Return folds that test no attack of a kind they train on; together they test the same rows as ``fold``.

    Their sites are learned from the clean rows of ``fold``, and their thresholds are set on its first inner fold.

    Args:
        fold: a grouped fold.
        kinds: kind of each row's episode, shape (rows,).
        labels: 1 is attack, shape (rows,).
    """
    attacked = labels == 1
    trained, tested = (set(kinds[rows[attacked[rows]]]) for rows in (fold.train, fold.test))
    common = sorted(trained & tested)
    trained_on = np.isin(kinds, common) & attacked
    tests = {None: ~trained_on, **{kind: trained_on & (kinds == kind) for kind in common}}
    folds = []
    for kind, of_test in tests.items():
        other = kinds != kind
        outer, first = (
            Side(side.fit[other[side.fit]], side.scored[other[side.scored]], side.site[~attacked[side.site]])
            for side in fold.sides[:2]
        )
        folds.append(Fold(replace(outer, scored=fold.test[of_test[fold.test]]), (first,)))
    return tuple(folds)


def subsample(rows: Rows, labels: Labels, most: int, seed: int) -> Rows:
    """Return at most ``most`` of the rows, sorted: every attack, and a seeded draw of the other rows.

    If more than half of ``most`` are attacks, both classes are drawn, half of the rows each.
    """
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng(seed)
    attacks, clean = rows[labels[rows] == 1], rows[labels[rows] == 0]
    if len(attacks) > most // 2:
        attacks = rng.choice(attacks, min(len(attacks), max(most // 2, most - len(clean))), replace=False)
    drawn = rng.choice(clean, min(len(clean), most - len(attacks)), replace=False)
    return np.sort(np.concatenate([attacks, drawn]))
