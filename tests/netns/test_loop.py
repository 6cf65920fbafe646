"""A closed loop under attack: what changes a reading on its way to the controller has consequences, and exactly those are labelled."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.netns.observe import disagreements, play

from coldaisle_analysis import dataset
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan, without_episodes
from coldaisle_contracts.scenario import Scenario, load_scenario

pytestmark = pytest.mark.netns
LOOP = Path(__file__).parents[2] / "scenarios" / "loop.toml"


def _episode(kind: str, unit: int, start: str, readings: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind, "unit": f"crah-{unit}", "day": 1, "start": start, "readings": readings, "sensors": [4], **more,
    }  # fmt: skip


EPISODES = [
    _episode("modification", 1, "01:00", 6, variant="shift", size=-3.0),
    _episode("delay", 1, "02:30", 2, delay_s=400),
    _episode("stuck-sensor", 1, "03:30"),
    _episode("takeover", 1, "04:30", 1, size=6.0),
    _episode("tampering", 1, "05:30", 1, variant="tcp.seq"),
    _episode("late-sensor", 1, "06:30", 2, delay_s=200),
    _episode("false-data", 2, "01:00", 4, size=4.0),
    _episode("reboot", 2, "02:00", 1, sensors=[1, 2, 3, 4], outage_s=240),
    _episode("duplication", 2, "03:00", variant="burst", count=4),
    _episode("repeating-sensor", 2, "04:00"),
    _episode("modification", 2, "05:00", 2, variant="freeze"),
    _episode("removal", 3, "01:00"),
    _episode("door", 3, "02:00", 6, sensors=[1, 2, 3, 4]),
    _episode("dropping-sensor", 3, "03:30"),
    _episode("clock-step", 3, "04:30", 2, sensors=[1, 2, 3, 4], size=60),
    _episode("reordering", 3, "06:00", 2),
    _episode("modification", 4, "01:00", 6, variant="shift", size=-3.0),
]
"""Attacks and benign anomalies on the return air of three units that are governed, and of one that is not."""


def _played(plan: Plan, stage: Path) -> Account:
    return play(plan, stage)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Eight hours of the site of ``scenarios/loop.toml`` with these episodes."""
    scenario = load_scenario(LOOP)
    content = scenario.model_dump() | {"duration_h": 8, "episodes": EPISODES}
    return _played(build_plan(Scenario.check(content, LOOP)), tmp_path_factory.mktemp("loop") / "run")


@pytest.fixture(scope="module")
def twin(attacked: Account, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """The same hours without the attacks; benign anomalies are played again."""
    plan = attacked.evidence.plan
    attacks = [episode.id for episode in plan.episodes if not episode.row.benign]
    return _played(without_episodes(plan, attacks), tmp_path_factory.mktemp("loop") / "twin")


def _consequences(account: Account) -> pd.DataFrame:
    readings = account.readings
    return readings[(readings["label"] == 1) & (readings["role"] == "consequence")]


def test_the_ledger_settles(attacked: Account, twin: Account) -> None:
    """Every command follows from what the controller received, with and without attacks, and labels are right in every row."""
    for account in (attacked, twin):
        run = account.evidence.run
        assert ledger.check(run, account) == []
    run = attacked.evidence.run
    dataset.write(dataset.build(run, attacked), run / "dataset")
    proof = ledger.prove(run, attacked)
    assert (proof.precision, proof.recall, proof.unexplained) == (1.0, 1.0, 0)


def test_the_witness_agrees(attacked: Account, twin: Account) -> None:
    """The witness finds the same consequences in the raw captures."""
    for account in (attacked, twin):
        assert disagreements(account) == []


def test_exactly_the_labelled_readings_changed(attacked: Account, twin: Account) -> None:
    """A reading whose value differs from the twin's is labelled, and one that is labelled as a consequence of the loop differs."""
    ours, theirs = attacked.readings, twin.readings
    assert (ours[["client_id", "slot"]] == theirs[["client_id", "slot"]]).all(axis=None)
    changed = ours["sent"].fillna("") != theirs["sent"].fillna("")
    assert (ours["label"][changed] == 1).all()
    found = _consequences(attacked)
    assert changed[found.index].all()
    assert {"e01", "e02"} <= set(found["episode"])
    assert set(found["unit"]) == {"crah-1", "crah-2", "crah-3"}
    assert set(found["sensor"]) == {2, 3, 4}
    assert _consequences(twin).empty


def test_exactly_the_labelled_commands_changed(attacked: Account, twin: Account) -> None:
    """As many commands differ from the twin's as are labelled; each has two frames, to the broker and from there to the unit."""
    lines = [account.evidence.published for account in (attacked, twin)]
    pairs = [table.groupby("topic")["digest"].apply(list) for table in lines]
    differ = sum(
        ours != theirs
        for topic in pairs[0].index
        for ours, theirs in zip(pairs[0][topic], pairs[1][topic], strict=True)
    )
    truth, packets = attacked.join.table, attacked.evidence.trace.packets
    frames = packets[
        truth["label"].eq(1)
        & truth["role"].eq("consequence")
        & packets["mqtt_topic"].str.startswith("IoT/set/")
    ]
    controller = attacked.evidence.plan.companions["controller"].host.ip
    assert (frames["ip_src"] == controller).sum() == differ > 50
    assert len(frames) <= 2 * differ


def test_a_false_reading_warms_the_air(attacked: Account, twin: Account) -> None:
    """Return air that seems 3 °C too cold lets the controller raise the set point, and the unit blows warmer air."""
    supply = [
        account.readings.query("unit == 'crah-1' and sensor == 3 and 13 <= slot <= 20")["sent"]
        for account in (attacked, twin)
    ]
    warmer = supply[0].astype(float) - supply[1].astype(float)
    assert (warmer > 0).all()
    assert warmer.max() > 1.0
