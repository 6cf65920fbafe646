"""Alarm policies: compared with results by hand, live with offline, and written as JSON."""

import json

import numpy as np
import pytest

from coldaisle_analysis.earliness.policies import (
    FAMILIES,
    NEVER,
    Cusum,
    InARow,
    Policy,
    Threshold,
    TwoThresholds,
    as_json,
    of_json,
)
from coldaisle_contracts.errors import InputError

EVERY = (
    NEVER,
    Threshold(0.5),
    InARow(0.5, 1),
    InARow(0.3, 3),
    InARow(0.1, 50),
    TwoThresholds(0.9, 0.4, 2, 3),
    TwoThresholds(2.0, 0.6, 3, 10),
    TwoThresholds(0.8, 0.0, 1, 1),
    TwoThresholds(2.0, 0.2, 20, 64),
    Cusum(0.1, 1.5),
    Cusum(0.3, 0.0),
    Cusum(0.7, 0.05),
    Cusum(0.0, 3.3),
    Cusum(1.0, 0.1),
)


def offline(policy: Policy, *streams: list[float]) -> list[bool]:
    """Return which items of several streams, one after another, alarm."""
    score = np.array([item for stream in streams for item in stream])
    codes = np.repeat(np.arange(len(streams)), [len(stream) for stream in streams])
    return [bool(alarm) for alarm in policy.alarms(score, codes)]


def live(policy: Policy, *streams: list[float]) -> list[bool]:
    """Return the same item by item; each state is written as JSON and read again, as after a restart."""
    alarms = []
    for stream in streams:
        state = 0
        for score in stream:
            state, alarm = policy.step(json.loads(json.dumps(state)), score)
            alarms.append(alarm)
    return alarms


@pytest.mark.parametrize("policy", EVERY, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_live_and_offline_agree_in_every_item(policy: Policy, seed: int) -> None:
    """On streams of many lengths, with scores of any size, equal ones and 0 and 1, both ways give the same alarms."""
    rng = np.random.default_rng(seed)
    streams = [
        np.where(rng.random(size) < 0.3, rng.integers(0, 11, size) / 10, rng.random(size) ** 3).tolist()
        for size in [0, 1, 1, 2, 300, *rng.integers(0, 40, 40).tolist()]
    ]
    assert offline(policy, *streams) == live(policy, *streams)


@pytest.mark.parametrize("policy", EVERY, ids=str)
def test_nothing_to_judge_is_no_error(policy: Policy) -> None:
    """No items give no alarms."""
    assert offline(policy, []) == []


def test_fewer_items_than_a_row_needs_are_no_error() -> None:
    """Two items that reach the limit are no fifty in a row, and not twenty of 64."""
    for policy in (InARow(0.1, 50), TwoThresholds(2.0, 0.2, 20, 64)):
        assert offline(policy, [0.9, 0.9]) == live(policy, [0.9, 0.9]) == [False, False]


def test_every_family_is_among_those_tested() -> None:
    """Every family of the table has a policy in the tests of this file."""
    assert {policy.family for policy in EVERY} == set(FAMILIES)


def test_a_threshold_alarms_when_reached() -> None:
    """0.5 reaches 0.5, the number just below does not, and a score of 1 does not reach NEVER."""
    assert offline(Threshold(0.5), [0.5, float(np.nextafter(0.5, 0)), 0.6]) == [True, False, True]
    assert offline(NEVER, [1.0]) == [False]


def test_a_row_alarms_at_its_third_item_and_goes_on() -> None:
    """Three in a row alarm at the third and fourth item; after a lower score, or in another stream, the count starts again."""
    assert offline(InARow(0.5, 3), [0.9, 0.9, 0.5, 0.9, 0.1, 0.9, 0.9], [0.9]) == [
        False, False, True, True, False, False, False, False,
    ]  # fmt: skip


def test_one_in_a_row_is_a_threshold() -> None:
    """With one item, both families give the same alarms."""
    score = np.random.default_rng(1).random(500).tolist()
    assert offline(InARow(0.7, 1), score) == offline(Threshold(0.7), score)


def test_two_thresholds_alarm_at_one_high_or_several_low() -> None:
    """Two of the last three at 0.4 alarm at the second, never at an item below 0.4; four apart do not alarm; one at 0.9 does."""
    policy = TwoThresholds(high=0.9, low=0.4, items=2, among=3)
    assert offline(policy, [0.5, 0.1, 0.4, 0.1, 0.1, 0.5], [0.5, 0.9]) == [
        False, False, True, False, False, False, False, True,
    ]  # fmt: skip
    assert offline(policy, [0.9]) == [True]


def test_a_cusum_adds_what_exceeds_the_drift_and_starts_again() -> None:
    """With drift 0.25 and limit 1, scores of 0.75 raise the sum to 0.5 and then to 1.0, which alarms; then it starts again at 0."""
    assert offline(Cusum(0.25, 1.0), [0.75, 0.75, 0.75, 0.0, 0.0, 0.0, 0.75]) == [
        False, True, False, False, False, False, False,
    ]  # fmt: skip


def test_a_cusum_is_that_of_page() -> None:
    """On scores that are sums of powers of two, it equals the recursion of the paper."""
    score = (np.random.default_rng(3).integers(0, 65, 2_000) / 64).tolist()
    total, expected = 0.0, []
    for item in score:
        total = max(0.0, total + item - 0.5)
        expected.append(total >= 2.0)
        total = 0.0 if total >= 2.0 else total
    assert offline(Cusum(0.5, 2.0), score) == expected
    assert 0 < sum(expected) < len(score)


@pytest.mark.parametrize("policy", EVERY, ids=str)
def test_a_policy_is_read_as_it_was_written(policy: Policy) -> None:
    """A policy that was written as strict JSON and read is equal, and the JSON holds the family and its parameters."""
    text = json.dumps(as_json(policy), allow_nan=False)
    assert of_json(json.loads(text)) == policy
    assert json.loads(text)["family"] == policy.family


@pytest.mark.parametrize("row", [{}, {"family": "oracle"}, {"family": "threshold", "items": 3}])
def test_what_is_no_policy_is_an_error(row: dict[str, object]) -> None:
    """An unknown family, or other parameters, give one sentence that names the families."""
    with pytest.raises(InputError, match="name one of the families threshold, in a row"):
        of_json(row)
