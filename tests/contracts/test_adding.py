"""Episodes that are added to a plan: they have ids of their own, and everything else stays as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.test_plan import UNITS, WEEK, episode, made

from coldaisle_contracts.adding import add
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import PlaceError, build_plan, left_out, without_episodes
from coldaisle_contracts.scenario import Scenario

SHIFT = {"kind": "modification", "unit": "inrow-13", "readings": 3, "variant": "shift", "size": 4.0}
HOUR = 3600 * SECOND


def _with(scenario: Scenario, *added: dict[str, Any]) -> Scenario:
    return Scenario.model_validate({**scenario.model_dump(), "added": added})


def test_the_others_stay_as_they_are() -> None:
    """Drawn and named episodes keep ids, times, seeds and acts; added ones are a01, a02 in their own order, all in order of time."""
    late, early = (episode(day=1, start=start, unit="inrow-25") for start in ("22:00", "03:00"))
    before, after = build_plan(WEEK), build_plan(_with(WEEK, late, early))
    assert [planned for planned in after.episodes if planned.id[0] == "e"] == list(before.episodes)
    assert [planned.id for planned in after.episodes if planned.id[0] == "a"] == ["a02", "a01"]
    onsets = [planned.onset for planned in after.episodes]
    assert onsets == sorted(onsets)
    assert after == build_plan(_with(WEEK, late, early))
    assert after.continues(before)
    assert not before.continues(after)


def test_an_added_episode_is_that_of_a_scenario_that_names_it() -> None:
    """Parameters, acts and seed do not depend on how an episode came into the scenario."""
    (added,) = build_plan(made(added=[episode()])).episodes
    (named,) = build_plan(made(episodes=[episode()])).episodes
    assert added.model_copy(update={"id": named.id}) == named


def test_a_twin_leaves_an_added_episode_out() -> None:
    """By its id, like any other, and nothing else changes."""
    plan = build_plan(_with(WEEK, episode(day=1)))
    assert without_episodes(plan, ["a01"]).episodes == build_plan(WEEK).episodes


def test_a_scenario_without_added_episodes_does_not_mention_them() -> None:
    """Plan, digest and definition of all other runs are those of versions that knew of no added episodes."""
    plan = build_plan(WEEK)
    assert "added" not in json.loads(plan.model_dump_json())["scenario"]
    assert "added" not in WEEK.model_dump(mode="json")
    assert build_plan(_with(WEEK)).digest() == plan.digest()
    assert build_plan(_with(WEEK, episode(day=1))).digest() != plan.digest()


def test_a_plan_with_added_episodes_survives_its_file(tmp_path: Path) -> None:
    """plan.json holds them, and the plan that is built from the scenario in it is the same."""
    plan = build_plan(_with(WEEK, episode(day=1)))
    path = tmp_path / "plan.json"
    path.write_text(plan.model_dump_json())
    assert Plan.load(path) == plan == build_plan(Plan.load(path).scenario)


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"episodes": [episode()]}, "e01 on inrow-13"),
        ({"added": [episode()]}, "added.0 on inrow-13"),
    ],
)
def test_an_added_episode_that_overlaps_another_is_refused(others: dict[str, Any], named: str) -> None:
    """The sentence has its place, and the episode that it overlaps."""
    spec = episode(kind="removal", start="01:10")
    scenario = made(**others)
    place = f"added.{len(scenario.added)}"
    with pytest.raises(PlaceError, match=rf"key {place}\.start is '01:10:00': it overlaps {named}: leave"):
        build_plan(_with(scenario, *others.get("added", ()), spec))


def test_an_added_episode_that_overlaps_a_drawn_one_is_refused() -> None:
    """Drawn episodes do not make way."""
    drawn = build_plan(WEEK).episodes[0]
    slot = drawn.onset % 288
    start = f"{slot // 12:02d}:{slot % 12 * 5:02d}"
    spec = {"kind": "interception", "day": drawn.onset // 288 + 1, "start": start, "readings": 1}
    target = {"unit": drawn.unit} if drawn.unit != "broker" else {"kind": "eavesdropping"}
    with pytest.raises(PlaceError, match=f"overlaps {drawn.id} on {drawn.unit}"):
        build_plan(_with(WEEK, spec | target))


def test_added_frames_go_astray_only_to_hosts_that_stay() -> None:
    """An added cable that is pulled makes a stranger of a host to which another episode misdirects frames."""
    astray = episode(kind="tampering", variant="eth.dst", value=36)
    cable = {"kind": "cable", "unit": "inrow-15", "day": 2, "start": "05:00", "readings": 1}
    assert build_plan(made(episodes=[astray])).episodes[0].parameters["value"] == 36
    with pytest.raises(InputError, match=r"key episodes\.0\.value is 36: name the number of another"):
        build_plan(made(episodes=[astray], added=[cable]))
    with pytest.raises(InputError, match=r"key added\.0\.value is 36"):
        build_plan(made(episodes=[cable], added=[astray]))


PLAYABLE = sorted(
    name
    for name, kind in KINDS.items()
    if "tls" not in {demand.key for demand in kind.demands if True in demand.values}
)
"""The kinds that units without TLS can play."""


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLAYABLE), st.integers(0, 20 * HOUR), st.sampled_from([30, 300]))
def test_any_kind_begins_at_the_first_start_far_enough_ahead(
    kind: str, passed_ns: int, interval: int
) -> None:
    """Its preparation lies at the given time or later, on the given day, and the plan follows from its scenario."""
    plan = build_plan(made(interval_s=interval, units=UNITS[:2], drawn={"count": 6, "clean_days": 0}))
    row = KINDS[kind]
    wish: dict[str, Any] = {"kind": kind, "readings": 1 if row.brief else 4}
    wish |= {} if row.target == "broker" else {"unit": "inrow-15"}
    from_ns = plan.day_ns(1) + passed_ns
    fresh, added = add(plan, wish, 1, from_ns)
    assert added.approach_ns >= from_ns
    assert (added.id, added.kind, added.onset // plan.scenario.slots_per_day) == ("a01", kind, 1)
    assert fresh == build_plan(fresh.scenario)
    assert fresh.continues(plan)


def test_a_busy_target_is_waited_for() -> None:
    """Where another episode is under way, the added one begins after it."""
    plan = build_plan(made(episodes=[episode(start="01:00", readings=6)]))
    _, added = add(plan, SHIFT, 0, plan.reading_ns(13, "inrow-13"))
    assert added.onset == 12 + 6 + 2
    twice, second = add(add(plan, SHIFT, 0, plan.day_ns(0))[0], SHIFT, 0, plan.day_ns(0))
    assert (second.id, len(twice.scenario.added)) == ("a02", 2)


@pytest.mark.parametrize("intensity", [None, 0.5])
def test_a_variant_that_nobody_names_is_one_that_begins_soon(intensity: float | None) -> None:
    """A replay has to listen for a dozen slots first, and a freeze has no intensity: they are played where they are named."""
    plan = build_plan(made())
    wish = {"kind": "modification", "unit": "inrow-13", "readings": 2, "intensity": intensity}
    variants = set()
    for _ in range(30):
        plan, added = add(plan, wish, 0, plan.day_ns(0))
        variants.add(added.variant)
    scaled = {"shift", "scale", "drift", "noise"}
    assert variants == scaled | ({"freeze"} if intensity is None else set())
    replay, _ = add(build_plan(made()), wish | {"variant": "replay"}, 0, plan.day_ns(0))
    assert replay.scenario.added[0].variant == "replay"


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"kind": "sabotage"}, "inject: key kind is 'sabotage': use one of"),
        ({"unit": None}, "inject: key unit: add it, because modification attacks a unit"),
        ({"unit": "inrow-23"}, "this unit does not run: use inrow-13, inrow-15"),
        ({"variant": "wobble"}, "inject: key variant is 'wobble': use one of shift"),
        ({"size": 400.0}, "inject: key size is 400.0: give"),
        ({"readings": 0}, "inject: key readings is 0"),
        (
            {"readings": 280},
            "inject: key kind is 'modification': no room is left for it before the end of day 1",
        ),
    ],
)
def test_a_wish_that_cannot_be_is_refused(wish: dict[str, Any], sentence: str) -> None:
    """The sentence names the key, its value, and what would be right."""
    plan = build_plan(made(units=UNITS[:2]))
    with pytest.raises(InputError) as refused:
        add(plan, SHIFT | wish, 0, plan.day_ns(0) + 12 * HOUR)
    assert sentence in str(refused.value)


def test_a_kind_that_the_run_leaves_out_is_refused() -> None:
    """What the machine of the run could not play is not put in, and stays left out."""
    scenario = made(episodes=[episode(), episode(kind="removal", day=2)])
    plan = build_plan(scenario, without=frozenset({"modification"}))
    with pytest.raises(InputError, match="key kind is 'modification': this run leaves it out"):
        add(plan, SHIFT, 0, plan.day_ns(0))
    fresh, _ = add(plan, {"kind": "removal", "unit": "inrow-13", "readings": 2}, 0, plan.day_ns(0))
    assert left_out(fresh) == ("modification",)
