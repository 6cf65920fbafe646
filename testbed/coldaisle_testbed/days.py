"""Progress by day: reads from the timekeeper's journal which day of a run is being played."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from coldaisle_contracts.plan import Plan

_TAIL = 4096
"""More bytes than the last line of the journal has."""


class Days:
    """Reporter of each day that is reached.

    Args:
        plan: the plan that is played, in one go.
        stage: the run's folder.
        progress: called with one line per day.
    """

    def __init__(self, plan: Plan, stage: Path, progress: Callable[[str], None]) -> None:
        self._plan, self._journal, self._progress = plan, stage / "journal" / "timeline.jsonl", progress
        self._reached = 0

    def look(self) -> None:
        """Report the day that is played now, once."""
        offset_ns = self._offset()
        if offset_ns is None:
            return
        now_ns, days = time.time_ns() + offset_ns, self._plan.scenario.days
        day = sum(now_ns >= self._plan.day_ns(number) for number in range(days))
        if day > self._reached:
            self._reached = day
            self._progress(f"playing day {day} of {days}")

    def _offset(self) -> int | None:
        """Return the current offset of virtual time in ns; ``None`` before the first."""
        try:
            with self._journal.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                whole = file.read().rpartition(b"\n")[0].splitlines()
        except OSError:
            return None
        return int(json.loads(whole[-1])["offset_ns"]) if whole else None
