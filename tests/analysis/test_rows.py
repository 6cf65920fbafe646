"""Outcomes from anybody's rows, against definitions written out case by case; ERDE and the sigmoid against paper and SciPy."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from coldaisle_analysis.earliness import (
    ERISK_RATE,
    Outcomes,
    erde,
    latency_cost,
    latency_penalty,
    latency_weighted_f1,
    outcomes_of_rows,
    recall_by_items,
    recall_by_seconds,
    stretches,
)

Case = tuple[bool, list[bool]]
"""Whether a case is positive, and whether the detector alarms at each of its items."""
TEXT: Any = "5"
NOTHING: Any = None
NAIVE = datetime(2026, 3, 2, tzinfo=UTC).replace(tzinfo=None)
CASES = st.lists(st.tuples(st.booleans(), st.lists(st.booleans(), min_size=1, max_size=12)), max_size=8)


def rows_of(cases: list[Case], seed: int) -> tuple[list[bool], list[bool], list[str], list[float]]:
    """Return label, alarm, case and time of the rows of cases, shuffled; an item comes every 60 s."""
    rows = [
        (label, alarm, f"case {number:03d}", 60.0 * item)
        for number, (label, alarms) in enumerate(cases)
        for item, alarm in enumerate(alarms)
    ]
    np.random.default_rng(seed).shuffle(rows)
    labels, alarms, names, time = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    return labels, alarms, names, time


@given(CASES, st.integers(0, 99))
def test_outcomes_are_those_of_each_case(cases: list[Case], seed: int) -> None:
    """In whatever order the rows come, each case has its label, its length, its first alarm and the time to it."""
    outcomes = outcomes_of_rows(*rows_of(cases, seed))
    firsts = [alarms.index(True) + 1 if True in alarms else 0 for _, alarms in cases]
    assert outcomes.attacked.tolist() == [label for label, _ in cases]
    assert outcomes.length.tolist() == [len(alarms) for _, alarms in cases]
    assert outcomes.alarm.tolist() == firsts
    assert outcomes.seconds.tolist() == pytest.approx(
        [60.0 * (first - 1) if first else math.nan for first in firsts], nan_ok=True
    )


@given(CASES, st.sampled_from([1, 5, 50]), st.sampled_from([None, 0.1296]))
def test_erde_is_that_of_the_paper(cases: list[Case], deadline: int, false_alarm: float | None) -> None:
    """The mean over cases of c_fp, c_fn = 1, lc_o(k) = 1 - 1/(1 + e^(k-o)) or 0 (Losada and Crestani 2016, section 4)."""
    outcomes = outcomes_of_rows(*rows_of(cases, 0))
    positives = sum(label for label, _ in cases)
    if not positives:
        assert math.isnan(erde(outcomes, deadline, false_alarm=false_alarm))
        return
    costs = []
    for label, alarms in cases:
        if True in alarms:
            late = 1 - 1 / (1 + math.exp(alarms.index(True) + 1 - deadline))
            costs.append(late if label else (positives / len(cases) if false_alarm is None else false_alarm))
        else:
            costs.append(float(label))
    assert erde(outcomes, deadline, false_alarm=false_alarm) == pytest.approx(sum(costs) / len(cases))


@given(CASES, st.integers(1, 12))
def test_recall_within_a_delay_counts_cases(cases: list[Case], items: int) -> None:
    """Recall at k items is the share of positive cases with an alarm among their first k, and the same by seconds."""
    outcomes = outcomes_of_rows(*rows_of(cases, 1))
    positive = [alarms for label, alarms in cases if label]
    share = sum(True in alarms[:items] for alarms in positive) / max(len(positive), 1)
    assert recall_by_items(outcomes).at(items) == pytest.approx(share)
    assert recall_by_seconds(outcomes).at(60.0 * (items - 1)) == pytest.approx(share)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab")), max_size=20))
def test_stretches_are_runs_of_one_label_on_one_stream(rows: list[tuple[bool, str]]) -> None:
    """Rows of a stream have the same case exactly if no row of the other label lies between them on that stream."""
    labels, streams = [label for label, _ in rows], [stream for _, stream in rows]
    cases = stretches(labels, streams)
    for first in range(len(rows)):
        for last in range(first, len(rows)):
            between = {label for label, stream in rows[first : last + 1] if stream == streams[first]}
            together = streams[first] == streams[last] and len(between) == 1
            assert (cases[first] == cases[last]) == together
    outcomes_of_rows(labels, labels, cases)  # no case has both labels


def test_the_sigmoid_is_scipy_s() -> None:
    """Costs and penalties are those of SciPy's expit to the last bit, as far as e^-x is a number, and 0 or 1 beyond."""
    items = np.arange(1, 20_000)
    for deadline in (5, 30, 50, 7.5):
        assert np.array_equal(latency_cost(items, deadline), expit(items - float(deadline)))
    for rate in (ERISK_RATE, math.log(3) / 8, 1e-9):
        assert np.array_equal(latency_penalty(items, rate), -1 + 2 * expit(rate * (items - 1.0)))
    assert latency_cost([[1, 10**9], [5, 2]], 5000.0).tolist() == [[0, 1], [0, 0]]


def test_times_may_be_dates() -> None:
    """Dates with and without a zone, of pandas and of NumPy, give the seconds between them; nanoseconds are kept."""
    dates = pd.date_range("2026-03-02", periods=3, freq="1500ms")
    labels, alarms, cases = [1, 1, 1], [0, 1, 0], ["a"] * 3
    for time in (
        dates,
        list(dates.to_pydatetime()),
        dates.to_numpy(),
        dates.tz_localize("UTC"),
        pd.Series(dates),
        dates.as_unit("ns").astype("int64") / 1e9,
    ):
        assert outcomes_of_rows(labels, alarms, cases, time).seconds.tolist() == pytest.approx([1.5])
    fine = np.array(["2026-03-02T00:00:00.000000000", "2026-03-02T00:00:00.000000007"], "datetime64[ns]")
    assert outcomes_of_rows([1, 1], [0, 1], ["a", "a"], fine).seconds.tolist() == [7e-9]


def test_a_rate_of_ones_own() -> None:
    """With p = ln 3/(k - 1) an alarm at item k is worth one half."""
    late = Outcomes([True, False], [9, 9], [9, 0])
    assert latency_weighted_f1(late, math.log(3) / 8) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [9], [10]), r"alarm\[0\] is 10 and length\[0\] 9: count items from 1 to the length, 0 is no alarm"),
        (([1], [0], [0]), r"length\[0\] is 0: give whole numbers from 1 on"),
        (([1], [9], [-1]), r"alarm\[0\] is -1: give whole numbers from 0 on"),
        (([1], [9], [1.5]), r"alarm\[0\] is 1.5: give whole numbers"),
        (([2], [9], [1]), r"attacked\[0\] is 2: give True or False, or 1 or 0"),
        (([1, 0], [9], [1]), r"different lengths \(attacked 2, length 1, alarm 1, seconds 1\)"),
        (([[1]], [9], [1]), r"attacked has shape \(1, 1\): give one value after another, shape \(n,\)"),
    ],
)  # fmt: skip
def test_outcomes_that_do_not_fit(arguments: tuple[Any, ...], message: str) -> None:
    """Outcomes that cannot be are refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        Outcomes(*arguments)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (([0, 1], [0, 0], ["a", "a"]), r"case a has rows of both labels: .+ by stretches\(\)"),
        (([1, 1], [0, 0], ["a"]), r"different lengths \(labels 2, alarms 2, cases 1, time 2\)"),
        (([1], [np.nan], ["a"]), r"alarms\[0\] is nan: give True or False"),
        (([1], ["yes"], ["a"]), r"alarms\[0\] is 'yes': give True or False"),
        (([1, 1], [0, 0], np.array(["a", None], object)), r"cases mixes types .+: give names alone"),
        (([1], [0], ["a"], ["noon"]), r"time has a value that is no number .+: give finite numbers"),
        (([pd.NA], [0], ["a"]), r"labels\[0\] is <NA>: give True or False"),
        (([1, 1], [0, 0], ["a", "a"], [NAIVE, None]), r"time\[1\] is no time \(None\): leave rows without a time out"),
        (([1, 1], [0, 0], ["a", "a"], [NAIVE, NAIVE.replace(tzinfo=UTC)]), "with and without a time zone"),
        (([1], [0], ["a"], [math.inf]), r"time\[0\] is inf: give finite numbers"),
        (([1], [0], ["a"], np.array(["NaT"], "datetime64[s]")), r"time\[0\] is no time \(NaT\)"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit(rows: tuple[Any, ...], message: str) -> None:
    """Rows that make no cases are refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        outcomes_of_rows(*rows)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda outcomes: erde(outcomes, math.nan), "deadline is nan: give a finite number"),
        (lambda outcomes: erde(outcomes, TEXT), "deadline is '5': give a finite number"),
        (lambda outcomes: erde(outcomes, 5, false_alarm=-1), "false_alarm is -1: give a finite number from 0 on"),
        (lambda outcomes: latency_weighted_f1(outcomes, -1), "rate is -1: give a finite number from 0 on"),
        (lambda outcomes: recall_by_items(outcomes).at(NOTHING), "delay is None: give a finite number"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit(score: Any, message: str) -> None:
    """A parameter that is no number, or none that makes sense, is refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        score(Outcomes([True, False], [9, 9], [9, 3]))


def test_recall_by_seconds_needs_seconds() -> None:
    """Outcomes without times have a recall by items alone, and say so."""
    with pytest.raises(
        ValueError, match="has no seconds: give times to the outcomes, or take recall_by_items"
    ):
        recall_by_seconds(Outcomes([True], [9], [1]))
