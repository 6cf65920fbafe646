"""Positive cases and the clean windows matched to them, on short streams."""

import numpy as np
import pandas as pd
from tests.analysis import made_dataset

from coldaisle_analysis.earliness.cases import CLEAN_WINDOWS, Cases, find_cases
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_contracts.clock import SECOND

HOUR = 12
"""Number of rows per hour: one row every 5 minutes."""


def three_days() -> pd.DataFrame:
    """Return two streams over three days with one row every five minutes; ``a`` has an episode of three rows on day 2."""
    time = pd.date_range("2026-03-02", periods=3 * 24 * HOUR, freq="5min", tz="UTC")
    frame = pd.DataFrame(
        {"time": time.repeat(2), "label": 0, "episode": "", "stream": ["a", "b"] * len(time)}
    )
    attacked = (frame["stream"] == "a") & frame["time"].between("2026-03-03 10:00", "2026-03-03 10:10")
    frame["label"], frame["episode"] = attacked.astype(int), attacked.map({True: "e01", False: ""})
    frame["kind"] = attacked.map({True: "delay", False: "normal"})
    return frame


def cases_of(frame: pd.DataFrame, delay_s: int = 0) -> Cases:
    """Return the cases of a frame whose rows can be scored ``delay_s`` seconds after their time."""
    known_ns = (
        frame["time"].astype("datetime64[ns, UTC]").astype("int64").to_numpy(np.int64) + delay_s * SECOND
    )
    return find_cases(frame, frame["stream"], np.asarray(known_ns, np.int64))


def test_a_case_holds_the_stream_from_onset_to_end() -> None:
    """The positive case consists of the three rows of the attacked stream, in order of time, and starts at the first."""
    frame = three_days()
    cases = cases_of(frame)
    assert cases.attacked.tolist() == [True, False, False]
    assert frame.iloc[cases.rows[0]]["episode"].tolist() == ["e01"] * 3
    assert cases.onset_ns[0] == pd.Timestamp("2026-03-03 10:00", tz="UTC").value


def test_clean_windows_match_stream_length_and_time_of_day() -> None:
    """The clean windows are rows of the same stream at the same time of day on the neighbouring days."""
    frame = three_days()
    cases = cases_of(frame)
    for rows, day in zip(cases.rows[1:], ("2026-03-04", "2026-03-02"), strict=True):
        window = frame.iloc[rows]
        assert set(window["stream"]) == {"a"}
        assert window["time"].tolist() == list(
            pd.date_range(f"{day} 10:00", periods=3, freq="5min", tz="UTC")
        )


def test_a_window_touched_by_an_episode_is_not_clean() -> None:
    """If the nearest window has a row of another episode, attack or not, the next match is taken."""
    frame = three_days()
    touched = (frame["stream"] == "a") & (frame["time"] == pd.Timestamp("2026-03-04 10:05", tz="UTC"))
    frame.loc[touched, "episode"] = "e02"
    cases = cases_of(frame)
    assert all((frame.iloc[rows]["episode"] == "").all() for rows in cases.rows[1:])
    assert len(cases.rows) == 1 + CLEAN_WINDOWS


def test_within_one_day_other_hours_are_matched() -> None:
    """A capture of one day has no other day to match, so windows one hour later and earlier are taken."""
    frame = three_days()
    frame = frame[frame["time"].dt.day == 3].reset_index(drop=True)
    cases = cases_of(frame)
    hours = [frame.iloc[rows]["time"].iloc[0].hour for rows in cases.rows]
    assert hours == [10, 11, 9]


def test_outcomes_count_items_from_one_and_seconds_from_the_onset() -> None:
    """An alarm on the second row, 5 minutes after the onset and scored 300 s later, is item 2 after 600 s."""
    frame = three_days()
    cases = cases_of(frame, delay_s=300)
    alarm = np.zeros(len(frame), dtype=bool)
    alarm[cases.rows[0][1:]] = True
    outcomes = cases.outcomes(alarm)
    assert outcomes.alarm.tolist() == [2, 0, 0]
    assert outcomes.length.tolist() == [3, 3, 3]
    assert outcomes.seconds[0] == 600.0
    assert np.isnan(outcomes.seconds[1:]).all()


def test_no_attack_gives_no_case() -> None:
    """A clean capture has no case, and its outcomes are empty; there is no error."""
    frame = three_days().assign(label=0, episode="")
    cases = cases_of(frame)
    assert cases.rows == ()
    assert cases.outcomes(np.ones(len(frame), dtype=bool)).attacked.size == 0


def test_a_case_knows_the_kind_of_its_attack() -> None:
    """A positive case has the kind of its episode, and a clean window has no kind."""
    assert cases_of(three_days()).kinds.tolist() == ["delay", "", ""]


def test_the_order_is_by_stream_then_time() -> None:
    """Two streams with alternating rows, the second in reverse order, are each followed in order of time."""
    frame = three_days().iloc[::-1].reset_index(drop=True)
    cases = cases_of(frame)
    for name, rows in frame.iloc[cases.order].groupby("stream", sort=False):
        assert rows["time"].is_monotonic_increasing
        assert set(cases.streams[rows.index]) == {0 if name == "b" else 1}
    assert np.array_equal(cases.streams[cases.order], np.sort(cases.streams))


def test_a_row_of_no_stream_is_in_no_case() -> None:
    """Attack rows that belong to no connection have code -1 and are in no case."""
    frame = three_days()
    cases = find_cases(
        frame, pd.Series([None] * len(frame), dtype="object"), np.zeros(len(frame), dtype=np.int64)
    )
    assert set(cases.streams) == {-1}
    assert cases.rows == ()


def test_within_keeps_the_cases_that_lie_there_as_a_whole() -> None:
    """Of days 2 and 3, the attack and the window on day 3 remain, and the outcomes are those of these two."""
    frame = three_days()
    cases = cases_of(frame).within((frame["time"].dt.day > 2).to_numpy())
    assert cases.attacked.tolist() == [True, False]
    assert cases.kinds.tolist() == ["delay", ""]
    assert cases.outcomes(np.ones(len(frame), dtype=bool)).alarm.tolist() == [1, 1]


def test_readings_are_followed_by_unit_and_by_sensor() -> None:
    """An attack on a unit with four sensors is one case of the unit and four cases of sensors; packets are followed by connection."""
    dataset = made_dataset.make(2, 1)
    readings = prepare(dataset.readings, "readings").cases
    assert list(readings) == ["unit", "sensor"]
    assert int(readings["unit"].attacked.sum()) == 1
    assert int(readings["sensor"].attacked.sum()) == 4
    assert list(prepare(dataset.packets, "packets").cases) == ["connection"]
