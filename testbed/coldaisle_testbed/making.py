"""The making of a run, and its resumption after an interruption."""

import gc
import importlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Engine
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import provenance
from coldaisle_testbed.limits import refuse_beyond
from coldaisle_testbed.playable import refuse_unplayable
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import ORDER, Order, appear, final_of, held_stage, new_stage, stage_for, stage_of


def begin(plan: Plan, order: Order, runs: Path, out: Path | None, progress: Progress) -> Path:
    """Make a run of a plan, and return its folder.

    Args:
        plan: the plan to play.
        order: the products to make.
        runs: folder of the runs, in which the run gets a name of its own if ``out`` is ``None``.
        out: the folder to make.
        progress: called with one line per step.
    """
    with new_stage(runs, plan, datetime.now(UTC)) if out is None else stage_for(out) as stage:
        order.save(stage)
        return complete(stage, plan, order, progress)


def resume(stage: Path, may_play: Callable[[Engine], object], progress: Progress) -> Path:
    """Resume a run whose making was interrupted, and return its folder.

    Sealed shards are kept, missing ones are played, and everything derived from them is derived again.

    Args:
        stage: the hidden folder in which it is made, or the run's own folder, which need not exist yet.
        may_play: called with the engine before anything is played; raises where that is not possible.
        progress: called with one line per step.

    Raises:
        InputError: if it is no such folder, or another process makes the run now.
    """
    stage = stage.absolute()
    if not stage.exists() and stage_of(stage).is_dir():
        stage = stage_of(stage)
    if (stage / MANIFEST).is_file() and not (stage / ORDER).exists() and stage.name.startswith("."):
        appear(stage, final_of(stage))  # only the final name is missing
        return final_of(stage)
    if (stage / MANIFEST).is_file() and not stage.name.startswith("."):
        if not analyses_of(stage):
            from coldaisle_testbed import conclude  # noqa: PLC0415 - takes seconds to import

            conclude.again(stage, progress)  # only the analysis is missing
        return stage
    order, plan = Order.load(stage), Plan.load(stage / "plan.json")
    if not order.played:
        may_play(order.engine)
    with held_stage(stage):
        return complete(stage, plan, order, progress)


def complete(stage: Path, plan: Plan, order: Order, progress: Progress) -> Path:
    """Play the missing shards of a stage that is held, conclude the run, and return its folder."""
    if not order.played:
        seconds: dict[str, float] = {}
        play(plan, order.engine, stage, order.shards, seconds, progress)
        order = order.model_copy(update={"played": True, "seconds": seconds})
        order.save(stage)
    from coldaisle_testbed import conclude  # noqa: PLC0415 - takes seconds to import; nothing is played by then

    return conclude.conclude(stage, order, progress)


def shards_of(plan: Plan, shards: int | None) -> int:
    """Return the number of shards in which a plan is played: ``shards``, or one per day.

    Raises:
        InputError: if there are fewer days.
    """
    days = plan.scenario.days
    if shards is not None and shards > days:
        remedy = f"the scenario has {days} {'day' if days == 1 else 'days'}, and a shard has at least one: use at most {days}"
        raise InputError("--shards", remedy, shards)
    return shards or days


def play(
    plan: Plan, engine: Engine, stage: Path, shards: int, seconds: dict[str, float], progress: Progress
) -> None:
    """Play a plan into a stage, which may hold sealed shards of it.

    Args:
        plan: the plan to play.
        engine: the engine that plays it.
        stage: the folder of the run.
        shards: number of shards on netns.
        seconds: gets the wall time of the play, in s.
        progress: called with one line per step.

    Raises:
        InputError: for a kind of another package that the engine cannot play, or more units than this machine can hold.
    """
    refuse_unplayable(plan, engine)
    refuse_beyond(len(plan.devices), engine)
    title = f"playing {plan.scenario.duration_h:g} h of {plan.scenario.name} on {engine}"
    with progress.step(title, seconds, "play"):
        if engine == "compose":
            from coldaisle_testbed.engines import compose  # noqa: PLC0415

            for part in ("journal", "capture"):
                shutil.rmtree(stage / part, ignore_errors=True)
            compose.play(plan, stage, progress)
            return
        from coldaisle_testbed import shard_folders, sharding  # noqa: PLC0415

        if not (stage / "plan.json").exists():
            shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, shards, progress, _warm_up)


def _warm_up() -> None:
    """Import the analysis and look for the software of this machine while the shards play: this process would only wait."""
    gc.disable()  # what modules make stays: to look for garbage in it would take a fifth of the time
    importlib.import_module("coldaisle_testbed.conclude")
    gc.freeze()
    gc.enable()
    provenance.here()
    provenance.versions_of_programs()
