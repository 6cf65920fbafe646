"""The cases of early detection: the sequences of items that a detector watches.

The items of a case are the rows of one *stream*. There are three kinds of stream: the connection of a
sensor (packets; its next connection, a day later, continues the stream), a unit, and a sensor (readings).
A positive case runs from the first row of an episode that is labelled attack on that stream (the onset) to the last.
Negative cases are clean windows matched to it: same stream, same length, same time of day on the nearest days
or, if the capture has no such day, other hours of the same day. No row of an episode lies in a clean window.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask, Rows
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.rows import first_alarms
from coldaisle_contracts.clock import DAY, HOUR, SECOND

CLEAN_WINDOWS = 2
"""Largest number of clean windows matched to each positive case."""


@dataclass(frozen=True)
class Cases:
    """The cases of one level of a dataset, and the streams they were cut from.

    Attributes:
        rows: the positions of each case's items in the frame, in order of time.
        onset_ns: start of each case in ns since the epoch, shape (cases,).
        attacked: which cases are positive, shape (cases,).
        kinds: kind of attack of each positive case, "" for a clean window, shape (cases,).
        streams: the stream of each row of the frame as a code, -1 for none (such as ARP), shape (rows,).
        order: the positions of all rows of the frame sorted by stream, then time, as a detector receives them, shape (rows,).
        known_ns: when each row of the frame could be scored, in ns since the epoch, shape (rows,).
    """

    rows: tuple[Rows, ...]
    onset_ns: Ints
    attacked: Mask
    kinds: npt.NDArray[np.str_]
    streams: Ints
    order: Rows
    known_ns: Ints

    @cached_property
    def length(self) -> npt.NDArray[np.int64]:
        """Return the number of items of each case, shape (cases,)."""
        return np.array([len(rows) for rows in self.rows], dtype=np.int64)

    @cached_property
    def _flat(self) -> tuple[Rows, Rows, npt.NDArray[np.int64]]:
        """Return the items of all cases in one array, the start of each case in it, and each item's place in its case."""
        starts = np.cumsum(self.length) - self.length
        items = np.concatenate(self.rows).astype(np.intp)
        return items, starts.astype(np.intp), np.arange(1, len(items) + 1) - np.repeat(starts, self.length)

    def outcomes(self, alarm: Mask) -> Outcomes:
        """Return the outcome of each case; ``alarm`` says for every row of the frame whether it alarms."""
        if not self.rows:
            return Outcomes(self.attacked, self.length, self.length, np.zeros(0))
        items, starts, place = self._flat
        first = first_alarms(alarm[items], starts, place)
        waited = (self.known_ns[items[starts + np.maximum(first - 1, 0)]] - self.onset_ns) / SECOND
        return Outcomes(self.attacked, self.length, first, np.where(first > 0, waited, np.nan))

    def within(self, rows: Mask) -> "Cases":
        """Return the cases whose items all lie on these rows, such as those of the training days.

        A clean window lies on another day than its positive case, so a cut in time may separate the two. ERDE and its bounds
        use the share of positive cases among the cases that are left.
        """
        inside = np.array([bool(rows[items].all()) for items in self.rows], dtype=np.bool_)
        return replace(
            self,
            rows=tuple(compress(self.rows, inside)),
            onset_ns=self.onset_ns[inside],
            attacked=self.attacked[inside],
            kinds=self.kinds[inside],
        )


@dataclass(frozen=True)
class _Stream:
    """The rows of one stream in order of time.

    Attributes:
        rows: positions of the rows in the frame.
        time_ns: their times in ns.
        kinds: kind of anomaly of each row, shape (rows,).
        attacks: code of the episode of each attack row, -1 for the others.
        touched: number of rows in an episode before each row, and before the end, shape (rows + 1,).
    """

    rows: Rows
    time_ns: Ints
    kinds: npt.NDArray[np.object_]
    attacks: Ints
    touched: Ints

    def cases(self) -> Iterator[tuple[str, int, Rows]]:
        """Yield its cases: kind of attack ("" of a clean window), onset in ns, and rows."""
        episodes, first = np.unique(self.attacks, return_index=True)
        last = len(self.attacks) - 1 - np.unique(self.attacks[::-1], return_index=True)[1]
        for at, end_at, episode in sorted(zip(first.tolist(), last.tolist(), episodes.tolist(), strict=True)):
            if episode >= 0:
                onset, end = int(self.time_ns[at]), int(self.time_ns[end_at])
                low, high = np.searchsorted(self.time_ns, [onset, end + 1])
                yield str(self.kinds[at]), onset, self.rows[low:high]
                yield from (("", start, items) for start, items in self.clean(onset, end))

    def clean(self, start: int, end: int) -> Iterator[tuple[int, Rows]]:
        """Yield start and rows of the clean windows matched to a case, the best matches first."""
        starts = start + _shifts(end - start)
        low = np.searchsorted(self.time_ns, starts)
        high = np.searchsorted(self.time_ns, starts + (end - start + 1))
        clean = (low < high) & (self.touched[low] == self.touched[high])
        for match in np.flatnonzero(clean)[:CLEAN_WINDOWS]:
            yield int(starts[match]), self.rows[low[match] : high[match]]


def _shifts(length: int) -> Ints:
    """Return the shifts of a matched window in ns: whole days, then hours, then multiples of its own length."""
    steps = ((DAY, 92), (HOUR, 23), (length + SECOND, 12))
    return np.concatenate([
        step * np.array([[count, -count] for count in range(1, most + 1)], dtype=np.int64).ravel() for step, most in steps
    ])  # fmt: skip


def find_cases(frame: pd.DataFrame, stream: pd.Series, known_ns: Ints) -> Cases:
    """Return the positive cases of a level and their matched clean windows.

    Args:
        frame: columns ``time`` (UTC), ``label`` (1 is attack), ``kind`` and ``episode`` (empty or missing outside one).
        stream: the stream of each row, missing for rows of none (such as ARP).
        known_ns: when each row could be scored, in ns since the epoch: a packet when it is captured, a reading when its
            slot ends.
    """
    codes = pd.factorize(stream)[0].astype(np.int64)
    time_ns = np.asarray(frame["time"].astype("datetime64[ns, UTC]").astype("int64"), dtype=np.int64)
    order = np.lexsort((time_ns, codes))
    cases = [
        case for attacked in _attacked_streams(frame, codes, order, time_ns) for case in attacked.cases()
    ]
    return Cases(
        rows=tuple(items for _, _, items in cases),
        onset_ns=np.array([start for _, start, _ in cases], dtype=np.int64),
        attacked=np.array([kind != "" for kind, _, _ in cases], dtype=np.bool_),
        kinds=np.array([kind for kind, _, _ in cases], dtype=np.str_),
        streams=codes,
        order=order,
        known_ns=known_ns,
    )


def named_episodes(frame: pd.DataFrame) -> pd.Series:
    """Return the episode of each row, missing outside one."""
    return frame["episode"].astype("object").where(frame["episode"] != "")


def _attacked_streams(frame: pd.DataFrame, codes: Ints, order: Rows, time_ns: Ints) -> Iterator[_Stream]:
    """Yield the streams that have an attack."""
    attack = frame["label"].to_numpy() == 1
    episodes = pd.factorize(named_episodes(frame))[0].astype(np.int64)
    kinds = frame["kind"].astype("object").to_numpy()
    at = order[np.isin(codes[order], np.setdiff1d(codes[attack], -1))]
    for rows in np.split(at, np.flatnonzero(np.diff(codes[at])) + 1) if len(at) else []:
        yield _Stream(
            rows,
            time_ns[rows],
            kinds[rows],
            np.where(attack[rows], episodes[rows], -1),
            np.append(0, np.cumsum(episodes[rows] >= 0)),
        )
