"""Who learns from what: rows into folds, with whole days and whole episodes on one side.

Random folds are here only to show what they leak. Each fold has three parts: rows to fit on, rows to set
the alarm threshold on, and rows to test on; the first two together are the training side.
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

DAY_FOLDS = 4
"""Days are dealt into at most so many test sets: with four days or fewer each day is left out alone."""
RANDOM_FOLDS = 3
CALIBRATION = 0.25
"""Share of the training side the threshold is set on."""
BLOCKS = 4
LAST = 0.3
"""Share of the days, or blocks, a split in order of time tests on: two days of a week."""


@dataclass(frozen=True)
class Fold:
    """Row positions of one fold.

    Attributes:
        fit: rows the model is fitted on.
        calibrate: rows the threshold is set on; equal to ``fit`` where the training side has too few attacks
            to spare any.
        test: rows that are scored.
    """

    fit: Rows
    calibrate: Rows
    test: Rows


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


def grouped(groups: npt.NDArray[np.int64], labels: Labels, seed: int) -> Iterator[Fold]:
    """Yield folds that test on whole groups, dealt round robin into at most :data:`DAY_FOLDS` test sets."""
    names = np.unique(groups)
    count = min(DAY_FOLDS, len(names))
    for number in range(count):
        held_out = np.isin(groups, names[number::count])
        if count > 1:
            fit, calibrate = _spare_group(groups, labels, np.flatnonzero(~held_out), seed)
            yield Fold(fit, calibrate, np.flatnonzero(held_out))


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


def _spare_rows(labels: Labels, train: Rows, seed: int) -> tuple[Rows, Rows]:
    """Return the training side with a stratified draw of rows spared; whole where it has too few attacks."""
    if np.bincount(labels[train], minlength=2).min() < 1 / CALIBRATION:
        return train, train
    fit, calibrate = train_test_split(train, test_size=CALIBRATION, stratify=labels[train], random_state=seed)
    return np.sort(fit), np.sort(calibrate)


def _spare_group(groups: npt.NDArray[np.int64], labels: Labels, train: Rows, seed: int) -> tuple[Rows, Rows]:
    """Return the training side as rows to fit and to calibrate on.

    The group spared is the one whose share of the attacks is closest to :data:`CALIBRATION`; attacks must
    remain to fit on. Where one group has them all, random rows are spared: still of the training side.
    """
    attacks = pd.Series(labels[train]).groupby(groups[train]).sum()
    candidates = attacks[(attacks > 0) & (attacks < attacks.sum())]
    if candidates.empty:
        return _spare_rows(labels, train, seed)
    spared = (candidates / attacks.sum() - CALIBRATION).abs().idxmin()
    held = groups[train] == spared
    return train[~held], train[held]


def shuffled(labels: Labels, seed: int) -> Iterator[Fold]:
    """Yield random stratified folds: neighbours in time and packets of one episode on both sides.

    Yields nothing where a class has fewer rows than such folds need.
    """
    if np.bincount(labels, minlength=2).min() < 2 * RANDOM_FOLDS:
        return
    folds = StratifiedKFold(RANDOM_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(np.zeros(len(labels)), labels):
        yield Fold(*_spare_rows(labels, train, seed), test)


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
