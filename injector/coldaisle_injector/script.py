"""Scripts: the steps of an attack as a generator that yields the conditions it waits for, and the runner of scripts."""

import heapq
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass

from coldaisle_contracts.errors import RunError
from coldaisle_injector.notes import Times

AT_ONCE = 32
"""Number of steps that a late script takes at once; the tap, whose buffer holds few frames, is read after them."""
PATIENCE_NS = 15_000_000_000
"""Longest wall time that a script waits for an event, in ns; after it the run is void."""


@dataclass(frozen=True)
class At:
    """Wait for a virtual time; idle time is skipped.

    Attributes:
        ns: the time, in ns since the epoch; a script does not wait for a time that has passed.
    """

    ns: int


@dataclass(frozen=True)
class Until:
    """Wait for an event on the wire; time does not jump meanwhile.

    Attributes:
        met: tells whether the event has happened.
        event: the event in words, for the error.
    """

    met: Callable[[], bool]
    event: str


Script = Generator[At | Until, None, None]


class StuckError(RunError):
    """The event that a script waited for did not happen."""

    def __init__(self, event: str) -> None:
        super().__init__(f"the attacker waited in vain for {event}; the run is void")


class ScriptRunner:
    """Runs scripts concurrently.

    Args:
        times: the attacker's clocks.
    """

    def __init__(self, times: Times) -> None:
        self._times = times
        self._order = itertools.count()
        self._timed: list[tuple[int, int, Script]] = []
        self._waiting: list[tuple[Until, int, Script]] = []

    def add(self, script: Script) -> None:
        """Run a script up to its first wait."""
        self._step(script)

    @property
    def settled(self) -> bool:
        """Whether no script waits for an event on the wire."""
        return not self._waiting

    @property
    def next_ns(self) -> int | None:
        """Virtual time at which the next script continues, in ns; ``None`` when none waits for a time."""
        return self._timed[0][0] if self._timed else None

    def run_due(self, now_ns: int) -> None:
        """Continue every script whose time has come."""
        due = []
        while self._timed and self._timed[0][0] <= now_ns:
            due.append(heapq.heappop(self._timed)[2])
        for script in due:
            self._step(script)

    def look(self) -> None:
        """Continue every script whose event has happened.

        Raises:
            StuckError: if one has waited for longer than :data:`PATIENCE_NS`.
        """
        waiting, self._waiting = self._waiting, []
        for wait, since_ns, script in waiting:
            if wait.met():
                self._step(script)
            elif self._times.wall_ns() - since_ns > PATIENCE_NS:
                raise StuckError(wait.event)
            else:
                self._waiting.append((wait, since_ns, script))

    def _step(self, script: Script) -> None:
        """Run a script up to the next condition that is not met yet."""
        for steps, wait in enumerate(script, 1):
            if isinstance(wait, Until):
                if not wait.met():
                    self._waiting.append((wait, self._times.wall_ns(), script))
                    return
            elif wait.ns > self._times.now_ns() or steps > AT_ONCE:
                heapq.heappush(self._timed, (wait.ns, next(self._order), script))
                return
