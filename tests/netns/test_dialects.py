"""Units that speak MQTT otherwise than the published ones: every kind that a dialect can have is played, labelled and accounted for."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coldaisle_analysis import witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.demands import playable
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders, sharding

pytestmark = pytest.mark.netns
UNITS, INTERVAL_S, APART = 5, 60, 12
"""Units of each dialect, time between two readings in s, and slots from one episode on a unit to the next."""
DIALECTS: dict[str, dict[str, Any]] = {
    "most-once": {"qos": 0},
    "once": {"qos": 2},
}
"""Keys of each group, by the stem of its units' names."""


def _scenario(episodes: list[dict[str, Any]]) -> Scenario:
    devices = [
        {"name": stem + "-{number}", "count": UNITS, "address": 100 + 10 * place, "client": f"d{place}u{{number}}s{{sensor}}", **keys}
        for place, (stem, keys) in enumerate(DIALECTS.items())
    ]  # fmt: skip
    slots = max([APART, *(episode["slot"] + APART for episode in episodes)])
    return Scenario.model_validate(
        {
            "name": "dialects", "seed": 11, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": slots * INTERVAL_S / 3600,
            "interval_s": INTERVAL_S, "site": {"devices": devices},
            "episodes": [{key: value for key, value in episode.items() if key != "slot"} for episode in episodes],
        }
    )  # fmt: skip


def _episodes() -> list[dict[str, Any]]:
    """Return an episode of each kind and variant that attacks a unit, for each dialect that can have it, its units in turn."""
    every, empty = list[dict[str, Any]](), _scenario([])
    for stem in DIALECTS:
        taken = Counter[str]()
        variants = [
            (kind, variant)
            for kind, row in SHIPPED.items()
            if row.target == "unit"
            for variant in playable(empty, kind, f"{stem}-1")
        ]
        for place, (kind, variant) in enumerate(variants):
            unit = f"{stem}-{place % UNITS + 1}"
            slot = 8 + APART * taken[unit]
            taken[unit] += 1
            every.append(
                {
                    "kind": kind, "variant": variant, "unit": unit, "day": 1, "slot": slot,
                    "start": f"{slot * INTERVAL_S // 3600:02}:{slot * INTERVAL_S // 60 % 60:02}:00",
                    "readings": 1 if SHIPPED[kind].brief else 4 if kind == "time-forgery" else 2,
                    **({"sensors": [1, 3]} if SHIPPED[kind].picks_sensors else {}),
                }
            )  # fmt: skip
    return every


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """A run with every kind on every dialect."""
    plan = build_plan(_scenario(_episodes()))
    stage = tmp_path_factory.mktemp("dialects") / "run"
    shard_folders.prepare(stage, plan)
    sharding.play(plan, stage, 1, lambda _: None)
    return plan, stage, settle(stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every reading has one fate, every act was played, and every frame is explained."""
    plan, stage, account = played
    assert len(account.readings) == len(DIALECTS) * UNITS * 4 * plan.scenario.slots
    assert ledger.check(stage, account) == []
    assert set(account.evidence.sealed["kernel_drops"]) == {0}


def test_the_witness_agrees(played: tuple[Plan, Path, Account]) -> None:
    """The label of every frame is found a second way."""
    _, stage, account = played
    table = account.join.table
    rows = zip(table["label"], table["benign"], table["episode"], strict=True)
    labels = [witness.Verdict(int(a), int(b), episode if a or b else "") for a, b, episode in rows]
    assert list(witness.differences(witness.testify(stage), labels)) == []


def test_every_episode_left_labels(played: tuple[Plan, Path, Account]) -> None:
    """Each episode has frames of its own, whatever dialect its unit speaks; a sensor that takes no reading has none to show."""
    plan, _, account = played
    table = account.join.table
    marked = set(table["episode"][(table["label"] == 1) | (table["benign"] == 1)])
    assert marked >= {episode.id for episode in plan.episodes if episode.kind != "dropping-sensor"}
