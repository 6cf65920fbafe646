"""Which day of a run is being played, as the timekeeper's journal tells while it is written."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from coldaisle_contracts.plan import Plan

_TAIL = 4096
"""The last line of the journal takes less, bytes."""


class Days:
    """Says each day that is reached, once.

    Args:
        plan: what is played, in one piece.
        stage: the run's folder.
        progress: told a line a day.
    """

    def __init__(self, plan: Plan, stage: Path, progress: Callable[[str], None]) -> None:
        self._plan, self._journal, self._progress = plan, stage / "journal" / "timeline.jsonl", progress
        self._reached = 0

    def look(self) -> None:
        """Say the day that is played now, unless it was said before."""
        offset_ns = self._offset()
        if offset_ns is None:
            return
        now_ns, days = time.time_ns() + offset_ns, self._plan.scenario.days
        day = sum(now_ns >= self._plan.day_ns(number) for number in range(days))
        if day > self._reached:
            self._reached = day
            self._progress(f"day {day} of {days}")

    def _offset(self) -> int | None:
        """Return the offset of virtual time in force, ns; nothing before there is one."""
        try:
            with self._journal.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                whole = file.read().rpartition(b"\n")[0].splitlines()
        except OSError:
            return None
        return int(json.loads(whole[-1])["offset_ns"]) if whole else None
