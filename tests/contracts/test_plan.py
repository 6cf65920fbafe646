"""The plan: a pure function of scenario and seed, spread over days, units, hours and kinds."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldaisle_contracts.acts import LEAD
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.draws import MARGIN
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import BENIGN, DRAWN
from coldaisle_contracts.plan import Plan, seed_for
from coldaisle_contracts.planning import TRAIL, build_plan
from coldaisle_contracts.scenario import BROKER, Scenario, load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
WEEK = load_scenario(SCENARIOS / "week.toml")
INTRUSIONS = load_scenario(SCENARIOS / "intrusions.toml")
UNITS = ("inrow-13", "inrow-15", "inrow-23", "inrow-25")
PATH = ("interception", "modification", "removal", "duplication")


def made(**changes: Any) -> Scenario:
    """Return a scenario of two days with some keys changed."""
    base = {
        "name": "made",
        "seed": 1,
        "first_day": "2026-03-02",
        "time_zone": "Europe/Madrid",
        "duration_h": 48,
    }
    return Scenario.model_validate(base | changes)


def episode(**changes: Any) -> dict[str, Any]:
    """Return an episode of a scenario with some keys changed."""
    base = {
        "kind": "modification",
        "unit": "inrow-13",
        "day": 1,
        "start": "01:00",
        "readings": 3,
        "sensors": (1, 4),
    }
    return base | changes


def test_week_is_what_it_says() -> None:
    """The default week has 2,016 slots, 32,256 readings, as many drawn episodes as the weights of its kinds, and a clean first day."""
    plan = build_plan(WEEK)
    assert WEEK.slots == 2016
    assert WEEK.slots * len(WEEK.units) * 4 == 32_256
    assert WEEK.drawn.count == sum(WEEK.drawn.kinds.values())
    assert len(plan.episodes) == WEEK.drawn.count + len(WEEK.episodes)
    assert plan.episodes_on(range(WEEK.drawn.clean_days)) == []


def test_same_scenario_and_seed_same_plan() -> None:
    """The plan is a pure function: built twice it has the same digest, and another seed gives another plan."""
    assert build_plan(WEEK) == build_plan(WEEK)
    assert build_plan(WEEK).digest() == build_plan(WEEK).digest()
    assert build_plan(WEEK.model_copy(update={"seed": 1})).digest() != build_plan(WEEK).digest()


def test_episodes_are_spread_over_days_units_hours_and_kinds() -> None:
    """Days and units get nearly equal shares; every kind and two thirds of the hours occur."""
    episodes = build_plan(WEEK).episodes
    days = Counter(planned.onset // 288 for planned in episodes)
    units = Counter(planned.unit for planned in episodes if planned.unit != BROKER)
    assert set(days) == set(range(1, 7))
    assert (set(units), {planned.kind for planned in episodes}) == (set(UNITS), set(DRAWN))
    for counts in (days, units):
        assert max(counts.values()) - min(counts.values()) <= 6
    assert len({planned.onset % 288 // 12 for planned in episodes}) >= 16


def test_week_is_a_balanced_mix() -> None:
    """Of the drawn episodes the four published kinds have the largest share, equal among them; a quarter is benign."""
    longest = WEEK.drawn.readings[1]
    kinds = Counter(planned.kind for planned in build_plan(WEEK).episodes if planned.readings <= longest)
    largest = max(kinds.values())
    assert {kind for kind, count in kinds.items() if count == largest} == set(PATH)
    assert sum(kinds[kind] for kind in BENIGN) / kinds.total() == pytest.approx(0.25, abs=0.05)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_the_seed_episodes_keep_apart_and_within_their_day(seed: int) -> None:
    """For any seed the plan has the requested number of episodes, each within its day, three slots from midnight, and apart from the others."""
    plan = build_plan(WEEK.model_copy(update={"seed": seed}))
    named = {
        (spec.unit, (spec.day - 1) * 288 + spec.start.hour * 12 + spec.start.minute // 5)
        for spec in WEEK.episodes
    }
    assert len(plan.episodes) == WEEK.drawn.count + len(named)
    last = dict.fromkeys((*UNITS, BROKER), -MARGIN)
    for planned in plan.episodes:
        shortest, longest = WEEK.drawn.readings
        brief = planned.row.pace in ("once", "outage")
        drawn = (planned.unit, planned.onset) not in named
        assert not drawn or (planned.readings == 1 if brief else shortest <= planned.readings <= longest)
        assert MARGIN <= planned.onset % 288 <= 288 - planned.readings
        assert planned.onset - last[planned.unit] >= 2
        assert planned.approach_ns <= planned.begin_ns < planned.end_ns
        last[planned.unit] = planned.onset + planned.readings


def test_ids_follow_time() -> None:
    """Episodes are numbered in order of their onset."""
    episodes = build_plan(WEEK).episodes
    assert [planned.id for planned in episodes] == [
        f"e{number:02d}" for number in range(1, len(episodes) + 1)
    ]
    assert [planned.onset for planned in episodes] == sorted(planned.onset for planned in episodes)


def test_adding_a_unit_leaves_the_others_readings_and_named_episodes() -> None:
    """One unit more does not change the seeds, wake-up times and named episode of the unit that was there before."""
    named = [episode()]
    few = build_plan(made(units=UNITS[:1], episodes=named))
    more = build_plan(made(units=UNITS, episodes=named))
    assert few.episodes == more.episodes
    assert [few.reading_ns(slot, UNITS[0]) for slot in range(50)] == [
        more.reading_ns(slot, UNITS[0]) for slot in range(50)
    ]


def test_seeds_depend_on_seed_and_name_alone() -> None:
    """Different names and seeds give very different seeds, and the same ones on every machine."""
    assert seed_for(7, "noise/131") == seed_for(7, "noise/131") == 14347552983509835481
    assert len({seed_for(seed, name) for seed in range(50) for name in UNITS}) == 200


def test_readings_follow_the_grid() -> None:
    """A unit wakes within 10 ms of its slot, the units wake in their order, and days are 86,400 s apart."""
    plan = build_plan(made())
    for slot in (0, 1, 287, 288):
        times = [plan.reading_ns(slot, unit) - plan.start_ns - slot * 300 * SECOND for unit in UNITS]
        assert times == sorted(times)
        assert 2.5 * SECOND <= times[0] <= times[-1] < 2.51 * SECOND
    assert plan.day_ns(1) - plan.day_ns(0) == 86_400 * SECOND
    assert plan.start_ns == 1772406000 * SECOND  # 2026-03-02T00:00+01:00
    assert plan.utc_offset_s == 3600


@pytest.mark.parametrize("hours", [1, 24, 36, 48])
def test_a_day_lies_between_connect_and_disconnect(hours: float) -> None:
    """Each day's readings lie between its connects and its disconnects, and the days hold every slot once."""
    plan = build_plan(made(duration_h=hours))
    slots = [slot for day in range(plan.scenario.days) for slot in plan.day_slots(day)]
    assert slots == list(range(plan.scenario.slots))
    for day in range(plan.scenario.days):
        for unit in UNITS:
            times = [plan.reading_ns(slot, unit) for slot in plan.day_slots(day)]
            assert plan.connect_ns(day, unit) < times[0] < times[-1] < plan.disconnect_ns(day, unit)


def test_an_episode_starts_at_the_next_slot_from_its_start_on() -> None:
    """01:00 is slot 12 and 01:02 slot 13; the attacker approaches one slot before and begins just before the reading."""
    for start, onset in (("01:00", 12), ("01:02", 13)):
        plan = build_plan(made(episodes=[episode(start=start)]))
        (only,) = plan.episodes
        assert only.onset == onset
        assert only.begin_ns == plan.reading_ns(onset, "inrow-13") - LEAD
        assert only.approach_ns == plan.reading_ns(onset - 1, "inrow-13") - LEAD
        assert only.end_ns == plan.reading_ns(onset + 2, "inrow-13") + TRAIL


@pytest.mark.parametrize(
    ("variant", "strength", "operation", "amounts"),
    [
        ("shift", {"size": -1.5}, "shift", [-1.5, -1.5, -1.5]),
        ("drift", {"size": 3.0}, "shift", [1.0, 2.0, 3.0]),
        ("scale", {"factor": 1.1}, "scale", [1.1, 1.1, 1.1]),
        ("replay", {"lag": 2}, "replay", [2.0, 2.0, 2.0]),
        ("freeze", {}, "freeze", [0.0, 0.0, 0.0]),
    ],
)
def test_modifications_act_on_every_reading(
    variant: str, strength: dict[str, float], operation: str, amounts: list[float]
) -> None:
    """Each variant has one act for each reading of each attacked sensor, with the requested strength."""
    (only,) = build_plan(made(episodes=[episode(variant=variant, **strength)])).episodes
    assert [(act.slot, act.sensor) for act in only.acts] == [
        (slot, sensor) for slot in (12, 13, 14) for sensor in (1, 4)
    ]
    assert {act.operation for act in only.acts} == {operation}
    assert [act.amount for act in only.acts if act.sensor == 1] == amounts


def test_removal_swallows_and_interception_only_reads() -> None:
    """A removal swallows every reading in its range; an interception has no acts."""
    (removal,) = build_plan(made(episodes=[episode(kind="removal")])).episodes
    assert [act.operation for act in removal.acts] == ["swallow"] * 6
    (interception,) = build_plan(made(episodes=[episode(kind="interception")])).episodes
    assert interception.acts == ()


@pytest.mark.parametrize("copies", [1, 3, 30])
@pytest.mark.parametrize("interval", [10, 300])
def test_copies_come_before_the_next_reading(copies: int, interval: int) -> None:
    """Any number of copies follow their reading in order and end before the next reading."""
    start = "01:00"
    plan = build_plan(
        made(
            interval_s=interval,
            episodes=[episode(kind="duplication", variant="burst", count=copies, start=start)],
        )
    )
    (only,) = plan.episodes
    for act in only.acts:
        before, after = (plan.reading_ns(slot, "inrow-13") for slot in (act.slot, act.slot + 1))
        times = [before, *act.times_ns, after]
        assert len(act.times_ns) == copies
        assert times == sorted(set(times))
    assert only.end_ns >= max(act.times_ns[-1] for act in only.acts) + TRAIL


def test_copies_keep_the_gap_a_scenario_names() -> None:
    """Copies of a burst are exactly the requested gap apart; a burst that does not fit before the next reading is refused."""

    def asking(gap_s: float) -> Plan:
        spec = episode(kind="duplication", variant="burst", count=4, gap_s=gap_s)
        return build_plan(made(episodes=[spec]))

    (only,) = asking(67.5).episodes
    for act in only.acts:
        assert {later - earlier for earlier, later in pairwise(act.times_ns)} == {67_500_000_000}
    with pytest.raises(
        InputError, match=r"key episodes\.0\.gap_s is 99: give at most 98\.7 s, so that 4 copies fit"
    ):
        asking(99)


def test_drawn_episodes_avoid_named_ones() -> None:
    """Drawn episodes keep their distance from named ones on the same unit."""
    named = [episode(day=2, start="12:00", readings=100)]
    plan = build_plan(
        made(units=UNITS[:1], drawn={"count": 10, "kinds": dict.fromkeys(PATH, 1)}, episodes=named)
    )
    assert len(plan.episodes) == 11
    taken = [
        slot
        for planned in plan.episodes
        for slot in range(planned.onset - 1, planned.onset + planned.readings)
    ]
    assert len(taken) == len(set(taken))


def test_kinds_come_in_proportion() -> None:
    """Weights 3 to 1 give shares 3 to 1, and a kind without a weight is never drawn."""
    plan = build_plan(made(drawn={"count": 12, "kinds": {"removal": 3, "duplication": 1}}))
    assert Counter(planned.kind for planned in plan.episodes) == {"removal": 9, "duplication": 3}


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_two_drawn_episodes_are_alike(seed: int) -> None:
    """Each combination of hour, target, kind and variant occurs at most once, so no two episodes differ by their day alone."""
    scenario = INTRUSIONS.model_copy(update={"seed": seed})
    places = Counter(
        (planned.onset % 288 // 12, planned.unit, planned.kind, planned.variant)
        for planned in build_plan(scenario).episodes
    )
    assert set(places.values()) == {1}


def test_kinds_a_machine_cannot_play_are_left_out() -> None:
    """When some kinds are left out, the other episodes keep their ids, times and acts."""
    whole, less = build_plan(WEEK), build_plan(WEEK, without=frozenset({"cable", "modification"}))
    assert {planned.kind for planned in whole.episodes} - {planned.kind for planned in less.episodes} == {
        "cable",
        "modification",
    }
    assert [planned for planned in whole.episodes if planned.kind not in ("cable", "modification")] == list(
        less.episodes
    )


def test_plan_survives_its_file(tmp_path: Path) -> None:
    """plan.json holds the whole plan; any other content is refused with the name of the file."""
    plan = build_plan(WEEK)
    path = tmp_path / "plan.json"
    path.write_text(plan.model_dump_json())
    assert Plan.load(path) == plan
    path.write_text("{}")
    with pytest.raises(InputError, match=r"plan\.json: key scenario: add it"):
        Plan.load(path)
    with pytest.raises(InputError, match=r"none\.json: name a run that has a plan\.json"):
        Plan.load(tmp_path / "none.json")
