"""Each frame that arrives at the attacker goes to the path that it belongs to."""

from pathlib import Path

import pytest
from tests.injector.made import UNIT, episode, publish, segment
from tests.published import UNITS

from coldaisle_contracts.adding import add
from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.clock import ManualClock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan_changes import LOOK_NS, PlanChanges
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.shard import Shard
from coldaisle_injector import frames
from coldaisle_injector.catalogue import OnPath, attack_for
from coldaisle_injector.schedule import Schedule
from coldaisle_injector.segments import Segment, readdress


class _Wire:
    """Keeps the sent frames."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


class _Seat(ManualClock):
    """A federate without a timekeeper."""

    wall = 0

    def both_ns(self) -> tuple[int, int]:
        return self.now_ns(), self.wall


@pytest.mark.parametrize(
    ("unit", "port", "passed"),
    [(UNIT, 1883, True), (UNIT, 8883, True), (UNITS["inrow-25"], 1883, False)],
)
def test_a_frame_passes_only_between_a_unit_of_the_plan_and_the_broker(
    tmp_path: Path, unit: object, port: int, passed: bool
) -> None:
    """A unit's frames pass on the MQTT port and on any other; frames of a host outside the scenario do not pass."""
    scenario = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    plan = build_plan(Scenario.model_validate({**scenario, "units": (UNIT.name,)}))
    wire = _Wire()
    journal = Journal(tmp_path / "injector.jsonl", "day-1")
    schedule = Schedule(plan, Shard((0,)), wire, _Seat(), journal)  # type: ignore[arg-type]
    frame = bytearray(segment(publish("15.54", 1), source=UNIT).frame)
    frame[26:30] = bytes(map(int, unit.ip.split(".")))  # type: ignore[attr-defined]
    frame[36:38] = port.to_bytes(2, "big")
    schedule.handle(readdress(bytes(frame), UNIT.mac, INJECTOR.mac))
    targets = [read.target for sent in wire.sent if (read := Segment.read(sent))]
    assert targets == ([BROKER.ip] if passed else [])


@pytest.mark.parametrize(
    ("units", "elsewhere"),
    [((UNIT.name,), (INJECTOR,)), ((UNIT.name, "inrow-15", "inrow-25"), (UNITS["inrow-25"],))],
)
def test_frames_go_astray_only_to_hosts_a_bridge_knows(
    tmp_path: Path, units: tuple[str, ...], elsewhere: tuple[Host, ...]
) -> None:
    """Misdirected frames go to units whose cable stays plugged in, else to the attacker's own host."""
    cable = {"kind": "cable", "unit": "inrow-15", "day": 1, "start": "00:20", "readings": 1}
    scenario = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    episodes = [cable] if "inrow-15" in units else []
    plan = build_plan(Scenario.model_validate({**scenario, "units": units, "episodes": episodes}))
    journal = Journal(tmp_path / "injector.jsonl", "day-1")
    schedule = Schedule(plan, Shard((0,)), _Wire(), _Seat(), journal)  # type: ignore[arg-type]
    assert schedule._paths[UNIT.ip].elsewhere == elsewhere


def test_an_episode_that_is_added_gets_its_script(tmp_path: Path) -> None:
    """The attacker takes in what it plays itself on the days of its shard; frames then go astray only to hosts that stay."""
    scenario = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 48}
    plan = build_plan(Scenario.model_validate({**scenario, "time": "real"}))
    path, seat = tmp_path / "plan.json", _Seat()
    path.write_text(plan.model_dump_json())
    journal, changes = Journal(tmp_path / "injector.jsonl", "day-1"), PlanChanges.of(path, plan)
    schedule = Schedule(plan, Shard(range(1)), _Wire(), seat, journal, changes)  # type: ignore[arg-type]
    seat.wall = LOOK_NS
    schedule._times.look()
    assert not schedule._take_in()
    cable = {"kind": "cable", "unit": "inrow-15", "readings": 1}
    fresh, _ = add(plan, cable, 0, plan.day_ns(0))
    fresh, _ = add(fresh, {"kind": "removal", "unit": UNIT.name, "readings": 2}, 1, plan.day_ns(1))
    fresh, mine = add(fresh, {"kind": "removal", "unit": UNIT.name, "readings": 2}, 0, plan.day_ns(0))
    path.write_text(fresh.model_dump_json())
    assert not schedule._take_in(), "it looks twice a second, not with every frame"
    seat.wall += LOOK_NS
    schedule._times.look()
    assert schedule._take_in()
    assert len(schedule._scripts._timed) == 1
    assert schedule._scripts.next_ns == mine.approach_ns
    assert UNITS["inrow-15"] not in schedule._paths[UNIT.ip].elsewhere
    assert UNITS["inrow-25"] in schedule._paths[UNIT.ip].elsewhere


def test_question_about_the_attackers_own_host_reaches_the_paths_too(tmp_path: Path) -> None:
    """A broadcast question of the broker for the attacker repairs a poisoned unit's cache, so the paths receive it as well as the tap."""
    scenario = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    plan = build_plan(Scenario.model_validate({**scenario, "units": (UNIT.name,)}))
    wire = _Wire()
    journal = Journal(tmp_path / "injector.jsonl", "day-1")
    schedule = Schedule(plan, Shard((0,)), wire, _Seat(), journal)  # type: ignore[arg-type]
    question = frames.arp_claim(BROKER.mac, (INJECTOR.ip, "ff:ff:ff:ff:ff:ff"), BROKER.ip)
    schedule.handle(question)
    assert not wire.sent
    spied = episode(kind="interception")
    attack = attack_for(spied)
    assert isinstance(attack, OnPath)
    schedule._paths[UNIT.ip].approach(spied, attack)
    wire.sent.clear()
    schedule.handle(question)
    schedule.handle(question, outgoing=True)
    assert len(wire.sent) == 2
