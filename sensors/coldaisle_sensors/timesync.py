"""The one door to ntplib: a controller's correction of its own clock."""

import ntplib  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import NTP_PORT
from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.journal import Journal

TIMEOUT_S = 2


class TimeSync:
    """Asks an NTP server and keeps the last offset; a silent server leaves it as it was.

    Args:
        host: IPv4 address of the NTP server.
        clock: true time.
        journal: where each query is written down.

    Attributes:
        ahead_ns: how far the controller's own clock has jumped ahead since it was last put right, ns.
        synced: slot of the last query that was answered, -1 before the first.
    """

    def __init__(self, host: str, clock: Clock, journal: Journal) -> None:
        self._host, self._clock, self._journal = host, clock, journal
        self._client = ntplib.NTPClient()
        self._offset_ns = 0
        self.ahead_ns = 0
        self.synced = -1

    def step(self, ahead_ns: int) -> None:
        """Have the controller's own clock jump so far ahead of true time; 0 puts it right."""
        self.ahead_ns = ahead_ns

    def query(self, slot: int) -> None:
        """Ask the server once (RFC 5905 client mode), adopt its offset, and so put a clock right that had jumped.

        Args:
            slot: the slot in which it is asked.
        """
        at_ns = self._clock.now_ns()
        try:
            answer = self._client.request(self._host, version=4, port=NTP_PORT, timeout=TIMEOUT_S)
        except (ntplib.NTPException, OSError) as error:
            self._journal.write("time", slot=slot, at_ns=at_ns, failed=str(error))
            return
        self._offset_ns, self.ahead_ns, self.synced = round(answer.offset * SECOND), 0, slot
        self._journal.write(
            "time",
            slot=slot,
            at_ns=at_ns,
            offset_ns=self._offset_ns,
            delay_ns=round(answer.delay * SECOND),
        )

    def stamp_ns(self) -> int:
        """Return the corrected time, ns since the epoch."""
        return self._clock.now_ns() + self.ahead_ns + self._offset_ns
