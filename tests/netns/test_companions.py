"""Companions beside attacked units: meters, doors, a leak detector, and two kinds of a package; each frame and message is accounted for."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.made_package import Packages
from tests.netns.observe import disagreements, play

from coldaisle_analysis import witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, semantic_digest, settle
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

pytestmark = pytest.mark.netns
ROWS = """
from coldaisle_contracts.devices import DeviceKind, DeviceParameter
FAN = DeviceKind("fan", "a fan", module="fan.play", interval_s=20.0,
                 parameters=(DeviceParameter("rpm", 1200.0, "mean speed", "1/min", 100.0, 9000.0),))
PANEL = DeviceKind("panel", "a listener", module="fan.panel", each=0, versions=("5",))
"""
PLAY = """
from coldaisle_sensors.devices.base import BaseDevice
class Device(BaseDevice):
    def on_time(self, number):
        self.publish(b"%d" % self.rng.gauss(self.number("rpm"), 15))
"""
PANEL = """
from coldaisle_sensors.devices.base import BaseDevice
class Device(BaseDevice):
    def subscriptions(self):
        return [("#", 2)]
"""
DEVICES = [
    {"name": "inrow-{number}", "number": 13, "count": 2, "address": 41},
    {"kind": "power-meter", "address": 200, "version": "5", "qos": 1, "interval_s": 120.0, "jitter_s": 3.0},
    {"kind": "door-contact", "address": 210, "count": 2, "per_day": 300.0, "keepalive_s": 60},
    {"kind": "leak-detector", "address": 220, "per_day": 40.0, "lasts_s": 120.0},
    {"kind": "fan", "address": 230, "interval_s": 300.0},
    {"kind": "panel", "address": 231},
]
RARE = [
    {"name": "inrow-{number}", "number": 13, "address": 41},
    {"kind": "power-meter", "address": 200, "qos": 1, "interval_s": 7200.0, "jitter_s": 3.0},
    {"kind": "door-contact", "address": 210, "per_day": 20.0, "keepalive_s": 20_000},
    {"kind": "panel", "address": 231, "keepalive_s": 20_000},
]
EPISODES = [
    {
        "kind": "modification",
        "unit": "inrow-13",
        "day": 1,
        "start": "00:20",
        "readings": 2,
        "variant": "scale",
    },
    {"kind": "eavesdropping", "day": 1, "start": "00:40", "readings": 2},
]


def played(stage: Path, *, shards: int = 1, **more: Any) -> tuple[Plan, Account]:
    """Play a scenario with the companions."""
    base = {"name": "made", "seed": 3, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    plan = build_plan(
        Scenario.model_validate({**base, "site": {"devices": DEVICES}, "episodes": EPISODES, **more})
    )
    return plan, play(plan, stage, shards)


@pytest.fixture(autouse=True)
def _installed(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the package on the path of this process and of the programs of a run."""
    points = {"coldaisle.devices": {"fan": "fan:FAN", "panel": "fan:PANEL"}}
    packages.install("fan", points, {"fan/__init__.py": ROWS, "fan/play.py": PLAY, "fan/panel.py": PANEL})
    monkeypatch.setenv("PYTHONPATH", packages.env()["PYTHONPATH"])


def test_every_frame_and_message_is_accounted_for(tmp_path: Path) -> None:
    """The ledger settles, the witness agrees, frames of companions are normal, and a line that is removed is missed by both."""
    stage = tmp_path / "run"
    plan, account = played(stage)
    assert ledger.check(stage, account) == []
    assert disagreements(account) == []
    evidence = account.evidence
    addresses = [companion.host.ip for companion in plan.companions.values()]
    theirs = evidence.trace.packets["ip_src"].isin(addresses) | evidence.trace.packets["ip_dst"].isin(
        addresses
    )
    assert theirs.sum() > 500
    assert not account.join.table["label"][theirs.to_numpy()].any()
    heard = evidence.received[evidence.received["host"] == "panel-1"]
    assert set(evidence.published["topic"]) | {"IoT"} == set(heard["topic"])
    assert len(heard) >= len(evidence.published) + len(account.readings)
    for host, event in (("fan-1", "message"), ("panel-1", "received")):
        path = stage / "journal" / f"{host}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        last = max(place for place, line in enumerate(lines) if json.loads(line)["event"] == event)
        path.write_text("".join(lines[:last] + lines[last + 1 :]), encoding="utf-8")
        assert any(host in sentence for sentence in ledger.check(stage, settle(stage)))
        assert any(host in str(doubt) for doubt in witness.testify(stage).doubts)
        path.write_text("".join(lines), encoding="utf-8")


def test_days_are_independent(tmp_path: Path) -> None:
    """One shard for two days, and a shard for each, give the same semantic digest."""
    digests = set()
    for shards in (1, 2):
        stage = tmp_path / f"run-{shards}"
        _, account = played(
            stage,
            shards=shards,
            duration_h=25,
            interval_s=3600.0,
            keepalive_s=20_000,
            episodes=[],
            site={"devices": RARE},
        )
        assert ledger.check(stage, account) == []
        digests.add(semantic_digest(account))
    assert len(digests) == 1
