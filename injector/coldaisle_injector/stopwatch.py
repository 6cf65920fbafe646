"""Both clocks of the attacker, read once for each frame that arrives."""

from coldaisle_contracts.clock import Federate


class Stopwatch:
    """Virtual and wall time at the last reading of the clocks, so that all lines of one frame have one time.

    Args:
        federate: the source of both times.
    """

    def __init__(self, federate: Federate) -> None:
        self._federate = federate
        self.look()

    def look(self) -> None:
        """Read both clocks."""
        self._now_ns, self._wall_ns = self._federate.both_ns()

    def now_ns(self) -> int:
        """Return the virtual time at the last reading of the clocks, in ns."""
        return self._now_ns

    def wall_ns(self) -> int:
        """Return the wall time at the last reading of the clocks, in ns."""
        return self._wall_ns
