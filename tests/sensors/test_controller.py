"""The controller's loop, with a clock that stands still and links that answer at once."""

from pathlib import Path

import pytest
from tests.sensors.made import UNIT, Scene, TickingClock, plan_of

from coldaisle_contracts.adding import add
from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_sensors import link as links
from coldaisle_sensors.link import BrokerLostError


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "pump", lambda *_: False)


def test_every_slot_is_reported_by_every_sensor(tmp_path: Path) -> None:
    """Four sensors publish a value with two decimals in each slot, and each reading has one journal line."""
    scene = Scene(tmp_path, ManualClock())
    scene.run()
    readings = scene.lines("reading")
    slots = range(scene.plan.scenario.slots)
    assert sorted((line["slot"], line["client"]) for line in readings) == [
        (slot, f"13{sensor}") for slot in slots for sensor in (1, 2, 3, 4)
    ]
    assert scene.link("132").published == [b"20.00"] * len(slots)
    assert [line["value"] for line in readings if line["slot"] == 3] == ["13.00", "20.00", "30.00", "40.01"]
    assert {line["attempts"] for line in readings} == {1}
    assert all(line["name"] == line["client"] for line in readings)
    assert {line["episode"] for line in readings} == {""}


def test_readings_are_taken_when_the_plan_says(tmp_path: Path) -> None:
    """A reading is taken at its slot's time and stamped with the corrected clock."""
    scene = Scene(tmp_path, ManualClock())
    scene.run()
    for line in scene.lines("reading"):
        assert line["taken_ns"] == scene.plan.reading_ns(line["slot"], UNIT)
        assert line["stamp_ns"] == line["taken_ns"] + 7


def test_an_episode_that_is_added_while_the_day_is_played_is_played(tmp_path: Path) -> None:
    """A unit takes in its own episode, and leaves that of another unit, and one of the attacker, alone."""
    path = tmp_path / "plan.json"

    class Clock(ManualClock):
        def advance(self, to_ns: int) -> None:
            super().advance(to_ns)
            if not path.exists() or to_ns > plan.reading_ns(3, UNIT) >= before[-1]:
                path.with_suffix(".new").write_text((fresh if path.exists() else plan).model_dump_json())
                path.with_suffix(".new").replace(path)
            before.append(to_ns)

    before = [0]
    plan = plan_of(time="real")
    fresh, from_ns = plan, plan.reading_ns(3, UNIT) + 5 * SECOND
    for wish in (
        {"kind": "door", "unit": UNIT, "readings": 2, "size": 3.0},
        {"kind": "door", "unit": "inrow-15", "readings": 2},
        {"kind": "modification", "unit": UNIT, "readings": 2},
    ):
        fresh, _ = add(fresh, wish, 0, from_ns)
    scene = Scene(tmp_path, Clock(plan.start_ns), plan, changes=PlanChanges.of(path, plan))
    scene.run()
    assert [(line["episode"], line["phase"]) for line in scene.lines("episode")] == [
        ("a01", "begin"),
        ("a01", "end"),
    ]
    assert [line["slot"] for line in scene.lines("reading") if line["episode"] == "a01"] == [4] * 4 + [5] * 4


def test_a_reading_names_the_query_its_stamp_relies_on(tmp_path: Path) -> None:
    """A reading names the last answered query, or -1 if there was none."""
    scene = Scene(tmp_path, ManualClock(), plan_of(ntp_every=5))
    scene.run()
    assert [line["synced"] for line in scene.lines("reading") if line["client"] == "131"] == [
        slot // 5 * 5 for slot in range(24)
    ]
    silent = Scene(tmp_path, ManualClock())
    silent.server.silent = True
    silent.run()
    assert {line["synced"] for line in silent.lines("reading")} == {-1}


def test_day_starts_with_connects_and_ends_with_disconnects(tmp_path: Path) -> None:
    """Each sensor has one connection, opened when the day begins and closed after its end, with a line for both."""
    scene = Scene(tmp_path, ManualClock())
    scene.run()
    shared = {"shard": "day-1", "episode": ""}
    assert scene.lines("connect", "disconnect") == [
        {"event": event, "client": f"13{n}", "name": f"13{n}", "port": 40_130 + n, "at_ns": at_ns}
        | {"reason": reason}
        | shared
        | more
        for event, at_ns, reason, more in (
            ("connect", scene.plan.connect_ns(0, UNIT), "start", {"was": 0}),
            ("disconnect", scene.plan.disconnect_ns(0, UNIT), "end", {}),
        )
        for n in (1, 2, 3, 4)
    ]
    assert {link.ending for link in scene.links} == {"disconnected"}
    assert {link.keepalive_s for link in scene.links} == {scene.plan.scenario.keepalive_s}


def test_time_is_asked_for_every_few_slots(tmp_path: Path) -> None:
    """NTP is queried once per ``ntp_every`` slots, from the first slot on, and the line names the slot."""
    scene = Scene(tmp_path, ManualClock())
    scene.run()
    assert scene.server.queries == -(-scene.plan.scenario.slots // scene.plan.scenario.ntp_every)
    assert [line["slot"] for line in scene.lines("time")] == list(range(0, 24, 4))


def test_lost_connection_delivers_its_reading_on_the_next(tmp_path: Path) -> None:
    """A reading whose connection breaks has one line, with the new port and a second attempt."""
    scene = Scene(tmp_path, TickingClock(), sensor2={"loses": 5})
    scene.run()
    lines = [line for line in scene.lines("reading") if line["client"] == "132"]
    assert [line["slot"] for line in lines] == list(range(scene.plan.scenario.slots))
    assert [line["slot"] for line in lines if line["attempts"] == 2] == [4]
    assert [line["port"] for line in lines[3:6]] == [40_132, 41_132, 41_132]
    again = scene.lines("connect")[4]
    assert (again["reason"], again["was"], again["port"], again["episode"]) == ("lost", 40_132, 41_132, "")


def test_broker_that_stays_away_ends_the_run(tmp_path: Path) -> None:
    """If the broker is away for too long, an error names the client id, and the reading has no line."""
    scene = Scene(tmp_path, TickingClock(), sensor3={"loses": 5, "broker": False})
    with pytest.raises(BrokerLostError, match="sensor 133 found no broker for 20 s"):
        scene.run()
    assert {line["slot"] for line in scene.lines("reading")} == {0, 1, 2, 3}
    attempts = [line["port"] for line in scene.lines("connect") if line["client"] == "133"]
    assert len(attempts) > 10, "a failed attempt has a line, too"
    assert attempts == sorted(set(attempts))


def test_connection_broken_between_readings_is_made_anew_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit notices the loss when it wakes: the reading goes over the new connection and needs no second attempt."""
    scene = Scene(tmp_path, ManualClock())
    broken: list[int] = []

    def pump(*_: object) -> bool:
        if scene.clock.now_ns() == scene.plan.reading_ns(3, UNIT) and not broken:
            scene.link("133").break_off()
            broken.append(3)
        return False

    monkeypatch.setattr(links, "pump", pump)
    scene.run()
    lines = [line for line in scene.lines("reading") if line["client"] == "133"]
    assert [line["port"] for line in lines[:5]] == [40_133] * 3 + [41_133] * 2
    assert {line["attempts"] for line in lines} == {1}
    (again,) = [line for line in scene.lines("connect") if line["reason"] == "lost"]
    assert again["at_ns"] == scene.plan.reading_ns(3, UNIT)
    assert (again["client"], again["was"]) == ("133", 40_133)


def test_connection_gone_at_the_end_of_the_day_is_not_closed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection lost after the last reading has no disconnect line; the others have one."""
    scene = Scene(tmp_path, ManualClock())

    def pump(*_: object) -> bool:
        if scene.clock.now_ns() == scene.plan.disconnect_ns(0, UNIT):
            scene.link("131").break_off()
        return False

    monkeypatch.setattr(links, "pump", pump)
    scene.run()
    assert [line["client"] for line in scene.lines("disconnect")] == ["132", "133", "134"]
    assert len(scene.lines("connect")) == 4
