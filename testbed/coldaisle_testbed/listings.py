"""What the commands that list something print: the episodes of a plan, runs, checks of the machine."""

from collections.abc import Iterable
from pathlib import Path

from rich.table import Table

from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import timeline
from coldaisle_testbed.doctor import Check


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
    """Return the runs in a folder with size and state, hidden stages of unfinished ones included."""
    table = Table("run", "state", "engine", "packets", "readings", "size", box=None)
    found = [
        path for path in sorted(folder.glob("*")) if (path / "plan.json").is_file() and not path.is_symlink()
    ]
    for path in [*found, *sorted(path for path in folder.glob(".*") if path.is_dir())]:
        size = f"{sum(file.stat().st_size for file in path.rglob('*') if file.is_file()) / 1e6:,.0f} MB"
        if (path / MANIFEST).is_file() and not path.name.startswith("."):
            manifest = Manifest.load(path)
            packets, readings = (f"{manifest.counts[key]:,}" for key in ("packets", "readings"))
            table.add_row(path.name, "finished", manifest.engine, packets, readings, size)
        else:
            table.add_row(path.name, "[yellow]unfinished[/]", "", "", "", size)
    return table


def of_checks(checks: Iterable[Check]) -> Table:
    """Return what the machine can and cannot do, each with its remedy."""
    table = Table("", "check", "found", "remedy", box=None)
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        table.add_row(mark, check.name, check.what, "" if check.ok else check.remedy)
    return table
