"""The rest of a network: how long time waits before it jumps, once every federate waits."""

import math
import time
from typing import NamedTuple, Protocol

from coldaisle_contracts.clock import SECOND

REST_NS = 44_000_000
"""Time for which all federates must have waited before time jumps, in ns: Linux delays an ACK by 40 ms, plus a timer tick of 4 ms. Where
the kernel says that nothing is under way any more, time jumps earlier."""
LULL_NS = 6_000_000
"""Time for which all federates must have waited, and no frame was on the wire, before time jumps, in ns: frames that the attacker sends or
relays have arrived by then."""
MOMENT_S = 0.001
"""Time after which a busy network is looked at again, in s."""


PATIENCE_S = 5.0
"""Longest time for which a busy network holds time after its rest, in s: a program that is awake for longer does not act on a frame."""


class Outlook(NamedTuple):
    """What a look at a network shows.

    Attributes:
        still_in_s: time after which the network may be still, in s; 0 if it is now.
        surely: whether it will be still then unless a program acts.
    """

    still_in_s: float
    surely: bool


class Network(Protocol):
    """What is under way on the network of a shard."""

    def is_busy(self) -> bool:
        """Tell whether a frame is on its way, or a program that acts on frames is awake: time must not jump."""

    def look(self) -> Outlook:
        """Look whether the network is still, so that time may jump without a rest."""


class _Unknown:
    """A network of which nothing is known, as in containers."""

    def is_busy(self) -> bool:
        return False

    def look(self) -> Outlook:
        return Outlook(math.inf, surely=False)


UNKNOWN = _Unknown()
"""A network of which nothing is known, as in containers."""


class Rest:
    """The time for which a network has rested.

    Args:
        network: what is known of it.
    """

    def __init__(self, network: Network = UNKNOWN) -> None:
        self._network = network
        self._asked = self._stirred = time.monotonic()
        self._look, self._surely = 0.0, False

    def ask(self) -> None:
        """Note that a federate joined, asked for time or left."""
        self._asked, self._surely = time.monotonic(), False

    def stir(self) -> None:
        """Note that frames just passed."""
        self._stirred, self._surely = time.monotonic(), False

    def wait_s(self, *, may_be_short: bool) -> float:
        """Return for how long time must not jump yet, in s; 0 if it may.

        Args:
            may_be_short: whether the rest may be cut short where everything is still.
        """
        now = time.monotonic()
        lull = max(self._asked, self._stirred) + LULL_NS / SECOND
        rest = max(self._asked + REST_NS / SECOND, self._stirred + LULL_NS / SECOND)
        if now >= rest:
            return MOMENT_S if now < rest + PATIENCE_S and self._network.is_busy() else 0.0
        if not may_be_short:
            return rest - now
        self._look = max(self._look, lull)
        if now >= self._look:
            if self._surely:
                return MOMENT_S if self._network.is_busy() else 0.0
            still_in_s, self._surely = self._network.look()
            if not still_in_s:
                return 0.0
            self._look = now + still_in_s
        return min(rest, self._look) - now
