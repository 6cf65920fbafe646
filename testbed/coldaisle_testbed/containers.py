"""The testbed's one-shot programs inside containers: plan, timekeeper, finish; environments tell them what to do."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import accounts


def plan(env: Mapping[str, str]) -> None:
    """Write the plan of ``COLDAISLE_SCENARIO`` into the stage ``COLDAISLE_RUN``, emptied first."""
    from coldaisle_testbed.week import prepare  # noqa: PLC0415 - the analysis container has no pyroute2

    path, stage = Path(env.get("COLDAISLE_SCENARIO") or "/scenarios/week.toml"), Path(env["COLDAISLE_RUN"])
    seed = int(env["COLDAISLE_SEED"]) if env.get("COLDAISLE_SEED") else None
    made = build_plan(load_scenario(path, seed), str(path))
    if stage.exists():
        shutil.rmtree(stage)
    prepare(stage, made)


def timekeeper(env: Mapping[str, str]) -> None:
    """Keep time for the shard ``COLDAISLE_SHARD``, by default all days of the run."""
    from coldaisle_testbed.timekeeper import Timekeeper, shard_names  # noqa: PLC0415

    run, folder = Path(env["COLDAISLE_RUN"]), Path(env["COLDAISLE_FEDERATION"])
    made = Plan.load(run / "plan.json")
    shard = Shard.parse(env.get("COLDAISLE_SHARD", ""), made.scenario.days)
    accounts.write(folder, made.scenario.accounts)
    timeline = Journal(run / "journal" / "timeline.jsonl", str(shard))
    start_ns = made.day_ns(shard.days[0]) + SECOND
    virtual = made.scenario.time == "virtual"
    Timekeeper(folder, shard_names(made.scenario.units), start_ns, timeline, virtual=virtual).serve()


def finish(env: Mapping[str, str]) -> None:
    """Turn the stage ``COLDAISLE_RUN`` into a finished run beside it, and let ``latest`` point at it.

    Where there is no stage any more, the newest run is analysed if that was cut short; else there is nothing to do.
    """
    from coldaisle_testbed.stage import LATEST, new_id  # noqa: PLC0415

    stage = Path(env["COLDAISLE_RUN"])
    newest = stage.parent / LATEST
    if not stage.is_dir() and not _cut_short(newest):
        return
    from coldaisle_testbed import conclude  # noqa: PLC0415 - takes seconds to import
    from coldaisle_testbed.progress import Progress  # noqa: PLC0415

    if not stage.is_dir():
        conclude.again(newest, Progress())
        return
    made = Plan.load(stage / "plan.json")
    final = stage.parent / new_id(made, datetime.now(UTC))
    conclude.conclude(stage, final, "compose", {}, Progress(), analyse=True, latest=True)


def _cut_short(run: Path) -> bool:
    """Tell whether a run was made in containers and sealed, and never analysed."""
    return (run / MANIFEST).is_file() and Manifest.load(run).engine == "compose" and not analyses_of(run)
