"""Conductor of a run in containers that Compose starts: it plans the run, reports progress, and concludes the run.

The timekeeper and the federates are containers of their own. This container holds a lock on the run's folder, and the timekeeper one
on the federation's folder. Each watches the lock of the other, so that none outlives the other.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.errors import ColdaisleError, InputError, RunError
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import making
from coldaisle_testbed.days import Days
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.shard_folders import prepare
from coldaisle_testbed.stage import LATEST, ORDER, Order, new_stage, point
from coldaisle_testbed.timekeeper import VERDICT

LINK = ".compose"
"""Link in the folder of the runs to the run that is being made; the other containers know only this name."""
START_S = 180.0
"""Time in which the timekeeper's container has to start, in s."""
LOOK_S = 0.2
WORDS = {
    "with --out": "in COLDAISLE_RUNS",
    "name a --model": "set COLDAISLE_MODEL",
    "--policy": "COLDAISLE_POLICY",
    "`coldaisle up`": "`docker compose up`",
}
"""Words in sentences of the command line, and what stands for them in containers."""


class PlayError(RunError):
    """A container failed while a run was played (exit 3).

    Args:
        name: the service, several with commas between them, or the process that the timekeeper accuses.
        event: what happened to it.
    """

    def __init__(self, name: str, event: str) -> None:
        services = name.split(", ") if re.fullmatch(r"[\w-]+(, [\w-]+)*", name) else ["timekeeper"]
        super().__init__(
            f"{name} {event}, so the run was ended: play it again with `docker compose up`; "
            f"`docker compose logs {' '.join(services)}` shows why, for a report if it happens twice"
        )


class Shown(Progress):
    """Progress that gives paths as they are on the machine, outside of the containers, and the variable or command for an option.

    Args:
        inside: folder of the runs in the container.
        outside: the same folder on the machine.
    """

    def __init__(self, inside: Path, outside: str) -> None:
        super().__init__()
        # paths are relative to the working folder, which is /
        name = re.escape(str(inside).removeprefix("/"))
        self._inside = re.compile(rf"(?<![\w./-])/?{name}(?![\w.-])")
        self._outside = outside.rstrip("/")

    def __call__(self, text: str) -> None:
        """Say that a step is done."""
        super().__call__(self.outside(text))

    def outside(self, text: str) -> str:
        """Return a text in which every path into the folder of the runs is that of the machine, and :data:`WORDS` are replaced."""
        text = self._inside.sub(lambda _: self._outside, text)
        for word, here in WORDS.items():
            text = text.replace(word, here)
        return text


def make(plan: Plan, runs: Path, federation: Path, progress: Progress, ready: Callable[[], None]) -> Path:
    """Make a run of a plan that the other containers play, and return its folder.

    Args:
        plan: the plan to play.
        runs: folder of the runs.
        federation: the timekeeper's folder.
        progress: called with one line per step.
        ready: called when the containers may begin.

    Raises:
        PlayError: if a container failed.
    """
    order = Order(engine="compose", shards=1, analyse=True, latest=True)
    link = runs / LINK
    with new_stage(runs, plan, datetime.now(UTC)) as stage:
        prepare(stage, plan)
        order.save(stage)
        point(link, stage.name)
        try:
            seconds: dict[str, float] = {}
            title = f"playing {plan.scenario.duration_h:g} h of {plan.scenario.name}; then come labels, dataset, models and report"
            with progress.step(title, seconds, "play"):
                ready()
                follow(federation, Days(plan, stage, progress).look)
            order = order.model_copy(update={"played": True, "seconds": seconds})
            order.save(stage)
            return making.complete(stage, plan, order, progress)
        finally:
            link.unlink(missing_ok=True)


def follow(federation: Path, look: Callable[[], object]) -> None:
    """Wait until the containers have played; call ``look`` every 0.2 s meanwhile.

    Raises:
        PlayError: if a container failed.
    """
    until = time.monotonic() + START_S
    while not is_held(federation):
        if time.monotonic() > until:
            raise PlayError("timekeeper", f"did not start within {START_S:g} s")
        time.sleep(LOOK_S)
    while is_held(federation):
        look()
        time.sleep(LOOK_S)
    try:
        verdict = json.loads((federation / VERDICT).read_text(encoding="utf-8"))
    except OSError as error:
        raise PlayError("timekeeper", "ended without a verdict") from error
    if verdict:
        raise PlayError(verdict["name"], verdict["what"])


def finish(runs: Path, progress: Progress) -> int:
    """Finish runs that containers have played and no process works on, and return their number.

    A run that was played and not sealed is sealed and analysed. A sealed one is analysed if its analysis was interrupted. The link to the
    newest run stays where it is, unless a newer one is finished.

    Raises:
        ColdaisleError: the error of the first run that cannot be concluded, after all others were concluded.
    """
    stages = sorted(path.parent for path in runs.glob(f".*/{ORDER}"))
    lacking = [
        stage for stage in stages if not stage.is_symlink() and not is_held(stage) and _was_played(stage)
    ]
    newest = (runs / LATEST).resolve()
    cut_short = [run for run in sorted(runs.glob("[!.]*")) if not run.is_symlink() and _was_cut_short(run)]
    failures = []
    for stage in lacking:
        progress(f"finishing {stage}, which was played earlier")
        try:
            making.resume(stage, _refuse, progress)
        except ColdaisleError as error:
            failures.append(error)
    if newest.is_dir() and newest.name > (runs / LATEST).resolve().name:
        point(runs / LATEST, newest.name)
    for run in cut_short:
        from coldaisle_testbed import conclude  # noqa: PLC0415 - takes seconds to import

        progress(f"analysing {run}, whose analysis was interrupted")
        conclude.again(run, progress)
    if failures:
        raise failures[0]
    return len(lacking) + len(cut_short)


def _was_played(stage: Path) -> bool:
    try:
        order = Order.load(stage)
    except InputError:
        return False
    return order.engine == "compose" and order.played


def _was_cut_short(run: Path) -> bool:
    return (run / MANIFEST).is_file() and Manifest.load(run).engine == "compose" and not analyses_of(run)


def _refuse(_: str) -> None:
    raise InputError(
        "a run that was not played to its end",
        "it cannot be resumed in this container: resume it on the machine",
    )
