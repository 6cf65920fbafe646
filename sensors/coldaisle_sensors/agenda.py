"""The agenda of a unit's day: concurrent scripts, continued in the order of their times."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.plan_changes import LOOK_NS

STEP = 20_000_000
"""Time advance that a unit requests while it waits for an answer and another script is due meanwhile, in ns.

Other federates that are due act between two such steps, and a step is too short for the timekeeper to skip time.
"""


@dataclass(frozen=True)
class Due:
    """The time at which a script continues.

    Attributes:
        at_ns: returns the virtual time, in ns; it is called repeatedly, because a unit's clock that jumps changes it.
        amid: whether the script may continue while a reading waits for its acknowledgement.
    """

    at_ns: Callable[[], int]
    amid: bool = False


Script = Generator[Due, None, None]
"""A sequence of steps that yields the time of each next step."""


def at(ns: int, *, amid: bool = False) -> Due:
    """Return a fixed time."""
    return Due(lambda: ns, amid)


class Agenda:
    """Runs scripts concurrently.

    Args:
        clock: the unit's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[Script, Due] = {}

    def add(self, script: Script) -> None:
        """Run a script up to its next wait."""
        self._waiting.pop(script, None)  # a running script is not waiting
        if (due := next(script, None)) is not None:
            self._waiting[script] = due

    def play(self, look: Callable[[], None] | None = None) -> None:
        """Continue the script that is due next, until all have ended.

        Args:
            look: called every :data:`LOOK_NS` while nothing is due; it may add scripts. ``None`` waits in one go.
        """
        while self._waiting:
            script, due = min(self._waiting.items(), key=lambda pair: pair[1].at_ns())
            due_ns = due.at_ns()
            if look is not None and due_ns > (next_ns := self._clock.now_ns() + LOOK_NS):
                self._clock.advance(next_ns)
                look()
                continue
            self._clock.advance(due_ns)
            if (
                self._clock.now_ns() >= due_ns
            ):  # a clock may return earlier, when something came that changes the agenda
                self.add(script)

    def clear(self) -> None:
        """Forget every script that waits."""
        self._waiting.clear()

    def meanwhile(self) -> float:
        """Advance time by a step and continue a script that is due then, if any script may continue amid a reading.

        Returns:
            How long the caller may wait for its answer before the next call, in s.
        """
        coming = [(due.at_ns(), script) for script, due in self._waiting.items() if due.amid]
        if not coming:
            return math.inf
        next_ns, script = min(coming, key=lambda pair: pair[0])
        self._clock.advance(min(next_ns, self._clock.now_ns() + STEP))
        if self._clock.now_ns() >= next_ns:
            self.add(script)
        return 0.0
