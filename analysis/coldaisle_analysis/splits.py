"""Who learns from what: rows into folds, with whole days and whole episodes on one side.

Random folds are here only to show what they leak. The protocol is nested: a fold's training side is divided again, so that what is
set on scores (threshold, policy) is set on those of rows which the model that scored them had not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from coldaisle_analysis.cases import named_episodes

Rows = npt.NDArray[np.intp]
Labels = npt.NDArray[np.int8]

OTHER_WEEKS = "week"
"""The split that trains on the whole of a run and tests on others, see :mod:`weeks`."""
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
BLOCKS = 4
LAST = 0.3
"""Share of the days, or blocks, a split in order of time tests on: two days of a week."""


@dataclass(frozen=True)
class Inner:
    """Row positions of one inner fold; equal where the training side has too few attacks to spare any.

    Attributes:
        fit: rows a model is fitted on.
        held_out: others of the training side that it scores, so that thresholds can be set.
        site: rows the site is learned from; it is told no label, so that only what another fold tests must be kept from it.
    """

    fit: Rows
    held_out: Rows
    site: Rows


@dataclass(frozen=True)
class Fold:
    """Row positions of one fold.

    Attributes:
        train: the training side: rows the model that is tested is fitted on.
        inner: the training side divided again, whole days held out one set at a time; of a random fold what it spares beside it.
            No row is held out twice.
        test: rows that are scored.
    """

    train: Rows
    inner: tuple[Inner, ...]
    test: Rows

    @property
    def sides(self) -> tuple[tuple[Rows, Rows], ...]:
        """Return what is learned from and what is then scored: of the fold itself, then of each inner one."""
        return (self.train, self.test), *((each.fit, each.held_out) for each in self.inner)

    @property
    def sites(self) -> tuple[Rows, ...]:
        """Return what the site is learned from for each of the sides."""
        return self.train, *(each.site for each in self.inner)


def groups_of(frame: pd.DataFrame) -> tuple[str, npt.NDArray[np.int64]]:
    """Return how the rows can be held out, ``day`` or ``block``, and the group of each row.

    Where all rows lie in one day, blocks of consecutive time stand in for days. An episode never lies on
    both sides: all its rows follow its first one, whatever midnight or border they cross.

    Args:
        frame: columns ``day`` (a number), ``time`` (UTC) and ``episode`` (empty or missing outside one).
    """
    days = pd.factorize(frame["day"], sort=True)[0].astype(np.int64)
    name, groups = ("day", days) if days.max(initial=0) > 0 else ("block", _blocks(frame))
    first = pd.Series(groups, index=frame.index).groupby(named_episodes(frame)).transform("first")
    return name, first.fillna(pd.Series(groups, index=frame.index)).to_numpy(dtype=np.int64)


def together(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Return what each row must stay together with: its episode, or the part of the day a clean row lies in.

    A day has :data:`BLOCKS` parts. For scikit-learn's splitters by group, such as ``GroupKFold``.

    Args:
        frame: columns ``day``, ``hour`` (local) and ``episode`` (empty or missing outside one).

    Returns:
        Text such as ``e07`` or ``day-3/2``, shape (rows,).
    """
    part = (frame["hour"].to_numpy(np.float64) * BLOCKS // 24).astype(np.int64)  # hours in a day
    clean = "day-" + frame["day"].astype("str") + "/" + pd.Series(part, frame.index).astype("str")
    return named_episodes(frame).fillna(clean).to_numpy(np.str_)


def _blocks(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the block of each row: equal stretches of time."""
    stamps = frame["time"].astype("int64").to_numpy()
    if not stamps.size:
        return np.zeros(0, dtype=np.int64)
    since = stamps - stamps.min()
    return np.asarray(since * BLOCKS // (since.max() + 1), dtype=np.int64)


def grouped(groups: npt.NDArray[np.int64], labels: Labels, time_ns: npt.NDArray[np.int64]) -> Iterator[Fold]:
    """Yield folds that test on whole groups, dealt round robin into at most :data:`DAY_FOLDS` test sets.

    Args:
        groups: see :func:`groups_of`.
        labels: 1 is attack, shape (rows,).
        time_ns: when each row was known, ns, shape (rows,).
    """
    groups = _numbered(groups)
    parts = groups % DAY_FOLDS
    for number in range(parts.max() + 1) if parts.any() else ():
        train = np.flatnonzero(parts != number)
        yield Fold(train, _inner(groups, number, labels, time_ns, train), np.flatnonzero(parts == number))


def untested(groups: npt.NDArray[np.int64], labels: Labels, time_ns: npt.NDArray[np.int64]) -> Fold:
    """Return a fold that trains on every row, for what is tried elsewhere; see :func:`grouped`."""
    rows = np.arange(len(labels))
    return Fold(rows, _inner(_numbered(groups), 0, labels, time_ns, rows), rows[:0])


def _numbered(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the place of each row's group among all of them."""
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.int64)


def in_time(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return which rows are tested on when whole groups are split in order of time: those of the last groups.

    Args:
        groups: see :func:`groups_of`.

    Returns:
        Mask, shape (rows,); at least one group lies on each side where there are two.
    """
    names = np.unique(groups)
    tested = min(max(round(LAST * len(names)), 1), max(len(names) - 1, 0))
    return np.isin(groups, names[len(names) - tested :])


def _inner(
    groups: npt.NDArray[np.int64], tested: int, labels: Labels, time_ns: npt.NDArray[np.int64], train: Rows
) -> tuple[Inner, ...]:
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
    found = [Inner(train[~inside], _spared(groups, labels, train[inside]), train[~inside]) for inside in sets]
    held = np.cumsum([len(each.held_out) for each in found])
    return tuple(found[: max(int((held < HELD_TOGETHER).sum()) + 1, 2)])


def _spared(groups: npt.NDArray[np.int64], labels: Labels, rows: Rows) -> Rows:
    """Return the rows of some groups among these, those with attacks first, until there are :data:`HELD_ROWS`."""
    attacks = pd.Series(labels[rows]).groupby(groups[rows]).agg(["sum", "size"])
    order = attacks.index[np.argsort(attacks["sum"] == 0, kind="stable")]
    before = attacks["size"][order].cumsum() - attacks["size"][order]
    return rows[np.isin(groups[rows], order[before < HELD_ROWS])]


def _halves(
    whole: npt.NDArray[np.bool_], labels: Labels, time_ns: npt.NDArray[np.int64], train: Rows
) -> tuple[Inner, ...]:
    """Return inner folds that hold out either half of a test set; the training side whole where it has too few attacks."""
    attacked = np.sort(time_ns[train[labels[train] == 1]])
    if len(attacked) < 2 or attacked[0] == attacked[-1]:  # noqa: PLR2004 - two halves
        return (Inner(train, train, train),)
    middle = attacked[len(attacked) // 2]
    middle = middle if middle > attacked[0] else attacked[attacked > middle][0]
    late = time_ns[train] >= middle
    return tuple(Inner(train[~rows], train[rows], train) for rows in (whole & late, whole & ~late))


def _spare_rows(labels: Labels, train: Rows, seed: int) -> Inner:
    """Return the training side with a stratified draw of rows spared; whole where it has too few attacks."""
    if np.bincount(labels[train], minlength=2).min() < 1 / SPARED:
        return Inner(train, train, train)
    fit, held = train_test_split(train, test_size=SPARED, stratify=labels[train], random_state=seed)
    return Inner(np.sort(fit), np.sort(held), np.sort(fit))


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
    yield Fold(spare.fit, (spare,), test)


def unseen_kinds(fold: Fold, kinds: npt.NDArray[np.object_], labels: Labels) -> tuple[Fold, ...]:
    """Return folds in which no attacked row is of a kind that was trained on; together they test what the given one does.

    Args:
        fold: a grouped fold.
        kinds: kind of each row's episode, shape (rows,).
        labels: 1 is attack, shape (rows,).
    """
    attacked = labels == 1
    trained, tested = (set(kinds[rows[attacked[rows]]]) for rows in (fold.train, fold.test))
    known = np.isin(kinds, sorted(trained & tested)) & attacked
    found = [Fold(fold.train, fold.inner[:1], fold.test[~known[fold.test]])]
    for kind in sorted(trained & tested):
        other = kinds != kind
        inner = tuple(
            Inner(one.fit[other[one.fit]], one.held_out[other[one.held_out]], one.site)
            for one in fold.inner[:1]
        )
        found.append(
            Fold(fold.train[other[fold.train]], inner, fold.test[known[fold.test] & ~other[fold.test]])
        )
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
