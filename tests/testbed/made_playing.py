"""A run that seems to be played in real time: its folders, with the journals that programs have begun."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import OffsetLine
from coldaisle_contracts.manifest import Engine
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import shard_folders
from coldaisle_testbed.holding import held
from coldaisle_testbed.stage import Order, stage_of

HOUR = 3600 * SECOND


def plan_of(**changes: Any) -> Plan:
    """Return the plan of two days in real time with some keys changed."""
    base = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "Europe/Madrid", "duration_h": 48,
            "units": ("inrow-13", "inrow-15"), "time": "real"}  # fmt: skip
    return build_plan(Scenario.model_validate(base | changes))


def begin(final: Path, plan: Plan, engine: Engine = "netns", days: tuple[int, ...] = (1,)) -> Path:
    """Make the stage of a run of which some days are being played, each since an hour, and return it."""
    stage = stage_of(final)
    shard_folders.prepare(stage, plan)
    Order(engine=engine, shards=plan.scenario.days, analyse=False, latest=False).save(stage)
    for day in days:
        folder, shard = stage, f"day-1-{plan.scenario.days}"
        if engine == "netns":
            folder, shard = stage / shard_folders.SHARDS / f"day-{day}", f"day-{day}"
            shard_folders.prepare(folder, plan)
        for name in (*plan.scenario.units, "injector"):
            (folder / "journal" / f"{name}.jsonl").touch()
        timeline = Journal(folder / "journal" / "timeline.jsonl", shard)
        wall_ns = time.time_ns()
        timeline.write(OffsetLine(wall_ns, plan.day_ns(day - 1) + HOUR - wall_ns))
        timeline.close()
    return stage


@contextmanager
def playing(
    final: Path, plan: Plan, engine: Engine = "netns", days: tuple[int, ...] = (1,)
) -> Iterator[Path]:
    """Make such a stage, and hold it within the block as the process does that makes the run."""
    stage = begin(final, plan, engine, days)
    with held(stage) as is_ours:
        assert is_ours
        yield stage
