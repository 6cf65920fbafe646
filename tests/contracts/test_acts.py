"""Acts: for every kind and any seed they lie within their episode and its day and stay within its budget."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldaisle_contracts.acts import HIDDEN_S, QUIET_S
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import BROKER, Scenario
from coldaisle_contracts.taxonomy import Role
from coldaisle_testbed.obedience.layout import site_for

SEEDS = st.integers(0, 2**32 - 1)
HIDING = [kind.name for kind in SHIPPED.values() if kind.stealth]
TOO_CLOSE = {(interval, kind) for interval in (10, 12.5) for kind in ("reboot", "slow-denial")}
"""Pairs of an interval and a kind that has no room in it."""
BETWEEN = 8_000_000
"""Most time between the wake-ups of two units in a slot, with jitter, ns."""


def made(seed: int = 1, **changes: Any) -> Scenario:
    """Return a scenario of two days with some keys changed."""
    base = {"name": "made", "seed": seed, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    return Scenario.model_validate(base | changes)


def drawing(kind: str, seed: int, count: int = 4, **changes: Any) -> Plan:
    """Return a plan whose episodes all have one kind and are drawn by seed."""
    drawn = {"count": count, "kinds": {kind: 1}} | changes
    return build_plan(made(seed, drawn=drawn, **site_for([SHIPPED[kind]])))


def playing(kind: str, **changes: Any) -> Episode:
    """Return the plan's one episode, which has the given keys."""
    spec = {"kind": kind, "day": 1, "start": "01:00", "readings": 1 if SHIPPED[kind].brief else 4}
    unit = {"unit": "inrow-13"} if SHIPPED[kind].target == "unit" else {}
    (only,) = build_plan(made(episodes=[spec | unit | changes], **site_for([SHIPPED[kind]]))).episodes
    return only


@pytest.mark.parametrize("kind", SHIPPED)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_acts_lie_within_their_episode_and_day(kind: str, seed: int) -> None:
    """For any seed, an act's slot and times lie in its episode, and the episode ends before its day does."""
    plan = drawing(kind, seed)
    for planned in plan.episodes:
        day = planned.onset // 288
        unit = "inrow-13" if planned.unit == BROKER else planned.unit
        assert plan.connect_ns(day, unit) < planned.approach_ns <= planned.begin_ns < planned.end_ns
        assert planned.end_ns < plan.disconnect_ns(day, unit) <= plan.day_ns(2) + 2 * SECOND
        for act in planned.acts:
            assert planned.onset <= act.slot < planned.onset + planned.readings
            assert all(planned.approach_ns <= time <= planned.end_ns for time in act.times_ns)
            assert list(act.times_ns) == sorted(act.times_ns)


@pytest.mark.parametrize(
    "kind", [kind.name for kind in SHIPPED.values() if kind.pace in ("slots", "once", "ends", "copies")]
)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_what_is_done_between_two_readings_is_over_before_the_next(kind: str, seed: int) -> None:
    """Acts between two readings come after the first and leave room before the second."""
    plan = drawing(kind, seed)
    for planned in plan.episodes:
        unit = "inrow-13" if planned.unit == BROKER else planned.unit
        for act in planned.acts:
            for time in act.times_ns:
                reading, following = (plan.reading_ns(slot, unit) for slot in (act.slot, act.slot + 1))
                assert reading < time < following - QUIET_S * SECOND + BETWEEN


@pytest.mark.parametrize("kind", SHIPPED)
def test_a_plan_is_drawn_alike_twice(kind: str) -> None:
    """The same seed gives equal plans, another seed another plan; a plan read back from its file is equal."""
    assert drawing(kind, 7) == drawing(kind, 7)
    assert drawing(kind, 7).episodes != drawing(kind, 8).episodes
    assert Plan.model_validate_json(drawing(kind, 7).model_dump_json()) == drawing(kind, 7)


@pytest.mark.parametrize("kind", SHIPPED)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_budgets_are_bounded(kind: str, seed: int) -> None:
    """The budget of frames and of real time is bounded, and only episodes without an act cost no time."""
    for planned in drawing(kind, seed).episodes:
        assert 0 < planned.packets < 20_000
        assert (planned.cost_s > 0) == bool(planned.acts)
        assert planned.cost_s < 120


@pytest.mark.parametrize("kind", SHIPPED)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_parameters_lie_within_their_bounds(kind: str, seed: int) -> None:
    """An episode has every parameter of its variant; drawn values are within the bounds of a scenario."""
    for planned in drawing(kind, seed).episodes:
        rows = {row.name: row for row in planned.row.parameters if row.of(planned.variant)}
        assert {name for name, row in rows.items() if row.drawn} <= set(planned.parameters) <= set(rows)
        for name, value in planned.parameters.items():
            assert rows[name].least <= value <= rows[name].most
            assert not rows[name].whole or value == round(value)


@pytest.mark.parametrize("kind", SHIPPED)
def test_who_is_hit(kind: str) -> None:
    """An episode on the broker has no sensors; one that a unit plays itself as a whole has all four; an edit of readings needs a unit."""
    for planned in drawing(kind, 3).episodes:
        assert (planned.unit == BROKER) == (planned.sensors == ()) == (planned.row.target == "broker")
        assert set(planned.normal) == set(planned.sensors)
        if planned.row.actor == "unit" and not planned.row.picks_sensors:
            assert planned.sensors == (1, 2, 3, 4)
        if Role.REMOVED in planned.row.roles or Role.MODIFIED in planned.row.roles:
            assert planned.unit != BROKER


@pytest.mark.parametrize("kind", [kind.name for kind in SHIPPED.values() if kind.pace in ("once", "outage")])
def test_what_happens_once_takes_one_slot(kind: str) -> None:
    """Drawn episodes of kinds that act once last for one reading, and have one act."""
    for planned in drawing(kind, 5).episodes:
        assert (planned.readings, len(planned.acts)) == (1, 1)


@pytest.mark.parametrize("kind", HIDING)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_hidden_values_and_times_are_normal_ones(kind: str, seed: int) -> None:
    """Values forged in stealth lie in the sensor's normal range, and delays stay inside the jitter."""
    plan = drawing(kind, seed, stealth=True)
    for planned in plan.episodes:
        assert planned.stealth
        for act in planned.acts:
            if kind in ("false-data", "takeover"):
                least, most = plan.scenario.site.normal(planned.unit, act.sensor)
                assert least <= act.amount <= most
            if kind == "delay":
                late = act.times_ns[0] - plan.reading_ns(act.slot, planned.unit)
                assert 0 < late < (HIDDEN_S[1] + 0.01) * SECOND


def test_a_pair_changes_places_and_the_odd_one_stays() -> None:
    """Five readings hold two swapped pairs: the first of each pair is sent just after the second."""
    planned = playing("reordering", readings=5, sensors=[2])
    plan = build_plan(made())
    assert [act.slot - planned.onset for act in planned.acts] == [0, 2]
    for act in planned.acts:
        assert 0 < act.times_ns[0] - plan.reading_ns(act.slot + 1, "inrow-13") < SECOND


def test_every_ntp_query_is_forged_by_the_same_amount() -> None:
    """Of eight slots two hold an NTP query, and both answers move the clock."""
    planned = playing("time-forgery", readings=8, size=-30)
    assert [(act.slot % 4, act.operation, act.amount) for act in planned.acts] == [
        (0, "shift-clock", -30.0)
    ] * 2


def test_a_forged_clock_is_put_right_before_the_day_is_over() -> None:
    """With one NTP query per hour, a forgery ends an hour before midnight, so the next day starts with a right clock."""
    spec = {"kind": "time-forgery", "unit": "inrow-13", "day": 1, "readings": 12, "size": 5}
    assert build_plan(made(ntp_every=12, episodes=[spec | {"start": "22:05"}])).episodes
    with pytest.raises(InputError, match="would end after its day"):
        build_plan(made(ntp_every=12, episodes=[spec | {"start": "22:10"}]))


def test_a_door_warms_up_slowly() -> None:
    """While a door is open each slot is warmer than the one before, and never warmer than the scenario asks."""
    amounts = [act.amount for act in playing("door", size=4).acts]
    assert amounts == sorted(set(amounts))
    assert amounts[-1] < 4


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("reordering", {"readings": 1}, r"readings is 1: reordering needs 2 readings or more"),
        ("time-forgery", {"readings": 2, "start": "01:05"}, r"readings is 2: time-forgery needs an NTP query, and one comes every 4"),
        ("delay", {"delay_s": 600}, r"delay_s is 600: give at most 595, because readings come every 300 s"),
        ("clock-step", {"size": -60, "interval_s": 200}, r"size is -60: give at least -50, because readings come every 200 s"),
        ("firmware", {"keepalive_s": 300}, r"keepalive_s is 300: give at least 301, because readings come every 300 s"),
        ("reboot", {"outage_s": 100, "interval_s": 100}, r"outage_s is 100: give at most 91, because readings come every 100 s"),
        ("brute-force", {"count": 500, "rate": 1}, r"count is 500: the act takes 500 s, but only 296 s are left"),
        ("publish-flood", {"rate": 20, "count": 2000, "interval_s": 60}, r"count is 2000: the act takes 100 s, but only 56 s are left"),
        ("slow-denial", {"interval_s": 10}, r"kind is 'slow-denial': make interval_s longer than 10"),
        ("tampering", {"variant": "eth.dst", "value": 41}, r"value is 41: name the number of another host that stays on the network: 34, 36, 50"),
        ("delay", {"start": "23:40"}, r"readings is 4: the episode would end after its day or after the run"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused(kind: str, spec: dict[str, Any], expected: str) -> None:
    """Too few readings to swap, no query to forge, or acts that overlap the next reading are refused in one sentence."""
    episode = {"kind": kind, "day": 1, "start": "01:00", "readings": 1 if SHIPPED[kind].brief else 4} | spec
    interval = episode.pop("interval_s", 300)
    unit = {"unit": "inrow-13"} if SHIPPED[kind].target == "unit" else {}
    with pytest.raises(InputError, match=r"^scenario: key episodes\.0\." + expected):
        build_plan(made(interval_s=interval, episodes=[episode | unit]))


@pytest.mark.parametrize("kind", ["delay", "late-sensor"])
def test_a_delay_is_shorter_than_the_patience_of_the_broker(kind: str) -> None:
    """A reading is not held for so long that the broker drops its client: the limit is named, and drawn delays keep to it."""
    episode = {"kind": kind, "unit": "inrow-13", "day": 1, "start": "01:00", "readings": 4}
    remedy = "give at most 160, because readings come every 300 s and the keepalive is 310 s"
    with pytest.raises(InputError, match=rf"key episodes\.0\.delay_s is 200: {remedy}"):
        build_plan(made(keepalive_s=310, episodes=[episode | {"delay_s": 200}]))
    drawn = build_plan(made(keepalive_s=310, episodes=[episode | {"intensity": 1}])).episodes[0]
    assert drawn.parameters["delay_s"] <= 160


@pytest.mark.parametrize("kind", SHIPPED)
@pytest.mark.parametrize("interval", [10, 12.5, 60, 3600])
def test_other_intervals_have_a_plan_or_a_sentence(kind: str, interval: float) -> None:
    """At a short interval a kind is planned with the acts that fit, or refused by its name."""
    scenario = made(
        interval_s=interval,
        duration_h=72,
        keepalive_s=36_000,
        drawn={"count": 3, "readings": (2, 5), "kinds": {kind: 1}},
        **site_for([SHIPPED[kind]]),
    )
    if (interval, kind) in TOO_CLOSE:
        with pytest.raises(InputError, match=rf"key drawn\.kinds is '{kind}': make interval_s longer than"):
            build_plan(scenario)
        return
    plan = build_plan(scenario)
    for planned in plan.episodes:
        assert all(
            planned.approach_ns <= time <= planned.end_ns for act in planned.acts for time in act.times_ns
        )
        assert planned.end_ns < plan.disconnect_ns(planned.onset // scenario.slots_per_day, "inrow-13")
