"""Units on intervals of their own: every kind is played on units that report in some slots only, labelled and accounted for."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.netns.observe import disagreements, marked, play

from coldaisle_analysis import dataset, witness
from coldaisle_analysis.truth import ledger
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.demands import playable
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

pytestmark = pytest.mark.netns
INTERVAL_S, EVERY, PHASE, JITTER_S, APART = 60, 3, 1, 5.0, 12
"""Interval of the scenario in s, rhythm of the slow units, and readings from one episode on a unit to the next."""
UNITS = {"quick": 2, "slow": 4}
"""Number of units of each group."""


def _scenario(episodes: list[dict[str, Any]]) -> Scenario:
    rhythms = {"slow": {"every": EVERY, "phase": PHASE, "jitter_s": JITTER_S}}
    devices = [
        {"name": stem + "-{number}", "count": count, "address": 100 + 10 * place, "client": stem + "{number}s{sensor}", **rhythms.get(stem, {})}
        for place, (stem, count) in enumerate(UNITS.items())
    ]  # fmt: skip
    slots = max([0, *(episode["slot"] for episode in episodes)]) + APART * EVERY
    return Scenario.model_validate(
        {
            "name": "intervals", "seed": 11, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": slots * INTERVAL_S / 3600,
            "interval_s": INTERVAL_S, "ntp_every": 2, "site": {"devices": devices},
            "episodes": [{key: value for key, value in episode.items() if key != "slot"} for episode in episodes],
        }
    )  # fmt: skip


def _episodes() -> list[dict[str, Any]]:
    """Return an episode of each kind that attacks a unit without TLS, on the slow units in turn, and of some on the quick ones."""
    empty, taken = _scenario([]), Counter[str]()
    kinds = [
        name for name, row in SHIPPED.items() if row.target == "unit" and playable(empty, name, "slow-1")
    ]
    slow = [(kind, f"slow-{place % UNITS['slow'] + 1}") for place, kind in enumerate(kinds)]
    quick = [(kind, f"quick-{place % UNITS['quick'] + 1}") for place, kind in enumerate(kinds[:6])]
    every = list[dict[str, Any]]()
    for kind, unit in [*slow, *quick]:
        slot = (4 + APART * taken[unit]) * (EVERY if unit.startswith("slow") else 1)
        taken[unit] += 1
        every.append(
            {
                "kind": kind, "variant": playable(empty, kind, unit)[0], "unit": unit, "day": 1, "slot": slot,
                "start": f"{slot * INTERVAL_S // 3600:02}:{slot * INTERVAL_S // 60 % 60:02}:00",
                "readings": 1 if SHIPPED[kind].brief else 3,
                **({"sensors": [1, 3]} if SHIPPED[kind].picks_sensors else {}),
            }
        )  # fmt: skip
    return every


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Account]:
    """A run with every kind on slow units."""
    plan = build_plan(_scenario(_episodes()))
    stage = tmp_path_factory.mktemp("intervals") / "run"
    return plan, stage, play(plan, stage)


def test_the_ledger_settles(played: tuple[Plan, Path, Account]) -> None:
    """Every reading has one fate, every act was played, and every frame is explained."""
    plan, stage, account = played
    slots, slow = plan.scenario.slots, plan.slots_of("slow-1")
    assert slow == range(PHASE, slots, EVERY)
    assert len(account.readings) == 4 * (UNITS["quick"] * slots + UNITS["slow"] * len(slow))
    assert ledger.check(stage, account) == []
    assert set(account.evidence.sealed["kernel_drops"]) == {0}


def test_the_witness_agrees(played: tuple[Plan, Path, Account]) -> None:
    """The label of every frame is found a second way."""
    _, _, account = played
    assert disagreements(account) == []


def test_every_episode_left_labels(played: tuple[Plan, Path, Account]) -> None:
    """Each episode has frames of its own; a sensor that takes no reading has none to show."""
    plan, _, account = played
    assert marked(account) >= {episode.id for episode in plan.episodes if episode.kind != "dropping-sensor"}


def test_the_dataset_has_the_readings_of_each_unit(played: tuple[Plan, Path, Account]) -> None:
    """A slow unit has a row in its own slots, its slot lasts until its next reading, and only removed readings lack a value."""
    plan, stage, account = played
    readings = dataset.build(stage, account).readings
    for unit in plan.units:
        own = readings[(readings["unit"].astype(str) == unit) & (readings["sensor"] == 2)]
        assert list(own["slot"]) == list(plan.slots_of(unit))
        following = [plan.reading_ns(slot + plan.slots_of(unit).step, unit) for slot in plan.slots_of(unit)]
        assert list(own["decided_ns"]) == [at_ns - 250_000_000 for at_ns in following]
    removed = readings["fate"].astype(str) == "removed"
    assert (readings["value_received"].notna() == ~removed).all()
    assert removed.any()


def test_a_reading_in_a_slot_of_others_is_doubted(played: tuple[Plan, Path, Account], tmp_path: Path) -> None:
    """The witness names a line that puts a reading of a slow unit into a slot in which it does not report."""
    shutil.copytree(played[1], tmp_path / "run")
    journal = tmp_path / "run" / "journal" / "slow-2.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    next(line for line in lines if line["event"] == "reading")["slot"] += 1
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    doubts = [str(doubt) for doubt in witness.testify(tmp_path / "run").doubts]
    assert any("its unit does not report in this slot" in doubt for doubt in doubts)
