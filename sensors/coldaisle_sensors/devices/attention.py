"""A companion's clock: while it waits for its next time, it hears what its connection brings."""

import select
from collections.abc import Callable

from coldaisle_contracts.clock import Federate


class Attention:
    """A clock (:class:`~coldaisle_contracts.clock.Clock`) whose waits end early when a message comes.

    Args:
        federate: the companion's membership of the federation.
        hear: handles what has come, and returns whether that was something; it may publish and wait for answers.
        socket: returns the descriptor of the connection, -1 where there is none.
    """

    def __init__(self, federate: Federate, hear: Callable[[], bool], socket: Callable[[], int]) -> None:
        self._federate, self._hear, self._socket = federate, hear, socket

    def now_ns(self) -> int:
        """Return the virtual time, in ns since the epoch."""
        return self._federate.now_ns()

    def advance(self, to_ns: int) -> None:
        """Block until virtual time reaches ``to_ns``, or until something came and was handled.

        Time stands still while the companion handles it: the request for a time advance is withdrawn first. A grant that was on its way
        then still comes; it is one for a time that has passed, so the wait goes on.
        """
        if self._hear() or self.now_ns() >= to_ns:
            return
        self._federate.request(to_ns)
        while self.now_ns() < to_ns:
            connection = [descriptor] if (descriptor := self._socket()) >= 0 else []
            ready = select.select([*connection, self._federate.socket.fileno()], [], [])[0]
            if connection and connection[0] in ready:
                self._federate.withdraw()
                self._hear()
                return
            self._federate.granted()
            if self.now_ns() < to_ns:
                self._federate.request(to_ns)
