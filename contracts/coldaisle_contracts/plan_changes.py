"""The plan of a run that is played in real time: episodes may be added to it, and the programs that play it take them in."""

from pathlib import Path
from typing import Self

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Episode, Plan

LOOK_NS = SECOND // 2
"""Time between two looks at a plan that may have been changed, in ns."""


class PlanChanges:
    """Follows the ``plan.json`` of a run to which episodes are added; each change replaces the file in one step.

    Args:
        path: the file.
        plan: what a program has read from it.

    Attributes:
        plan: the plan as it was at the last look.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.plan, self._path = plan, path
        self._state: tuple[int, int, int] | None = None

    @classmethod
    def of(cls, path: Path, plan: Plan) -> Self | None:
        """Return what follows a plan; ``None`` in virtual time, in which nobody can add an episode."""
        return cls(path, plan) if plan.scenario.time == "real" else None

    def look(self, days: range) -> list[Episode]:
        """Return the episodes on some days that were added since the last look.

        Raises:
            InputError: if the file cannot be read, or another plan has taken its place.
        """
        status = self._path.stat()
        state = status.st_ino, status.st_mtime_ns, status.st_size
        if state == self._state:
            return []
        self._state = state
        earlier, self.plan = self.plan, Plan.load(self._path)
        if not self.plan.continues(earlier):
            raise InputError(self._path, "it is not the plan that is played: make the run again")
        known = {episode.id for episode in earlier.episodes}
        return [episode for episode in self.plan.episodes_on(days) if episode.id not in known]
