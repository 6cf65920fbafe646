"""Units that report in some slots only: their readings, the episodes on them, and what a scenario refuses."""

from typing import Any

import pytest
from tests.conftest import HOUSE

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.interval_limits import limits
from coldaisle_contracts.plan import FIRST_READING, Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.rhythms import Rhythm
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.units import Group

EVERY, PHASE, JITTER_S, PER_DAY = 3, 1, 2.0, 288
SLOW = {"name": "slow-{number}", "count": 2, "address": 120, "client": "s{number}s{sensor}"}
QUICK = {"name": "quick-{number}", "count": 2, "address": 100, "client": "q{number}s{sensor}"}


def _scenario(slow: dict[str, Any] | None = None, **keys: Any) -> Scenario:
    rhythm = {"every": EVERY, "phase": PHASE, "jitter_s": JITTER_S} if slow is None else slow
    content = {
        "name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48,
        "site": {"devices": [QUICK, SLOW | rhythm]}, **keys,
    }  # fmt: skip
    return Scenario.check(content, "made.toml")


def _episode(kind: str, start: str, readings: int = 3, **keys: Any) -> dict[str, Any]:
    return {"kind": kind, "day": 1, "start": start, "unit": "slow-1", "readings": readings, **keys}


def _plan(*episodes: dict[str, Any], **keys: Any) -> Plan:
    return build_plan(_scenario(episodes=list(episodes), **keys), "made.toml")


def test_a_rhythm_says_which_slots_are_its_own() -> None:
    """Of three slots the second is its own, whatever slots are asked about."""
    rhythm = Rhythm(3, 1)
    assert [*rhythm.slots(range(12))] == [1, 4, 7, 10]
    assert [*rhythm.slots(range(5, 8))] == [7]
    assert [slot for slot in range(12) if rhythm.reports(slot)] == [1, 4, 7, 10]
    assert [slot for slot in range(12) if rhythm.reports(slot) and rhythm.is_nth(slot, 2)] == [1, 7]
    assert [rhythm.next(slot) for slot in (0, 1, 2, 3, 4)] == [1, 1, 4, 4, 4]
    assert [rhythm.nearest(slot, 12) for slot in (9, 10, 11)] == [10, 10, 10]
    assert [*rhythm.span(4, 3)] == [4, 5, 6, 7, 8, 9, 10]


def test_a_plan_counts_the_readings_of_each_unit() -> None:
    """Quick units report in every slot of both days, slow ones in a third of them."""
    plan = _plan()
    assert plan.slots_of("quick-1") == range(2 * PER_DAY)
    assert plan.slots_of("slow-2", 1) == range(PER_DAY + PHASE, 2 * PER_DAY, EVERY)
    assert plan.readings_on([1]) == 4 * 2 * (PER_DAY + PER_DAY // EVERY)


def test_a_waking_comes_late_by_at_most_the_jitter() -> None:
    """Delays are drawn by seed, from none to the jitter; a group without one keeps that of the published captures."""
    plan = _plan()

    def delays(unit: str) -> list[float]:
        slots, stagger = plan.slots_of(unit), list(plan.units).index(unit) * 1_000_000
        dues = (plan.start_ns + FIRST_READING + slot * 300 * SECOND + stagger for slot in slots)
        return [(plan.reading_ns(slot, unit) - due) / SECOND for slot, due in zip(slots, dues, strict=True)]

    assert 0 <= min(delays("slow-1")) < 0.1 < JITTER_S - 0.1 < max(delays("slow-1")) <= JITTER_S
    assert max(delays("quick-1")) < 0.00075
    assert delays("slow-1") != delays("slow-2")


def test_an_episode_attacks_readings_of_its_unit() -> None:
    """It begins with the first reading from its start on, and lasts for as many readings; the path is taken a reading before."""
    (episode,) = _plan(_episode("modification", "02:00", variant="shift")).episodes
    assert (episode.onset, sorted({act.slot for act in episode.acts})) == (25, [25, 28, 31])
    plan = _plan(_episode("modification", "02:00", variant="replay", lag=3))
    (replay,) = plan.episodes
    assert 0 < plan.reading_ns(25 - 3 * EVERY, "slow-1") - replay.approach_ns < SECOND
    assert plan.span(replay) == range(25, 32)


def test_readings_change_places_with_the_next_one_of_their_unit() -> None:
    """A held reading is released after the unit's next one, fifteen minutes later."""
    plan = _plan(_episode("reordering", "02:00", readings=2))
    (episode,) = plan.episodes
    for act in episode.acts:
        assert act.slot == 25
        assert 0 < act.times_ns[0] - plan.reading_ns(28, "slow-1") < SECOND


def test_ntp_queries_come_every_few_readings() -> None:
    """With a query every 4 readings, a forgery meets one in each hour of a unit that reports every fifteen minutes."""
    (episode,) = _plan(_episode("time-forgery", "02:00", readings=8)).episodes
    assert [act.slot // EVERY % 4 for act in episode.acts] == [0, 0]
    with pytest.raises(InputError, match="needs an NTP query, and one comes every 4 readings"):
        _plan(_episode("time-forgery", "02:20", readings=2))


def test_drawn_episodes_begin_with_a_reading() -> None:
    """The seed draws slots in which the unit reports, and leaves room between episodes and before the end of the day."""
    plan = _plan(drawn={"count": 24, "clean_days": 0})
    slow = [episode for episode in plan.episodes if episode.unit.startswith("slow")]
    assert len(slow) > 5
    assert all(episode.onset % EVERY == PHASE for episode in slow)
    for episode in slow:
        assert plan.span(episode).stop <= (episode.onset // PER_DAY + 1) * PER_DAY
        assert {act.slot % EVERY for act in episode.acts} <= {PHASE}


def test_limits_follow_the_interval_of_the_unit() -> None:
    """A keepalive after an update has to be longer than fifteen minutes and the jitter, and acts leave room for the jitter."""
    scenario = _scenario()
    assert limits(scenario, "firmware", "slow-1")["keepalive_s"][0] == 903
    assert limits(scenario, "firmware", "quick-1")["keepalive_s"][0] == 301
    quick, slow = (limits(scenario, "cable", unit)["outage_s"][1] for unit in ("quick-1", "slow-1"))
    assert quick - slow == JITTER_S
    with pytest.raises(InputError, match=r"readings is 5: give at most 4, or a longer keepalive_s"):
        _plan(_episode("removal", "02:00", readings=5))


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("00:15", "start at 30 minutes past midnight or later, because the path is taken 3 slots before"),
        ("23:55", "the episode would end after its day or after the run"),
    ],
)
def test_an_episode_has_room_in_its_day(start: str, message: str) -> None:
    """It begins after a reading of its unit that is not its own, and ends before the day does."""
    with pytest.raises(InputError, match=message):
        _plan(_episode("modification", start, variant="shift"))


def test_episodes_on_a_slow_unit_are_apart_by_its_intervals() -> None:
    """Two intervals are those of the unit."""
    first, second = _episode("modification", "02:00", variant="shift"), _episode("delay", "02:45", readings=1)
    with pytest.raises(InputError, match="leave two intervals of 900 s between them"):
        _plan(first, second)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"every": 5}, r"devices\.1\.every is 5: give a divisor of 288, the number of slots in a day"),
        ({"every": 3, "phase": 3}, "phase is 3: make it less than every, which is 3"),
        ({"every": 96, "phase": 20, "keepalive_s": 65000}, "phase is 20: make it less than 12, the number of slots in the run"),
        ({"jitter_s": 80.0}, r"jitter_s is 80.0: give at most a quarter of interval_s, 75 s"),
        ({"every": 12}, "every is 12: make it smaller, or keepalive_s longer than 3600 s"),
        ({"every": 3, "jitter_s": 2.0, "keepalive_s": 902}, "keepalive_s is 902: make it longer than 902 s"),
    ],
)  # fmt: skip
def test_a_scenario_refuses_a_rhythm(keys: dict[str, Any], message: str) -> None:
    """The interval divides the day, is shorter than the keepalive, and its first slot lies in the run."""
    with pytest.raises(InputError, match=message):
        _scenario(keys, duration_h=1)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"every": 2}, "every is 2: plc governs room-1 in every slot"), ({"jitter_s": 1.0}, "jitter_s is 1.0: plc governs room-1")],
)  # fmt: skip
def test_a_unit_that_is_governed_has_no_rhythm(keys: dict[str, Any], message: str) -> None:
    """A controller expects a reading in each slot, before its cycle."""
    room = {
        "name": "room-{number}",
        "address": 100,
        "client": "r{number}s{sensor}",
        "topic": "hall/{number}/{sensor}",
    }
    plc = {"kind": "controller", "name": "plc", "address": 20, "client": "plc", "units": "room-*"}
    with pytest.raises(InputError, match=message):
        _scenario(site={"devices": [room | keys, plc]})


def test_the_default_rhythm_is_left_out() -> None:
    """A group that reports in every slot is written as before, so plans keep their digests."""
    group = Group(number=7, address=9)
    assert not {"every", "phase", "jitter_s"} & group.model_dump().keys()
    slow = Group(number=7, address=9, every=3, phase=1, jitter_s=0.0)
    assert slow.model_dump()["jitter_s"] == 0.0
    assert Group.model_validate(slow.model_dump()) == slow


def test_the_example_has_two_intervals() -> None:
    """scenarios/intervals.toml has episodes on rooms and on tanks, which report every third slot."""
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "intervals.toml"))
    assert {unit: plan.slots_of(unit).step for unit in plan.units} == {
        "room-1": 1, "room-2": 1, "tank-1": 3, "tank-2": 3,
    }  # fmt: skip
    assert {episode.unit for episode in plan.episodes} == {*plan.units, "broker"}
