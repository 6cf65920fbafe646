"""Groups of rows that a split keeps together: whole days or blocks of time, and whole episodes."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.earliness.cases import named_episodes

Subset = Literal["train", "test", "all"]
SUBSETS: tuple[Subset, ...] = ("train", "test", "all")
BLOCKS = 4
"""Number of blocks of equal time that stand in for days, and of parts of a day."""
LAST = 0.3
"""Share of the days, or blocks, that a split in order of time tests on: two days of a week."""


def groups_of(frame: pd.DataFrame) -> tuple[str, Ints]:
    """Return the unit of a group, ``day`` or ``block``, and the group of each row.

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
    """Return the name of the group that each row belongs to: its episode, or for a clean row the part of its day.

    A day has :data:`BLOCKS` parts. For scikit-learn's splitters by group, such as ``GroupKFold``.

    Args:
        frame: columns ``day``, ``hour`` (local) and ``episode`` (empty or missing outside one).

    Returns:
        Text such as ``e07`` or ``day-3/2``, shape (rows,).
    """
    part = (frame["hour"].to_numpy(np.float64) * BLOCKS // 24).astype(np.int64)  # hours in a day
    clean = "day-" + frame["day"].astype("str") + "/" + pd.Series(part, frame.index).astype("str")
    return named_episodes(frame).fillna(clean).to_numpy(np.str_)


def _blocks(frame: pd.DataFrame) -> Ints:
    """Return the block of each row: equal stretches of time."""
    stamps = frame["time"].astype("int64").to_numpy()
    if not stamps.size:
        return np.zeros(0, dtype=np.int64)
    since = stamps - stamps.min()
    since //= 1 + (int(since.max()) >> 60)  # centuries apart: their product would not fit into 64 bits
    return np.asarray(since * BLOCKS // (since.max() + 1), dtype=np.int64)


def in_time(groups: Ints) -> Mask:
    """Return the test rows when whole groups are split in order of time: those of the last groups.

    Args:
        groups: see :func:`groups_of`.

    Returns:
        Mask, shape (rows,); at least one group lies on each side where there are two.
    """
    names = np.unique(groups)
    tested = min(max(round(LAST * len(names)), 1), max(len(names) - 1, 0))
    return np.isin(groups, names[len(names) - tested :])


def side(frame: pd.DataFrame, subset: Subset) -> Mask:
    """Return which rows of a level lie in a subset: whole days, of which the last 30 % are the test side, see :func:`in_time`.

    Args:
        frame: see :func:`groups_of`.
        subset: ``train``, ``test`` or ``all``.

    Returns:
        Mask, shape (rows,).
    """
    if subset == "all":
        return np.ones(len(frame), dtype=np.bool_)
    tested = in_time(groups_of(frame)[1])
    return tested if subset == "test" else ~tested
