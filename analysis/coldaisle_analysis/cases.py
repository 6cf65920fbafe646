"""The cases of early detection: what a detector watches, item by item.

The items of a case are the rows of one *stream*: at packet level the connection of one sensor (its next
connection, a day later, continues the stream), at reading level the readings of one unit. A positive case
runs from the first row of an episode labelled attack on that stream (the onset) to the last. Negative cases
are clean windows matched to it: same stream, same length, same time of day on the days nearest to it, or,
where the capture has no such day, other hours of the same day; no row of an episode lies in them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.earliness import Outcomes

Rows = npt.NDArray[np.intp]
Nanoseconds = npt.NDArray[np.int64]

CLEAN_WINDOWS = 2
"""Clean windows matched to each positive case, where the capture has so many."""
SECOND = 1_000_000_000
DAY, HOUR = 86_400 * SECOND, 3_600 * SECOND


@dataclass(frozen=True)
class Cases:
    """The cases of one level of a dataset.

    Attributes:
        rows: for each case the positions of its items in the frame, in order of time.
        onset_ns: start of each case, ns since the epoch, shape (cases,).
        attacked: which cases are positive, shape (cases,).
        time_ns: time of every row of the frame, ns since the epoch.
    """

    rows: tuple[Rows, ...]
    onset_ns: Nanoseconds
    attacked: npt.NDArray[np.bool_]
    time_ns: Nanoseconds

    def outcomes(self, alarm: npt.NDArray[np.bool_]) -> Outcomes:
        """Return what a detector did in each case, given for every row of the frame whether it alarmed."""
        first = np.array([_first(alarm[rows]) for rows in self.rows], dtype=np.int64)
        fired = np.array([rows[max(k - 1, 0)] for rows, k in zip(self.rows, first, strict=True)], dtype=np.intp)
        waited = (self.time_ns[fired] - self.onset_ns) / SECOND
        length = np.array([len(rows) for rows in self.rows], dtype=np.int64)
        return Outcomes(self.attacked, length, first, np.where(first > 0, waited, np.nan))


def _first(alarm: npt.NDArray[np.bool_]) -> int:
    """Return the place of the first alarm, counted from 1; 0 when there is none."""
    return int(np.argmax(alarm)) + 1 if alarm.any() else 0


@dataclass(frozen=True)
class _Stream:
    """The rows of one stream in order of time."""

    rows: Rows
    time_ns: Nanoseconds
    touched: npt.NDArray[np.bool_]

    def window(self, start: int, end: int) -> slice:
        """Return which of its rows lie in a closed window of time."""
        low, high = np.searchsorted(self.time_ns, [start, end + 1])
        return slice(int(low), int(high))

    def clean(self, start: int, end: int) -> Iterator[tuple[int, Rows]]:
        """Yield start and rows of clean windows matched to one, the best match first."""
        for shift in _shifts(end - start):
            items = self.window(start + shift, end + shift)
            if items.start < items.stop and not self.touched[items].any():
                yield start + shift, self.rows[items]


def _shifts(length: int) -> Iterator[int]:
    """Yield how far a matched window may be moved, ns: whole days, then hours, then its own length."""
    for step, most in ((DAY, 92), (HOUR, 23), (length + SECOND, 12)):
        for count in range(1, most + 1):
            yield from (count * step, -count * step)


def find_cases(frame: pd.DataFrame, stream: pd.Series) -> Cases:
    """Return the positive cases of a level and their matched clean windows.

    Args:
        frame: columns ``time`` (UTC), ``label`` (1 is attack) and ``episode`` (empty or missing outside one).
        stream: the stream of each row, missing for rows of none (such as ARP).
    """
    time_ns = frame["time"].astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    episode = frame["episode"].replace("", pd.NA)
    found: list[tuple[bool, int, Rows]] = []
    for positions in pd.Series(np.arange(len(frame))).groupby(stream.to_numpy(), observed=True):
        rows = positions[1].to_numpy()
        rows = rows[np.argsort(time_ns[rows], kind="stable")]
        inside = episode.iloc[rows].notna().to_numpy()
        here = _Stream(rows, time_ns[rows], inside)
        attack = here.rows[(frame["label"].to_numpy()[rows] == 1) & inside]
        for names in pd.Series(time_ns[attack]).groupby(episode.iloc[attack].to_numpy(), observed=True):
            onset, end = int(names[1].min()), int(names[1].max())
            found.append((True, onset, here.rows[here.window(onset, end)]))
            clean = here.clean(onset, end)
            found += [(False, start, items) for start, items in islice(here.clean(onset, end), CLEAN_WINDOWS)]
    return Cases(
        tuple(items for _, _, items in found),
        np.array([start for _, start, _ in found], dtype=np.int64),
        np.array([attacked for attacked, _, _ in found], dtype=np.bool_),
        time_ns,
    )
