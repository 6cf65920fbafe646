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
        clock: the controller's clock.
        journal: where each query is written down.
    """

    def __init__(self, host: str, clock: Clock, journal: Journal) -> None:
        self._host, self._clock, self._journal = host, clock, journal
        self._client = ntplib.NTPClient()
        self._offset_ns = 0

    def query(self) -> None:
        """Ask the server once (RFC 5905 client mode) and adopt its offset."""
        at_ns = self._clock.now_ns()
        try:
            answer = self._client.request(self._host, version=4, port=NTP_PORT, timeout=TIMEOUT_S)
        except (ntplib.NTPException, OSError) as error:
            self._journal.write("time", at_ns=at_ns, failed=str(error))
            return
        self._offset_ns = round(answer.offset * SECOND)
        self._journal.write(
            "time", at_ns=at_ns, offset_ns=self._offset_ns, delay_ns=round(answer.delay * SECOND)
        )

    def stamp_ns(self) -> int:
        """Return the corrected time, ns since the epoch."""
        return self._clock.now_ns() + self._offset_ns
