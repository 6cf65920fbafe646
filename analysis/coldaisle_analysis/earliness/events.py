"""Alarms against events in time: event recall, advance time and false alarms per unit of time, for streams of any kind.

An event happens at a time or from a time to another; an alarm is raised at a time. The definitions are those that sktime's issue 10248 asks for
(github.com/sktime/sktime/issues/10248) and its pull request 11197 writes down (EventTPR, MeanDetectionOffset, FalseAlarmRate):

* The *window* of an event goes from its start + ``earliest`` to its end + ``latest``, both included; a point event ends where it starts.
* An event is *detected* if an alarm of its stream lies in its window; the **event recall** is the share of the events that are.
* Its **advance time** is its start minus the first alarm in its window: positive before the start, negative after it. (The pull request's
  offset has the other sign.)
* An alarm is *false* if it lies in no window. Further alarms in a window are not false. **False alarms per time** are their number by the time
  watched.

Where windows overlap, one alarm may detect several events. With *active* intervals, events that start outside of them and alarms outside of
them do not count, and the time watched is the length of the intervals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Floats, Ints, Mask, Rows
from coldaisle_analysis.earliness import checked
from coldaisle_analysis.earliness.axis import Axis


@dataclass(frozen=True)
class Matches:
    """Events and alarms after they were matched by :func:`match_events`.

    Attributes:
        events: which events count, shape (events,).
        detected: which of them were detected, shape (events,).
        advance: advance time of each detected event, NaN for the others, shape (events,).
        alarms: which alarms count, shape (alarms,).
        false: which of them are false, shape (alarms,).
        duration: length of the active intervals; NaN without any.

    Examples:
        >>> matches = match_events([100, 200, 300], [90, 95, 204, 250], earliest=-20, latest=5)
        >>> matches.detected.tolist(), matches.false.tolist()
        ([True, True, False], [False, False, False, True])
    """

    events: Mask
    detected: Mask
    advance: Floats
    alarms: Mask
    false: Mask
    duration: float

    @property
    def event_recall(self) -> float:
        """Return the share of the events that were detected; NaN without an event.

        Examples:
            >>> round(matches.event_recall, 3)
            0.667
        """
        return float(self.detected[self.events].mean()) if self.events.any() else float("nan")

    @property
    def missed(self) -> int:
        """Return the number of events that were not detected.

        Examples:
            >>> matches.missed
            1
        """
        return int((self.events & ~self.detected).sum())

    @property
    def advance_time(self) -> float:
        """Return the mean advance time of detected events; NaN without any.

        Examples:
            >>> matches.advance.tolist(), matches.advance_time
            ([10.0, -4.0, nan], 3.0)
        """
        return float(self.advance[self.detected].mean()) if self.detected.any() else float("nan")

    @property
    def alarm_precision(self) -> float:
        """Return the share of the alarms that are not false; NaN without an alarm.

        Examples:
            >>> matches.alarm_precision
            0.75
        """
        return 1 - float(self.false[self.alarms].mean()) if self.alarms.any() else float("nan")

    def false_alarms_per(self, unit: float, duration: float | None = None) -> float:
        """Return the number of false alarms per unit of time.

        Args:
            unit: the unit, such as 3600 for an hour where times are in s.
            duration: the time watched; that of the active intervals if missing.

        Raises:
            ValueError: if there is neither, or one is not above 0.

        Examples:
            >>> matches.false_alarms_per(3600, duration=1200)
            3.0
        """
        watched = self.duration if duration is None else duration
        if duration is None and np.isnan(self.duration):
            raise ValueError(
                "duration is missing: give the time watched, or active intervals to match_events"
            )
        return int(self.false.sum()) / checked.positive("duration", watched) * checked.positive("unit", unit)


def match_events(
    events: npt.ArrayLike,
    alarms: npt.ArrayLike,
    *,
    earliest: float,
    latest: float = 0.0,
    ends: npt.ArrayLike | None = None,
    event_streams: npt.ArrayLike | None = None,
    alarm_streams: npt.ArrayLike | None = None,
    active: npt.ArrayLike | None = None,
) -> Matches:
    """Match alarms with events by the windows of the events.

    All times are in one unit, such as s, or dates; then offsets are in s.

    Args:
        events: start of each event, in any order, shape (events,).
        alarms: time of each alarm, in any order, shape (alarms,). :func:`suppress` leaves duplicates out beforehand.
        earliest: start of a window relative to the start of its event: -600 for ten minutes before, 0 where a warning is not looked for.
        latest: end of a window relative to the end of its event: 0 where an alarm after it comes too late, -60 where a minute is needed to act.
        ends: end of each event, shape (events,); its start if missing.
        event_streams: name of the stream of each event, shape (events,). One stream if missing.
        alarm_streams: name of the stream of each alarm, shape (alarms,). One stream if missing.
        active: intervals ``[start, end]`` in which events and alarms count, without overlap, ends not included, shape (intervals, 2).

    Raises:
        ValueError: if arrays do not fit each other, an event ends before it starts, a window ends before it starts, or active intervals overlap.

    Examples:
        >>> early = match_events([10.0], [8.5], earliest=-3)
        >>> late = match_events([10.0], [10.2], earliest=-3)
        >>> early.event_recall, early.advance_time, late.event_recall, int(late.false.sum())
        (1.0, 1.5, 0.0, 1)
        >>> night = match_events([10.0, 90.0], [9.0, 40.0, 80.0], earliest=-3, active=[[0, 20], [30, 50]])
        >>> night.event_recall, night.false_alarms_per(40)  # the event at 90 and the alarm at 80 do not count
        (1.0, 1.0)
    """
    axis = Axis.of(events, events if ends is None else ends, alarms, active)
    axis.refuse(earliest, latest)
    event_stream, alarm_stream = _streams(len(axis.start), len(axis.raised), event_streams, alarm_streams)
    counted, heard = axis.active(axis.start), axis.active(axis.raised)
    detected, advance = np.zeros(len(counted), np.bool_), np.full(len(counted), np.nan)
    false = heard.copy()
    for rows, alarm_rows in _by_stream(event_stream, alarm_stream, counted, heard, axis.raised):
        time = axis.raised[alarm_rows]
        low = np.searchsorted(time, axis.start[rows] + checked.offset(earliest, axis.unit))
        high = np.searchsorted(time, axis.end[rows] + checked.offset(latest, axis.unit), side="right")
        hit = low < high
        detected[rows] = hit
        advance[rows[hit]] = (axis.start[rows[hit]] - time[low[hit]]) / axis.unit
        false[alarm_rows] = ~_covered(low[hit], high[hit], len(time))
    return Matches(counted, detected, advance, heard, false, axis.duration)


def events_of_labels(
    labels: npt.ArrayLike, time: npt.ArrayLike, streams: npt.ArrayLike | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return start, end and stream of each run of consecutive positive rows, sorted by stream, then start.

    Args:
        labels: whether each row is positive: booleans, or 1 and 0, shape (rows,).
        time: time of each row, numbers or dates, shape (rows,).
        streams: name of each row's stream, shape (rows,); one stream, 0, if missing.

    Returns:
        The first and the last time of each run and the name of its stream, as they stand in the arguments.

    Raises:
        ValueError: if the arrays do not fit each other.

    Examples:
        >>> start, end, stream = events_of_labels([0, 1, 1, 0, 1], [0, 10, 20, 30, 40], ["fan"] * 5)
        >>> start.tolist(), end.tolist(), stream.tolist()
        ([10, 40], [20, 40], ['fan', 'fan'])
    """
    positive, ((moment,), _) = checked.flags("labels", labels), checked.ticks(time=time)
    names = np.zeros(len(positive), np.int64) if streams is None else checked.flat("streams", streams)
    code = checked.codes("streams", names)
    checked.same_length(labels=positive, time=moment, streams=code)
    order = np.lexsort((moment, code))
    hit, code = positive[order], code[order]
    joined = hit[1:] & hit[:-1] & (code[1:] == code[:-1])
    first, last = hit.copy(), hit.copy()
    first[1:] &= ~joined
    last[:-1] &= ~joined
    times = np.asarray(time)
    return times[order[first]], times[order[last]], names[order[first]]


def _streams(
    events: int, alarms: int, event_streams: npt.ArrayLike | None, alarm_streams: npt.ArrayLike | None
) -> tuple[Ints, Ints]:
    """Return the code of the stream of each event and of each alarm."""
    if event_streams is None and alarm_streams is None:
        return np.zeros(events, np.int64), np.zeros(alarms, np.int64)
    if event_streams is None or alarm_streams is None:
        raise ValueError("only one of event_streams and alarm_streams is there: give both or neither")
    of_events, of_alarms = (
        checked.flat("event_streams", event_streams),
        checked.flat("alarm_streams", alarm_streams),
    )
    for name, rows, number in (("event_streams", of_events, events), ("alarm_streams", of_alarms, alarms)):
        if len(rows) != number:
            raise ValueError(f"{name} has {len(rows)} values: give {number}, one for each time")
    mixed = (
        of_events.size and of_alarms.size and (of_events.dtype.kind in "US") != (of_alarms.dtype.kind in "US")
    )
    if mixed and np.object_ not in {of_events.dtype, of_alarms.dtype}:
        raise ValueError(
            "event_streams and alarm_streams have different types: give names in both, or numbers in both"
        )
    code = checked.codes(
        "streams", np.concatenate([of_events, of_alarms]) if events and alarms else [*of_events, *of_alarms]
    )
    return code[:events], code[events:]


def _by_stream(
    event_stream: Ints, alarm_stream: Ints, counted: Mask, heard: Mask, raised: npt.NDArray[Any]
) -> Iterator[tuple[Rows, Rows]]:
    """Yield the positions of the events that count and of the alarms that do, these in order of time, for each stream with events."""
    events = np.flatnonzero(counted)[np.argsort(event_stream[counted], kind="stable")]
    alarms = np.flatnonzero(heard)[np.lexsort((raised[heard], alarm_stream[heard]))]
    streams, starts = np.unique(event_stream[events], return_index=True)
    low, high = (np.searchsorted(alarm_stream[alarms], streams, side) for side in ("left", "right"))
    for rows, first, last in zip(np.split(events, starts[1:]), low, high, strict=False):
        yield rows, alarms[first:last]


def _covered(low: npt.NDArray[np.intp], high: npt.NDArray[np.intp], alarms: int) -> Mask:
    """Return which alarms lie in one of the ranges ``low:high``."""
    steps = np.zeros(alarms + 1, np.int64)
    np.add.at(steps, low, 1)
    np.add.at(steps, high, -1)
    return np.cumsum(steps[:-1]) > 0
