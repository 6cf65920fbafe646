"""The agenda of a day: what a unit does and when, as scripts played side by side in the order of their times."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from coldaisle_contracts.clock import Clock

STEP = 20_000_000
"""A unit that waits for an answer, and for something to do meanwhile, asks for so much time at once, ns.

Others whose time has come act in between, and it is too little for the timekeeper to skip any.
"""


@dataclass(frozen=True)
class Due:
    """When a script goes on.

    Attributes:
        at_ns: tells the virtual time, ns; asked again and again, for a clock that jumps moves what is still to come.
        amid: whether it may come while a reading waits for its acknowledgement.
    """

    at_ns: Callable[[], int]
    amid: bool = False


Script = Generator[Due, None, None]
"""What is done one thing after the other; it yields when it goes on."""


def at(ns: int, *, amid: bool = False) -> Due:
    """Return a time that stays as it is."""
    return Due(lambda: ns, amid)


class Agenda:
    """Plays scripts side by side.

    Args:
        clock: what is asked for time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[Script, Due] = {}

    def add(self, script: Script) -> None:
        """Run a script to what it waits for first."""
        self._go_on(script)

    def play(self) -> None:
        """Let whichever script is due next go on, until all have ended."""
        while self._waiting:
            script, due = min(self._waiting.items(), key=lambda pair: pair[1].at_ns())
            self._clock.advance(due.at_ns())
            self._go_on(script)

    def meanwhile(self) -> float:
        """Let a moment pass, and play what is due then, if anything may come amid a reading.

        Returns:
            How long the caller may wait for its answer until it calls again, s.
        """
        coming = [(due.at_ns(), script) for script, due in self._waiting.items() if due.amid]
        if not coming:
            return math.inf
        next_ns, script = min(coming, key=lambda pair: pair[0])
        self._clock.advance(min(next_ns, self._clock.now_ns() + STEP))
        if self._clock.now_ns() >= next_ns:
            self._go_on(script)
        return 0.0

    def _go_on(self, script: Script) -> None:
        self._waiting.pop(script, None)  # one that is running waits for nothing, whatever it waits through
        if (due := next(script, None)) is not None:
            self._waiting[script] = due
