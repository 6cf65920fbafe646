"""Chains of episodes: their steps in the plan, and the sentences that refuse one."""

import json
from pathlib import Path

import pytest

from coldaisle_contracts.adding import add
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan, without_episodes
from coldaisle_contracts.scenario import Scenario, load_scenario

BASE = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
SCAN = {"kind": "port-scan", "day": 1, "start": "22:50:00", "readings": 1}
GUESS = {"kind": "brute-force", "after_min": 65, "readings": 1}
STEAL = {"kind": "takeover", "after_min": 30.5, "unit": "inrow-13", "readings": 2, "sensors": [2]}
REMOVAL = {"kind": "removal", "unit": "inrow-15", "day": 1, "start": "23:00:00", "readings": 2}


def planned(*steps: object, **more: object) -> Plan:
    """Return the plan of a scenario with one chain."""
    chains = [{"name": "break-in", "steps": list(steps)}]
    return build_plan(Scenario.check({**BASE, "chains": chains, **more}, "made.toml"), "made.toml")


def test_steps_follow_each_other() -> None:
    """A step begins its minutes after the start of the step before, across midnight, at the next slot; ids go by time."""
    plan = planned(SCAN, GUESS, STEAL, episodes=[REMOVAL])
    found = [
        (episode.id, episode.kind, episode.onset, episode.chain, episode.step) for episode in plan.episodes
    ]
    assert found == [
        ("e01", "port-scan", 274, "break-in", 1),
        ("e02", "removal", 276, "", 0),
        ("e03", "brute-force", 287, "break-in", 2),
        ("e04", "takeover", 294, "break-in", 3),
    ]
    assert plan.steps == {"e01": ("break-in", 1), "e03": ("break-in", 2), "e04": ("break-in", 3)}


def test_a_chain_is_only_names_beside_its_episodes() -> None:
    """The same episodes without a chain have the same acts; the plan says nothing of chains where there is none."""
    chained = planned(SCAN, {**GUESS, "after_min": 20})
    plain = build_plan(
        Scenario.check({**BASE, "episodes": [SCAN, {"kind": "brute-force", "day": 1, "start": "23:10:00", "readings": 1}]}, "made.toml")
    )  # fmt: skip
    bare = [episode.model_copy(update={"chain": "", "step": 0}) for episode in chained.episodes]
    assert bare == list(plain.episodes)
    assert not {"chain", "chains", "step"} & set(json.loads(plain.model_dump_json())["episodes"][0])
    assert "chains" not in json.loads(plain.model_dump_json())["scenario"]


def test_a_plan_with_a_chain_is_read_again(tmp_path: Path) -> None:
    """What plan.json holds is the plan, and its scenario gives it again."""
    plan = planned(SCAN, GUESS, STEAL)
    (tmp_path / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    again = Plan.load(tmp_path / "plan.json")
    assert (again, build_plan(again.scenario).digest()) == (plan, plan.digest())


def test_steps_keep_their_numbers() -> None:
    """A kind that is left out, an episode that is left out, and an added one change no step of the others."""
    plan = planned(SCAN, GUESS, STEAL)
    without = build_plan(plan.scenario, without=frozenset({"brute-force"}))
    assert [(episode.kind, episode.step) for episode in without.episodes] == [
        ("port-scan", 1),
        ("takeover", 3),
    ]
    assert without_episodes(plan, ["e01"]).steps == {"e02": ("break-in", 2), "e03": ("break-in", 3)}
    wish = {"kind": "removal", "unit": "inrow-25", "readings": 2}
    grown, added = add(plan, wish, 0, plan.reading_ns(200, "inrow-13"))
    assert (added.chain, grown.steps) == ("", plan.steps)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([SCAN], "key chains.0.steps is 1: give two steps or more: one alone is an episode"),
        ([GUESS, SCAN], "key chains.0.steps.0.after_min is 65: give day and start instead, because no step is before it"),
        ([SCAN, {**GUESS, "day": 1}], "key chains.0.steps.1.after_min is 65: remove it or day: either gives the time of the step"),
        ([SCAN, {**GUESS, "after_min": 0}], "key chains.0.steps.1.after_min is 0: give minutes, more than 0 and at most 132480"),
        ([SCAN, {**GUESS, "after_min": True}], "key chains.0.steps.1.after_min is True: give minutes, more than 0 and at most 132480"),
        ([SCAN, {**GUESS, "after_min": 3000}], "key chains.0.steps.1.day and .start is '4, 00:50:00': it lies outside of the run of 48 h: start earlier"),
        ([{**SCAN, "start": "late"}, GUESS], "key chains.0.steps.0.start is 'late': write a local time of day such as 01:30:00"),
        ([{"kind": "port-scan", "readings": 1}, GUESS], "key chains.0.steps.0.day: add it, because it is required"),
        ([SCAN, SCAN], "key chains.0.steps.1.start is '22:50:00': start later than the step before: the steps are in order of time"),
        ([SCAN, {**REMOVAL, "kind": "reboot", "readings": 1}], "key chains.0.steps.1.kind is 'reboot': name an attack: a chain has no benign step"),
        ([SCAN, {**GUESS, "after_min": 5}], "key chains.0.steps.1.start is '22:55:00': it overlaps chains.0.steps.0 on broker: leave two intervals of 300 s between them"),
    ],
)  # fmt: skip
def test_bad_chains_are_refused(steps: list[object], sentence: str) -> None:
    """One sentence with key, value and remedy."""
    with pytest.raises(InputError) as caught:
        planned(*steps)
    assert str(caught.value) == f"made.toml: {sentence}"


def test_names_are_unique() -> None:
    """Two chains of one name could not be told apart in the labels."""
    later = [{**SCAN, "day": 2}, GUESS]
    chains = [{"name": "a", "steps": [SCAN, GUESS]}, {"name": "a", "steps": later}]
    with pytest.raises(InputError, match=r"key chains\.name is 'a': two chains have this name"):
        Scenario.check({**BASE, "chains": chains}, "made.toml")


def test_the_shipped_chain_is_one() -> None:
    """scenarios/chain.toml goes from the scan to the false data."""
    plan = build_plan(load_scenario(Path(__file__).parents[2] / "scenarios" / "chain.toml"))
    kinds = [episode.kind for episode in plan.episodes if episode.chain == "break-in"]
    assert kinds == ["port-scan", "brute-force", "takeover", "false-data"]
