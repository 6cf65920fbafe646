"""What a run's comparisons with twins say about each episode: how many of its rows left a trace."""

import json
from pathlib import Path

from coldaisle_contracts.twins import twins_of

LEVELS = ("packets", "readings")
"""Levels that are shown."""
Trace = dict[str, tuple[int, int]]
"""Rows of an episode that left a trace, and all its rows, by level; levels without rows are left out."""


def traces(run: Path | None) -> dict[str, Trace]:
    """Return the trace of each episode that was compared; a comparison that cannot be read is left out."""
    found: dict[str, Trace] = {}
    for folder in twins_of(run) if run else ():
        try:
            rows = json.loads((folder / "episodes.json").read_text(encoding="utf-8"))["episodes"]
            every = [
                (str(row["episode"]), row["level"], int(row["visible"]), int(row["rows"])) for row in rows
            ]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        for episode, level, visible, count in every:
            if level in LEVELS and count:
                found.setdefault(episode, {})[level] = visible, count
    return found
