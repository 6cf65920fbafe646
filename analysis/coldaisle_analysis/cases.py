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
        known_ns: when each row of the frame could be judged, ns since the epoch.
    """

    rows: tuple[Rows, ...]
    onset_ns: Nanoseconds
    attacked: npt.NDArray[np.bool_]
    known_ns: Nanoseconds

    def outcomes(self, alarm: npt.NDArray[np.bool_]) -> Outcomes:
        """Return what a detector did in each case, given for every row of the frame whether it alarmed."""
        first = np.array([_first(alarm[rows]) for rows in self.rows], dtype=np.int64)
        fired = np.array(
            [rows[max(k - 1, 0)] for rows, k in zip(self.rows, first, strict=True)], dtype=np.intp
        )
        waited = (self.known_ns[fired] - self.onset_ns) / SECOND
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


def find_cases(frame: pd.DataFrame, stream: pd.Series, known_ns: Nanoseconds) -> Cases:
    """Return the positive cases of a level and their matched clean windows.

    Args:
        frame: columns ``time`` (UTC), ``label`` (1 is attack) and ``episode`` (empty or missing outside one).
        stream: the stream of each row, missing for rows of none (such as ARP).
        known_ns: when each row could be judged, ns since the epoch: a packet as it passes, a reading when its
            slot ends.
    """
    rows = pd.DataFrame({
        "at": np.arange(len(frame)),
        "time_ns": frame["time"].astype("datetime64[ns, UTC]").astype("int64").to_numpy(),
        "attack": frame["label"].to_numpy() == 1,
        "episode": named_episodes(frame).to_numpy(),
    }).sort_values("time_ns", kind="stable")  # fmt: skip
    found = [
        case
        for _, own in rows.groupby(stream.iloc[rows["at"]].to_numpy(), observed=True)
        if own["attack"].any()
        for case in _cases_of(own)
    ]
    return Cases(
        tuple(items for _, _, items in found),
        np.array([start for _, start, _ in found], dtype=np.int64),
        np.array([attacked for attacked, _, _ in found], dtype=np.bool_),
        known_ns,
    )


def named_episodes(frame: pd.DataFrame) -> pd.Series:
    """Return the episode of each row, missing outside one."""
    return frame["episode"].astype("object").where(frame["episode"] != "")


def _cases_of(own: pd.DataFrame) -> Iterator[tuple[bool, int, Rows]]:
    """Yield the cases of one stream, given its rows in order of time: attacked, onset (ns), rows."""
    stream = _Stream(own["at"].to_numpy(), own["time_ns"].to_numpy(), own["episode"].notna().to_numpy())
    for _, attack in own[own["attack"]].groupby("episode", sort=False):
        onset, end = int(attack["time_ns"].min()), int(attack["time_ns"].max())
        yield True, onset, stream.rows[stream.window(onset, end)]
        for start, items in islice(stream.clean(onset, end), CLEAN_WINDOWS):
            yield False, start, items
