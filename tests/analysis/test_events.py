"""Alarms against events, incidents and suppression, against definitions written out one alarm at a time."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldaisle_analysis.earliness import events_of_labels, incidents, match_events, suppress

TIMES = st.lists(st.integers(0, 60), max_size=10)
STREAMED = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=12)
LASTING = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.sampled_from("ab")), max_size=6)


@given(LASTING, STREAMED, st.integers(-20, 0), st.integers(0, 10), st.booleans())
def test_events_are_matched_by_their_windows(
    events: list[tuple[int, int, str]],
    alarms: list[tuple[int, str]],
    earliest: int,
    latest: int,
    active: bool,
) -> None:
    """For each event the alarms in its window are looked up one by one; the first gives the advance, and alarms in no window are false."""
    shifts = [[5, 25], [25, 30], [40, 55]]
    watched = [not active or any(low <= start < high for low, high in shifts) for start, _, _ in events]
    heard = [not active or any(low <= time < high for low, high in shifts) for time, _ in alarms]
    inside: list[list[int]] = [
        [
            at
            for at, (time, of) in enumerate(alarms)
            if counts and heard[at] and of == stream and start + earliest <= time <= start + length + latest
        ]
        for (start, length, stream), counts in zip(events, watched, strict=True)
    ]
    matches = match_events(
        [start for start, _, _ in events],
        [time for time, _ in alarms],
        earliest=earliest,
        latest=latest,
        ends=[start + length for start, length, _ in events],
        event_streams=[stream for _, _, stream in events],
        alarm_streams=[stream for _, stream in alarms],
        active=shifts if active else None,
    )
    advance = [
        start - min(alarms[at][0] for at in hits) if hits else math.nan
        for (start, _, _), hits in zip(events, inside, strict=True)
    ]
    matched = set().union(*inside)
    assert matches.events.tolist() == watched
    assert matches.alarms.tolist() == heard
    assert matches.detected.tolist() == [bool(hits) for hits in inside]
    assert matches.advance.tolist() == pytest.approx(advance, nan_ok=True)
    assert matches.false.tolist() == [heard[at] and at not in matched for at in range(len(alarms))]
    assert matches.missed == sum(watched) - sum(map(bool, inside))
    assert matches.event_recall == pytest.approx(
        sum(map(bool, inside)) / sum(watched) if any(watched) else math.nan, nan_ok=True
    )
    if active:
        assert matches.false_alarms_per(40) == matches.false.sum()


@given(STREAMED, st.integers(0, 20))
def test_a_cooldown_runs_from_the_last_alarm_that_remained(
    alarms: list[tuple[int, str]], cooldown: int
) -> None:
    """Alarm by alarm in order of time: one remains if its stream has none that remained less than the cooldown before."""
    kept: dict[str, int] = {}
    remains = [False] * len(alarms)
    for at in sorted(range(len(alarms)), key=lambda at: alarms[at][0]):
        time, stream = alarms[at]
        if stream not in kept or time - kept[stream] >= cooldown:
            kept[stream], remains[at] = time, True
    assert suppress(*_columns(alarms), cooldown=cooldown).tolist() == remains


@given(STREAMED, st.integers(1, 9), st.sampled_from([None, 1, 7, 10]))
def test_incidents_are_counted_as_the_loop_counts_them(
    alarms: list[tuple[int, str]], quiet: int, repeat: int | None
) -> None:
    """Alarm by alarm: a quiet time after the last alarm begins an incident, and so does each repeat time since it began."""
    begun = [False] * len(alarms)
    stream, before, opening, part = "", 0, 0, 0
    for at in sorted(range(len(alarms)), key=lambda at: alarms[at][::-1]):
        now, of = alarms[at]
        if of != stream or now - before >= quiet:
            begun[at], stream, opening, part = True, of, now, 0
        elif repeat is not None and (now - opening) // repeat != part:
            begun[at], part = True, (now - opening) // repeat
        before = now
    assert incidents(*_columns(alarms), quiet=quiet, repeat=repeat).tolist() == begun


@given(st.lists(st.booleans(), max_size=30))
def test_events_of_labels_are_the_runs(labels: list[bool]) -> None:
    """Each run of positive rows is an event from its first row to its last, whatever the order of the rows."""
    text = "".join("x" if label else " " for label in labels)
    order = np.random.default_rng(0).permutation(len(labels))
    rows = np.arange(len(labels))[order]
    start, end, stream = events_of_labels(np.array(labels, bool)[order], rows + 5)
    assert list(zip(start - 5, end - 5, strict=True)) == [(at, at + len(run) - 1) for at, run in _runs(text)]
    assert not stream.any()


def test_events_of_labels_are_of_their_streams() -> None:
    """Runs of two streams whose rows come in turn are apart, and times and names stand as they were given, ready to be matched."""
    time = pd.to_datetime(["12:00", "12:00", "12:01", "12:01", "12:02", "12:02"], format="%H:%M")
    start, end, stream = events_of_labels([1, 0, 1, 1, 0, 1], time, ["b", "a"] * 3)
    assert start.tolist() == time.to_numpy()[[3, 0]].tolist()
    assert end.tolist() == time.to_numpy()[[5, 2]].tolist()
    assert stream.tolist() == ["a", "b"]
    matches = match_events(start, time[:1], earliest=0, ends=end, event_streams=stream, alarm_streams=["b"])
    assert matches.detected.tolist() == [False, True]


def _runs(text: str) -> list[tuple[int, str]]:
    """Return place and text of each run of x."""
    runs, at = [], 0
    for part in text.split(" "):
        if part:
            runs.append((at, part))
        at += len(part) + 1
    return runs


def _columns(alarms: list[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [time for time, _ in alarms], [stream for _, stream in alarms]


def test_the_example_of_the_issue() -> None:
    """In issue 10248 of sktime: for an event at 10.0 an alarm at 8.5 is early, one at 10.2 is not."""
    assert match_events([10.0], [8.5], earliest=-2).advance_time == 1.5
    late = match_events([10.0], [10.2], earliest=-2)
    assert (late.event_recall, late.missed, late.false.tolist()) == (0, 1, [True])
    assert match_events([10.0], [9.9], earliest=-2, latest=-0.5).missed == 1  # too short to act


def test_dates_are_matched_in_seconds() -> None:
    """Dates with a zone are matched to the nanosecond: an alarm exactly 1.2 s before the event lies on the edge of its window."""
    event = pd.DatetimeIndex(["2026-03-02T12:00:00"], tz="UTC")
    alarms = (event - pd.Timedelta("1200ms")).union(event - pd.Timedelta("1201ms"))
    for at, times in ((event, alarms), (event.tz_localize(None), alarms.tz_localize(None))):
        matches = match_events(at, times, earliest=-1.2)
        assert matches.advance_time == 1.2
        assert matches.false.tolist() == [True, False]


def test_without_events_or_alarms_there_is_no_score() -> None:
    """Nothing to detect and nothing raised is NaN, not 0 and not an error."""
    nothing = match_events([], [], earliest=0, event_streams=[], alarm_streams=[])
    assert math.isnan(nothing.event_recall)
    assert math.isnan(nothing.advance_time)
    assert math.isnan(nothing.alarm_precision)
    assert nothing.false_alarms_per(3600, duration=60) == 0
    assert match_events([], [1, 2], earliest=0).false.all()
    assert match_events([1], [1], earliest=0, active=[]).events.tolist() == [False]
    assert incidents([]).tolist() == suppress([], cooldown=1).tolist() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"earliest": 1}, "earliest is 1 and latest 0, so a window ends before it starts"),
        ({"earliest": math.nan}, "earliest is nan: give a finite number"),
        ({"latest": "soon"}, "latest is 'soon': give a finite number"),
        ({"ends": [4, 9]}, "event 0 ends before it starts"),
        ({"ends": [4]}, r"different lengths \(events 2, ends 1\)"),
        ({"event_streams": ["a", "b"]}, "only one of event_streams and alarm_streams is there: give both or neither"),
        ({"event_streams": ["a"], "alarm_streams": ["a"]}, "event_streams has 1 values: give 2, one for each time"),
        ({"event_streams": ["a", "b"], "alarm_streams": [1]}, "different types: give names in both, or numbers in both"),
        ({"active": [0, 9]}, r"active has shape \(2,\): give one \[start, end\] per interval"),
        ({"active": [[0, 9], [8, 12]]}, "active has an interval that is empty or overlaps another"),
        ({"active": [[9, 0]]}, "active has an interval that is empty"),
        ({"alarms": [[1]]}, r"alarms has shape \(1, 1\)"),
        ({"alarms": np.array(["2026-03-02"], "datetime64[s]")}, "alarms are dates and ends are numbers: give both as dates"),
    ],
)  # fmt: skip
def test_events_that_do_not_fit(arguments: dict[str, Any], message: str) -> None:
    """What cannot be matched is refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        match_events(**{"events": [5, 9], "alarms": [1], "earliest": -2, **arguments})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda: suppress([1], cooldown=-1), "cooldown is -1: give a finite number from 0 on"),
        (lambda: incidents([1], quiet=0), "quiet is 0: give a finite number above 0"),
        (lambda: incidents([1], repeat=0), "repeat is 0: give a finite number above 0"),
        (lambda: incidents([1, 2], ["a"]), r"different lengths \(time 2, streams 1\)"),
        (lambda: match_events([1], [1], earliest=0).false_alarms_per(60), "duration is missing: give the time watched"),
        (lambda: match_events([1], [1], earliest=0).false_alarms_per(60, duration=0), "duration is 0: give"),
    ],
)  # fmt: skip
def test_rules_that_do_not_fit(rule: Any, message: str) -> None:
    """Times and rates that make no sense are refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        rule()


def test_the_two_rules_differ_as_the_page_says() -> None:
    """An alarm every 5 minutes of a day is 24 incidents, and a cooldown of 900 s leaves 96 alarms; docs/early-detection.md says so."""
    day = range(0, 86_400, 300)
    assert (incidents(day).sum(), suppress(day, cooldown=900).sum()) == (24, 96)
    page = (Path(__file__).parents[2] / "docs" / "early-detection.md").read_text("utf-8")
    sentence = "An alarm every 5 minutes of a day is 24 incidents (one an hour), and 96 alarms remain of it"
    assert sentence in " ".join(page.split())
