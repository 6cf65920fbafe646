"""What the commands that list something print: the episodes of a plan, runs, checks of the machine."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from rich.table import Table

from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.topics import SENSORS
from coldaisle_testbed.doctor import Check


def planned(plan: Plan) -> tuple[str, Table]:
    """Return one sentence about a plan and its episodes as a table, in local time."""
    scenario = plan.scenario
    sentence = (
        f"[bold]{scenario.name}[/]: {scenario.duration_h:g} h from {scenario.start:%a %Y-%m-%d %H:%M %z} "
        f"({scenario.time_zone}), {len(scenario.units)} units, {scenario.slots:,} slots, "
        f"{scenario.slots * len(scenario.units) * len(SENSORS):,} readings, seed {scenario.seed}"
    )
    table = Table("episode", "local time", "kind", "variant", "unit", "sensors", "readings", "acts", box=None)
    for episode in plan.episodes:
        begin = datetime.fromtimestamp(
            plan.reading_ns(episode.onset, episode.unit) / 1e9, scenario.start.tzinfo
        )
        table.add_row(
            episode.id,
            f"{begin:%a %H:%M}",
            episode.kind,
            episode.variant,
            episode.unit,
            " ".join(map(str, episode.sensors)),
            str(episode.readings),
            str(len(episode.acts)),
        )
    return sentence, table


def of_runs(folder: Path) -> Table:
    """Return the runs in a folder with size and state, hidden stages of unfinished ones included."""
    table = Table("run", "state", "engine", "packets", "readings", "size", box=None)
    found = [path for path in sorted(folder.glob("*")) if path.is_dir() and not path.is_symlink()]
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
