"""Tables for the terminal: episodes of a plan, runs, checks of the machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.errors import InputError, plain
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.checks import Check
from coldaisle_testbed.leftovers import size_of
from coldaisle_testbed.show import timeline


def of_episodes(plan: Plan) -> Table:
    """Return the table of a plan's episodes in local time; no id or kind is cut in 80 columns."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("id", "begins", "kind", "variant", "target", "sensors", "slots", "acts", "level"):
        table.add_column(name, no_wrap=name in ("id", "begins", "kind", "variant", "target"))
    for episode in plan.episodes:
        table.add_row(
            episode.id,
            f"{timeline.local(plan, episode)[0]:%a %H:%M}",
            episode.kind,
            episode.variant,
            episode.unit,
            " ".join(map(str, episode.sensors)),
            str(episode.readings),
            str(len(episode.acts)),
            timeline.level(episode),
        )
    return table


State = Literal["finished", "finished, not analysed", "broken"]


@dataclass(frozen=True)
class ListedRun:
    """A run in the list of runs; its attributes are the keys of ``runs --json``.

    Attributes:
        run: name of its folder.
        state: ``finished``, ``finished, not analysed`` or ``broken``.
        engine: what played it; ``None`` of a broken run.
        packets: how many packets were captured; ``None`` of a broken run.
        readings: how many readings were planned; ``None`` of a broken run.
        size: of its folder, in bytes.
        problem: why its manifest cannot be read; ``None`` where it can.
    """

    run: str
    state: State
    engine: str | None
    packets: int | None
    readings: int | None
    size: int
    problem: str | None = None


def runs_in(folder: Path) -> list[ListedRun]:
    """Return the runs in a folder, in order of their names."""
    return [
        _listed(path)
        for path in sorted(folder.glob("[!.]*"))
        if not path.is_symlink() and ((path / MANIFEST).is_file() or (path / "plan.json").is_file())
    ]


def _listed(run: Path) -> ListedRun:
    size = size_of(run)
    try:
        manifest = Manifest.load(run)
    except InputError as error:
        return ListedRun(run.name, "broken", None, None, None, size, str(error))
    state: State = "finished" if analyses_of(run) else "finished, not analysed"
    counts = manifest.counts
    return ListedRun(run.name, state, manifest.engine, counts["packets"], counts["readings"], size)


def of_runs(runs: Iterable[ListedRun]) -> Table:
    """Return the table of runs with size and state."""
    table = Table("run", "state", "engine", "packets", "readings", "size", box=None)
    for run in runs:
        state = run.state if run.problem is None else f"[red]broken[/]: {escape(run.problem)}"
        counts = ("" if count is None else f"{count:,}" for count in (run.packets, run.readings))
        table.add_row(escape(plain(run.run)), state, run.engine or "", *counts, f"{run.size / 1e6:,.0f} MB")
    return table


def of_checks(checks: Iterable[Check]) -> Table:
    """Return the table of the checks of the machine, with remedies."""
    table = Table("", "check", "found", "remedy", box=None)
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        table.add_row(mark, check.name, check.finding, "" if check.ok else check.remedy)
    return table
