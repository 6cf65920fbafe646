"""Episodes are put into a run while it is really played: the ledger accounts for them, and it can be played again."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import semantic_digest, settle
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan, planned_again
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding, verification
from coldaisle_testbed.injecting import Injected, inject

pytestmark = pytest.mark.netns
SCENARIO: dict[str, Any] = {
    "name": "lecture", "seed": 5, "first_day": "2026-03-02", "time_zone": "Europe/Madrid", "duration_h": 160 / 3600, "interval_s": 10,
    "units": ["inrow-13", "inrow-15"], "time": "real",
    "episodes": [{"kind": "removal", "unit": "inrow-15", "day": 1, "start": "00:01:50", "readings": 2}],
}  # fmt: skip
WISHES: tuple[dict[str, Any], ...] = (
    {"kind": "modification", "unit": "inrow-13", "readings": 2, "variant": "shift", "size": 4.0},
    {"kind": "publish-flood", "variant": "qos-0", "count": 60, "rate": 50.0},
    {"kind": "firmware", "unit": "inrow-15", "readings": 2},
)
PATIENCE_S = 90.0


def _put_in(run: Path, injected: list[Injected]) -> None:
    """Put the episodes in, the first as soon as the run takes one, on both sides of what the scenario names."""
    until = time.monotonic() + PATIENCE_S
    for wish in WISHES:
        while True:
            try:
                injected.append(inject(run, wish))
                break
            except InputError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Injected]]:
    """A run into which episodes were put while it was played, concluded without models, and what was put in."""
    folder = tmp_path_factory.mktemp("lecture")
    (folder / "lecture.toml").write_text(_toml(SCENARIO))
    injected: list[Injected] = []
    thread = threading.Thread(target=_put_in, args=(folder / "run", injected))
    words = ["up", "lecture.toml", "--engine", "netns", "--out", "run", "--no-analysis"]
    thread.start()
    done = subprocess.run(
        [sys.executable, "-m", "coldaisle_testbed", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    thread.join()
    assert done.returncode == 0, done.stderr
    return folder / "run", injected


def _toml(scenario: dict[str, Any]) -> str:
    lines = [
        f"{key} = {json.dumps(value)}"
        for key, value in scenario.items()
        if key not in ("episodes", "first_day")
    ]
    named = [
        f"{key} = {json.dumps(value)}" for key, value in scenario["episodes"][0].items() if key != "start"
    ]
    start = scenario["episodes"][0]["start"]
    return "\n".join(
        [*lines, f"first_day = {scenario['first_day']}", "[[episodes]]", *named, f"start = {start}"]
    )


def test_the_run_with_its_added_episodes_verifies(lecture: tuple[Path, list[Injected]]) -> None:
    """Every frame of an attack on the path, of one from outside, and of a unit's own anomaly has its label."""
    run, injected = lecture
    plan = Plan.load(run / "plan.json")
    assert [(put.episode.id, put.episode.kind) for put in injected] == [
        ("a01", "modification"), ("a02", "publish-flood"), ("a03", "firmware"),
    ]  # fmt: skip
    assert {episode.id: episode for episode in plan.episodes if episode.id != "e01"} == {
        put.episode.id: put.episode for put in injected
    }
    facts = verification.verify(run).facts()
    assert (facts["precision"], facts["recall"], facts["unexplained_frames"], facts["problems"]) == (
        1,
        1,
        0,
        [],
    )
    table = pq.read_table(run / "dataset" / "packets.parquet", columns=["episode"])
    assert set(table["episode"].unique().to_pylist()) >= {"e01", "a01", "a02", "a03"}
    fates = pq.read_table(run / "dataset" / "readings.parquet", columns=["episode", "fate"]).to_pylist()
    assert sum(row == {"episode": "a01", "fate": "modified"} for row in fates) == 8


def test_its_plan_follows_from_its_manifest(lecture: tuple[Path, list[Injected]]) -> None:
    """The scenario in the manifest has the added episodes, so the manifest alone gives the plan, as `reproduce` asks for it."""
    run, _ = lecture
    manifest, plan = Manifest.load(run), Plan.load(run / "plan.json")
    assert planned_again(manifest, "manifest.json") == plan
    again = Scenario.model_validate({**manifest.definition, "added": []}) if manifest.definition else None
    assert again is not None
    assert build_plan(again).digest() == build_plan(Scenario.model_validate(SCENARIO)).digest()


def test_it_can_be_played_again_in_virtual_time(lecture: tuple[Path, list[Injected]], tmp_path: Path) -> None:
    """The added episodes are then part of the plan from the beginning, and every reading and act has the same outcome."""
    run, _ = lecture
    scenario = Plan.load(run / "plan.json").scenario.model_copy(update={"time": "virtual"})
    plan = build_plan(scenario)
    stage = tmp_path / "again"
    shard_folders.prepare(stage, plan)
    sharding.play(plan, stage, 1, lambda _: None)
    account = settle(stage)
    assert ledger.check(stage, account) == []
    assert semantic_digest(account) == Manifest.load(run).semantic_digest
