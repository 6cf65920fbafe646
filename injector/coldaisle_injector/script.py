"""Scripts: what an attacker does one thing after the other, as a generator that yields what it waits for."""

import heapq
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass

from coldaisle_contracts.errors import ColdaisleError
from coldaisle_injector.notes import Times

AT_ONCE = 32
"""A script that is late catches up in so many steps at once: between them the tap is read, which holds few frames."""
PATIENCE_NS = 15_000_000_000
"""What a script waits for happens within so long, or the run is void, ns of wall time."""


@dataclass(frozen=True)
class At:
    """Wait for a virtual time; idle time is skipped.

    Attributes:
        ns: the time, ns since the epoch; one that has passed is no wait.
    """

    ns: int


@dataclass(frozen=True)
class Until:
    """Wait for something to happen on the wire; time does not jump meanwhile.

    Attributes:
        met: tells whether it has happened.
        what: what it is, for the error when it does not.
    """

    met: Callable[[], bool]
    what: str


Script = Generator[At | Until, None, None]


class StuckError(ColdaisleError):
    """What a script waited for did not happen."""

    exit_code = 3

    def __init__(self, what: str) -> None:
        super().__init__(f"the attacker waited in vain for {what}; the run is void")


class ScriptRunner:
    """Plays scripts side by side.

    Args:
        times: the attacker's clocks.
    """

    def __init__(self, times: Times) -> None:
        self._times = times
        self._order = itertools.count()
        self._timed: list[tuple[int, int, Script]] = []
        self._waiting: list[tuple[Until, int, Script]] = []

    def add(self, script: Script) -> None:
        """Play a script up to its first wait."""
        self._step(script)

    @property
    def settled(self) -> bool:
        """Whether no script waits for something on the wire."""
        return not self._waiting

    @property
    def next_ns(self) -> int | None:
        """When the next script goes on, ns; ``None`` when none waits for a time."""
        return self._timed[0][0] if self._timed else None

    def run_due(self, now_ns: int) -> None:
        """Go on with every script whose time has come."""
        due = []
        while self._timed and self._timed[0][0] <= now_ns:
            due.append(heapq.heappop(self._timed)[2])
        for script in due:
            self._step(script)

    def look(self) -> None:
        """Go on with every script whose wait is over.

        Raises:
            StuckError: if one has waited for longer than :data:`PATIENCE_NS`.
        """
        waiting, self._waiting = self._waiting, []
        for wait, since_ns, script in waiting:
            if wait.met():
                self._step(script)
            elif self._times.wall_ns() - since_ns > PATIENCE_NS:
                raise StuckError(wait.what)
            else:
                self._waiting.append((wait, since_ns, script))

    def _step(self, script: Script) -> None:
        """Play a script up to the next thing it really has to wait for."""
        for steps, wait in enumerate(script, 1):
            if isinstance(wait, Until):
                if not wait.met():
                    self._waiting.append((wait, self._times.wall_ns(), script))
                    return
            elif wait.ns > self._times.now_ns() or steps > AT_ONCE:
                heapq.heappush(self._timed, (wait.ns, next(self._order), script))
                return
