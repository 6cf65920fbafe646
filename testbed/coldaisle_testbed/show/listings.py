"""What the commands that list something print: the episodes of a plan, runs, checks of the machine."""

from collections.abc import Iterable
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.errors import InputError, plain
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_testbed.doctor import Check
from coldaisle_testbed.leftovers import size_of
from coldaisle_testbed.show import timeline


def of_episodes(plan: Plan) -> Table:
    """Return every episode of a plan in local time; ids and kinds are shown whole, 80 columns are enough."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("id", "begins", "kind", "variant", "target", "sensors", "slots", "acts", "level"):
        table.add_column(name, no_wrap=name in ("id", "begins", "kind", "variant", "target"))
    for each in plan.episodes:
        table.add_row(
            each.id,
            f"{timeline.local(plan, each)[0]:%a %H:%M}",
            each.kind,
            each.variant,
            each.unit,
            " ".join(map(str, each.sensors)),
            str(each.readings),
            str(len(each.acts)),
            timeline.level(each),
        )
    return table


def of_runs(folder: Path) -> Table:
    """Return the finished runs in a folder with size and state."""
    table = Table("run", "state", "engine", "packets", "readings", "size", box=None)
    for path in sorted(folder.glob("[!.]*")):
        if not path.is_symlink() and ((path / MANIFEST).is_file() or (path / "plan.json").is_file()):
            table.add_row(escape(plain(path.name)), *_state(path), f"{size_of(path) / 1e6:,.0f} MB")
    return table


def _state(run: Path) -> tuple[str, str, str, str]:
    """Return state, engine, packets and readings of a run; of one whose manifest cannot be read why."""
    try:
        manifest = Manifest.load(run)
    except InputError as error:
        return f"[red]broken[/]: {escape(str(error))}", "", "", ""
    packets, readings = (f"{manifest.counts[key]:,}" for key in ("packets", "readings"))
    state = "finished" if analyses_of(run) else "finished, not analysed"
    return state, manifest.engine, packets, readings


def of_checks(checks: Iterable[Check]) -> Table:
    """Return what the machine can and cannot do, each with its remedy."""
    table = Table("", "check", "found", "remedy", box=None)
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        table.add_row(mark, check.name, check.what, "" if check.ok else check.remedy)
    return table
