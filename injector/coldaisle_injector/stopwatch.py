"""Both clocks of the attacker, looked at once for each frame that arrives."""

from coldaisle_contracts.clock import Federate


class Stopwatch:
    """Virtual and wall time at the last look: all that is done with a frame happens at one time.

    Args:
        federate: where time comes from.
    """

    def __init__(self, federate: Federate) -> None:
        self._federate = federate
        self.look()

    def look(self) -> None:
        """Take both times now."""
        self._now_ns, self._wall_ns = self._federate.now_ns(), self._federate.wall_ns()

    def now_ns(self) -> int:
        """Return the virtual time of the last look, ns."""
        return self._now_ns

    def wall_ns(self) -> int:
        """Return the wall time of the last look, ns."""
        return self._wall_ns
