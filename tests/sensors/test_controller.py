"""The controller's loop, with a clock that stands still and links that answer at once."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_sensors import link as links
from coldaisle_sensors.controller import Controller
from coldaisle_sensors.link import BrokerLostError

if TYPE_CHECKING:
    from coldaisle_contracts.plan import Plan

UNIT = "inrow-13"
VALUES = [(10.0 + slot, 20.004, 30.0, 40.006) for slot in range(288)]


class _TickingClock(ManualClock):
    """A clock that moves on by itself whenever it is read, as waiting for a broker takes time."""

    def now_ns(self) -> int:
        self.advance(super().now_ns() + SECOND // 5)
        return super().now_ns()


class _TimeSync:
    """A correction of 7 ns that counts how often it was asked for."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.queries = clock, 0

    def query(self) -> None:
        self.queries += 1

    def stamp_ns(self) -> int:
        return self.clock.now_ns() + 7


class _Link:
    """A connection that acknowledges at once, or after it was lost and opened again."""

    def __init__(self, client: str, *, loses: int = 0, broker: bool = True) -> None:
        self.client, self.port, self.connected, self.lost = client, 40_000 + int(client), True, False
        self.acknowledged: set[int] = set()
        self.published: list[bytes] = []
        self.closed = False
        self._loses, self._broker = loses, broker

    def publish(self, payload: bytes) -> int:
        self.published.append(payload)
        mid = len(self.published)
        if mid == self._loses:
            self.connected, self.lost = False, True
        else:
            self.acknowledged.add(mid)
        return mid

    def open(self) -> None:
        if self._broker:
            self.port += 1000
            self.connected, self.lost = True, False
            self.acknowledged.add(len(self.published))

    def disconnect(self) -> None:
        self.closed = True


class _Scene:
    """A controller that plays a day of two hours, and what it wrote down."""

    def __init__(self, folder: Path, clock: ManualClock, **kinds: dict[str, Any]) -> None:
        scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 2}
        self.plan: Plan = build_plan(Scenario.model_validate(scenario))
        self.clock, self.timesync, self.links = clock, _TimeSync(clock), dict[str, _Link]()
        self._file, self._kinds = folder / "unit.jsonl", kinds
        self._journal = Journal(self._file, "day-1")

    def run(self) -> None:
        """Play the day."""
        args: Any = (UNIT, self.plan, VALUES, self.clock, self.timesync, self._journal, self._open)
        Controller(*args).run_day(0)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the journal's lines of an event."""
        self._journal.flush()
        return [
            line
            for text in self._file.read_text().splitlines()
            if (line := json.loads(text))["event"] == event
        ]

    def _open(self, client: str) -> _Link:
        self.links[client] = _Link(client, **self._kinds.get(f"sensor{client[-1]}", {}))
        return self.links[client]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "pump", lambda *_: None)


def test_every_slot_is_reported_by_every_sensor(tmp_path: Path) -> None:
    """Four sensors publish each slot's value, two decimals, and each reading is journalled once."""
    scene = _Scene(tmp_path, ManualClock())
    scene.run()
    readings = scene.lines("reading")
    slots = range(scene.plan.scenario.slots)
    assert sorted((line["slot"], line["client"]) for line in readings) == [
        (slot, f"13{sensor}") for slot in slots for sensor in (1, 2, 3, 4)
    ]
    assert scene.links["132"].published == [b"20.00"] * len(slots)
    assert [line["value"] for line in readings if line["slot"] == 3] == ["13.00", "20.00", "30.00", "40.01"]
    assert {line["attempts"] for line in readings} == {1}


def test_readings_are_taken_when_the_plan_says(tmp_path: Path) -> None:
    """A reading is taken at its slot's time and stamped with the corrected clock."""
    scene = _Scene(tmp_path, ManualClock())
    scene.run()
    for line in scene.lines("reading"):
        assert line["taken_ns"] == scene.plan.reading_ns(line["slot"], UNIT)
        assert line["stamp_ns"] == line["taken_ns"] + 7


def test_day_starts_with_connects_and_ends_with_disconnects(tmp_path: Path) -> None:
    """One connection a sensor: opened when the day begins, closed after its end, both journalled."""
    scene = _Scene(tmp_path, ManualClock())
    scene.run()
    expected = [(f"13{sensor}", 40_130 + sensor) for sensor in (1, 2, 3, 4)]
    for event, at_ns in (
        ("connect", scene.plan.connect_ns(0, UNIT)),
        ("disconnect", scene.plan.disconnect_ns(0, UNIT)),
    ):
        lines = scene.lines(event)
        assert [(line["client"], line["port"]) for line in lines] == expected
        assert {line["at_ns"] for line in lines} == {at_ns}
    assert all(link.closed for link in scene.links.values())


def test_time_is_asked_for_every_few_slots(tmp_path: Path) -> None:
    """NTP is queried once every ``ntp_every`` slots, from the first on."""
    scene = _Scene(tmp_path, ManualClock())
    scene.run()
    assert scene.timesync.queries == -(-scene.plan.scenario.slots // scene.plan.scenario.ntp_every)


def test_lost_connection_delivers_its_reading_on_the_next(tmp_path: Path) -> None:
    """A reading whose connection breaks is journalled once, on the new port, with a second attempt."""
    scene = _Scene(tmp_path, _TickingClock(), sensor2={"loses": 5})
    scene.run()
    lines = [line for line in scene.lines("reading") if line["client"] == "132"]
    assert [line["slot"] for line in lines] == list(range(scene.plan.scenario.slots))
    assert [line["slot"] for line in lines if line["attempts"] == 2] == [4]
    assert [line["port"] for line in lines[3:6]] == [40_132, 41_132, 41_132]


def test_broker_that_stays_away_ends_the_run(tmp_path: Path) -> None:
    """No broker for longer than the patience is an error with the sensor's client id, and no reading is claimed."""
    scene = _Scene(tmp_path, _TickingClock(), sensor3={"loses": 5, "broker": False})
    with pytest.raises(BrokerLostError, match="sensor 133 found no broker for 20 s"):
        scene.run()
    assert {line["slot"] for line in scene.lines("reading")} == {0, 1, 2, 3}
