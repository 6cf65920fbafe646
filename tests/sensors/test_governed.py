"""A unit that a controller governs: its temperatures follow the set points, by the model's energy balance."""

from pathlib import Path

import pytest

from coldaisle_contracts.clock import ManualClock
from coldaisle_contracts.control import Response
from coldaisle_contracts.journal import Journal, payload_digest, read_journal
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_sensors.governed import Governed
from coldaisle_sensors.link import Link

DEVICES = [
    {"name": "crah-{number}", "address": 100, "topic": "hall/{number}/{sensor}", "medians": [10.0, 15.0, 20.0, 30.0]},
    {"kind": "controller", "address": 20},
]  # fmt: skip
PLAN = build_plan(
    Scenario.check(
        {
            "name": "loop", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 4,
            "site": {"devices": DEVICES},
            "episodes": [{"kind": "stuck-sensor", "unit": "crah-1", "day": 1, "start": "00:15:00", "readings": 2, "sensors": [4]}],
        },
        "loop.toml",
    )
)  # fmt: skip
LOOP = PLAN.loops["crah-1"]
USUAL = (10.0, 15.0, 20.0, 30.0)


class Unit:
    """A unit that is governed, at its medians but for set points."""

    def __init__(self, folder: Path, episodes: tuple[Episode, ...] = ()) -> None:
        self.path = folder / "crah-1.jsonl"
        self.journal = Journal(self.path, "day-1")
        self.governed = Governed(LOOP, lambda: episodes, ManualClock(7), self.journal)
        self.link = Link("10", "10-v2", 3600, lambda _: None, "127.0.0.1", 1)

    def command(self, payload: bytes) -> None:
        """Let a command come."""
        self.governed.on_message(self.link, LOOP.topic, payload, 1)

    def readings(self, slot: int) -> list[float]:
        """Return what the four sensors measure in a slot, in °C."""
        self.governed.wake(slot)
        return [float(self.governed.measured(slot, sensor, usual)) for sensor, usual in enumerate(USUAL, 1)]


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    """A unit on a new day."""
    return Unit(tmp_path)


def test_a_day_starts_at_rest(unit: Unit) -> None:
    """Without a command a unit measures what it would measure ungoverned."""
    assert [unit.readings(slot) for slot in range(3)] == [list(USUAL)] * 3


def test_supply_air_follows_the_set_point_and_return_air_the_supply_air(unit: Unit) -> None:
    """From the slot after the command on supply air moves to it, return air behind; coolant keeps the energy balance."""
    unit.readings(0)
    unit.command(b"18.00")
    courses = [unit.readings(slot) for slot in range(1, 25)]
    _, _, supplies, returns = zip(*courses, strict=True)
    assert list(supplies) == sorted(supplies, reverse=True)
    assert list(returns) == sorted(returns, reverse=True)
    for coolant_in, coolant_out, supply, returned in courses:
        assert coolant_in == 10.0
        assert coolant_out - coolant_in == pytest.approx(LOOP.ratio * (returned - supply), abs=0.011)
    assert courses[0][2] - 20.0 == pytest.approx(-2.0 * (1 - 2.718281828 ** (-300 / 120)), abs=0.01)
    assert courses[0][1] > 15.0
    assert courses[-1] == [10.0, 15.0, 18.0, 28.0]


def test_a_command_is_journalled_as_it_came(unit: Unit) -> None:
    """The line has client id, name on the wire, topic, digest and time; a command that is no number changes nothing."""
    unit.readings(0)
    unit.command(b"warmer")
    unit.journal.close()
    (line,) = read_journal(unit.path)
    assert {key: line[key] for key in ("event", "client", "name", "topic", "qos", "digest", "size", "at_ns")} == {
        "event": "received", "client": "10", "name": "10-v2", "topic": "IoT/set/crah-1", "qos": 1,
        "digest": payload_digest(b"warmer"), "size": 6, "at_ns": 7,
    }  # fmt: skip
    assert unit.readings(1) == list(USUAL)


def test_a_stuck_sensor_does_not_follow(tmp_path: Path) -> None:
    """While it is stuck the return air shows the response of the slot before; the other sensors follow the set point."""
    unit = Unit(tmp_path, PLAN.episodes)
    unit.readings(0)
    unit.command(b"19.00")
    before = unit.readings(1), unit.readings(2)
    stuck = unit.readings(3), unit.readings(4)
    assert [row[3] for row in stuck] == [before[1][3]] * 2
    assert stuck[1][2] < before[1][2]
    assert unit.readings(5)[3] < before[1][3] - 0.1


def test_the_response_is_that_of_the_shared_function(unit: Unit) -> None:
    """Labels and witness compute the same numbers, to the hundredth of a °C, from the set points alone."""
    unit.readings(0)
    response = Response()
    for slot, set_point in enumerate((1900, 1850, 2111, 2300), 1):
        unit.command(f"{set_point / 100:.2f}".encode())
        response = response.after(set_point - LOOP.law.nominal, LOOP.interval_s)
        added = response.at_sensors(LOOP.ratio)
        expected = [usual + by / 100 for usual, by in zip(USUAL, added, strict=True)]
        assert unit.readings(slot) == pytest.approx(expected, abs=1e-9)
