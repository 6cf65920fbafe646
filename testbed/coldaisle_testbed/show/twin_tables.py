"""Tables for the terminal: what the episodes of a run changed, as its twins show it."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from coldaisle_analysis.columns import LEARNED

_NAMES = {"wire": "on the wire", "timing": "in timing", "values": "in values"}


def of(summary: Mapping[str, Any], *, one_by_one: bool) -> Iterator[Table]:
    """Yield the share of visible rows of each kind and, if asked for, what each episode changed.

    Args:
        summary: what :func:`coldaisle_testbed.twins.summary` returns.
        one_by_one: whether each episode gets a line per level.
    """
    if one_by_one:
        yield _of_episodes(summary)
    yield _of_kinds(summary)


def _of_kinds(summary: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("kind", no_wrap=True)
    for level in LEARNED:
        table.add_column(f"visible {level}", justify="right", no_wrap=True)
    for kind, levels in sorted(summary["kinds"].items()):
        table.add_row(kind, *(_share(levels.get(level)) for level in LEARNED))
    return table


def _share(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return ""
    rows, visible = counts["rows"], counts["visible"]
    return f"{visible:,} of {rows:,} ({visible / rows:4.0%})"


def _of_episodes(summary: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("id", "kind", "level", "visible", "added", "removed", *_NAMES.values()):
        table.add_column(name, no_wrap=name in ("id", "kind", "level"))
    for trace in summary["episodes"]:
        if trace["level"] in LEARNED:
            table.add_row(
                trace["episode"],
                trace["kind"],
                trace["level"],
                f"{trace['visible']:,} of {trace['rows']:,}",
                f"{trace['added']:,}",
                f"{trace['removed']:,}",
                *(_effect(trace["traces"][name]) for name in _NAMES),
            )
    return table


def _effect(effect: Mapping[str, Any]) -> str:
    """Return the effect on a group of columns in words: rows, the column that changed most, and Cliff's delta."""
    return f"{effect['rows']:,} {effect['column']} {effect['effect']:+.2f}" if effect["rows"] else ""
