"""Consequences in a closed loop: labeller and witness, each with a computation of its own, find the same ones."""

import random
from dataclasses import dataclass

import pytest

from coldaisle_analysis.truth.loop_traffic import NOMINAL, Cycle
from coldaisle_analysis.truth.loops import Course
from coldaisle_analysis.witness.loop_worlds import Worlds
from coldaisle_contracts.control import RETURN_AIR, Response, as_text
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

SITE = {
    "devices": [
        {"name": "crah-{number}", "address": 100, "topic": "hall/{number}/{sensor}"},
        {"kind": "controller", "address": 20},
    ]
}  # fmt: skip
CONTENT = {
    "name": "loop", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 4, "site": SITE,
}  # fmt: skip
LOOP = build_plan(Scenario.check(CONTENT, "loop.toml")).loops["crah-1"]
SLOTS = 200


@dataclass
class Played:
    """A loop that was played slot by slot: what the controller used in each slot, and what the unit measured."""

    cycles: list[Cycle]
    readings: list[tuple[int, ...]]


def play(attacks: dict[int, int | None], *, offline: frozenset[int] = frozenset(), seed: int = 3) -> Played:
    """Play a loop whose controller uses another return air in some slots, in 0.01 °C; ``None`` for no reading at all.

    Args:
        attacks: by slot, what is added to the reading on its way, or ``None`` where it is removed.
        offline: slots whose command does not reach the unit.
        seed: seed of the noise.
    """
    rng, law = random.Random(seed), LOOP.law  # noqa: S311 - a simulation, not a secret
    state, response, in_force, point = law.start(), Response(), NOMINAL, law.nominal
    cycles, readings = [], []
    for slot in range(SLOTS):
        if slot:
            response = response.after(point - law.nominal, LOOP.interval_s)
        noise = round(rng.gauss(0, 15))
        usual = [round(100 * median) + noise for median in LOOP.unit.medians]
        readings.append(tuple(a + b for a, b in zip(usual, response.at_sensors(LOOP.ratio), strict=True)))
        celsius = readings[-1][RETURN_AIR - 1]
        change = attacks.get(slot, 0)
        used = None if change is None else celsius + change
        state = law.next(state, used)
        blamed = "" if change == 0 else f"e{slot}"
        cycles.append(Cycle(slot, used, (slot, celsius), blamed, in_force, as_text(state.set_point), [slot]))
        if slot not in offline:
            in_force, point = slot, state.set_point
    return Played(cycles, readings)


def by_labeller(played: Played) -> tuple[dict[tuple[int, int], str], dict[int, str], list[str]]:
    """Return the readings and commands that differ, with their episodes, and what is broken, as the labeller finds it."""
    course, readings, commands = Course(LOOP, {}), dict[tuple[int, int], str](), dict[int, str]()
    for cycle in played.cycles:
        readings |= {(cycle.slot, sensor): course.blamed for sensor in course.differing(cycle)}
        if course.commands(cycle):
            commands[cycle.slot] = course.blamed
    return readings, commands, course.broken


def by_witness(played: Played) -> tuple[dict[tuple[int, int], str], dict[int, str], list[str]]:
    """Return the same as the witness finds it."""
    worlds, readings, commands = Worlds(LOOP, {}), dict[tuple[int, int], str](), dict[int, str]()
    for cycle in played.cycles:
        if cycle.in_force != NOMINAL:
            worlds.get(cycle.in_force)
        readings |= {(cycle.slot, sensor): worlds.blamed for sensor in worlds.take(cycle.slot)}
        assert cycle.published is not None
        worlds.send(*cycle.published, cycle.blamed)
        if cycle.used is not None:
            worlds.hear(cycle.used, "")
        if worlds.command(cycle.slot, round(100 * float(cycle.set_point))):
            commands[cycle.slot] = worlds.blamed
    return readings, commands, worlds.doubts


@pytest.mark.parametrize(
    ("attacks", "offline"),
    [
        ({20: -300, 21: -300, 22: -300}, frozenset()),
        ({20: None, 21: None}, frozenset()),
        ({20: 500, 60: None, 61: -40}, frozenset({21, 62})),
        ({slot: (-1) ** slot * 90 for slot in range(5, 100, 3)}, frozenset({30, 31})),
    ],
)  # fmt: skip
def test_both_find_what_a_play_without_attacks_shows(
    attacks: dict[int, int | None], offline: frozenset[int]
) -> None:
    """The readings and commands found are those that differ from the same hours without attacks, no more and no less."""
    attacked, clean = play(attacks, offline=offline), play({}, offline=offline)
    readings, commands, broken = by_labeller(attacked)
    assert (readings, commands, broken) == by_witness(attacked)
    assert broken == []
    assert set(readings) == {
        (slot, sensor + 1)
        for slot in range(SLOTS)
        for sensor in range(4)
        if attacked.readings[slot][sensor] != clean.readings[slot][sensor]
    }
    assert set(commands) == {
        slot for slot in range(SLOTS) if attacked.cycles[slot].set_point != clean.cycles[slot].set_point
    }
    assert len(commands) > 5
    assert set(commands.values()) <= {f"e{slot}" for slot in attacks}


def test_without_attacks_nothing_differs() -> None:
    """A loop whose unit misses commands and whose readings are noisy has no consequences."""
    played = play({}, offline=frozenset({4, 50, 51}))
    assert by_labeller(played) == by_witness(played) == ({}, {}, [])


def test_the_consequences_die_out() -> None:
    """The loop forgets an attack: hours later nothing differs any more."""
    readings, commands, _ = by_labeller(play({20: -300}))
    assert max(slot for slot, _ in readings) < 150
    assert max(commands) < 150


def test_the_later_attack_is_blamed() -> None:
    """While the loop still recovers from one attack, another one that changes its input takes over."""
    _, commands, _ = by_labeller(play({20: -300, 30: 200}))
    assert {slot: commands[slot] for slot in (20, 29, 30, 40)} == {20: "e20", 29: "e20", 30: "e30", 40: "e30"}


@pytest.mark.parametrize("find", [by_labeller, by_witness])
def test_a_command_that_does_not_follow_is_reported(find: object) -> None:
    """Another set point than the law gives, and an input that nothing explains, are sentences."""
    assert callable(find)
    played = play({})
    played.cycles[7].set_point = "12.34"
    (sentence,) = find(played)[2]
    assert "12.34" in sentence
    assert "slot 7" in sentence
    played = play({20: -300})
    played.cycles[20].blamed = ""
    assert "no attack" in find(played)[2][0]
