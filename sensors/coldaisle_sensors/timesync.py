"""A controller's correction of its own clock by NTP; the only module that imports ntplib.

An NTP timestamp counts seconds since 1900 in 32 bits, which start again on 2036-02-07 at 06:28:16 UTC (era 1, RFC 5905 section 6). ntplib
refuses to write a time of era 1, and reads one as a time of era 0. So only its packets are used here: times are written without their
era, and only differences are computed from them, relative to the nearest era. They are right as long as two clocks are less than 68
years apart.
"""

import socket
import time
from collections.abc import Callable

import ntplib  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import NTP_PORT
from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import FailedTimeLine, TimeLine

TIMEOUT_S = 2
ERA_S = 2**32
"""Length of an era, in s."""
Ask = Callable[[str, int], tuple[float, float]]
EXPEDITED = 46
"""Service class (DSCP, RFC 3246) of a query, that of the published captures; chronyd answers with the same."""
_PACKET = 256
"""Greatest number of bytes of an answer that are read."""


class TimeSync:
    """Queries an NTP server and keeps the last offset; without an answer the offset stays as it was.

    Args:
        host: IPv4 address of the NTP server.
        clock: true time.
        journal: the unit's journal.
        port: UDP port of the server.
        ask: queries a host and port, see :func:`exchange`.

    Attributes:
        ahead_ns: how far the controller's own clock has jumped ahead since it was last corrected, in ns; 0 corrects it.
        synced: slot of the last query that was answered, -1 before the first.
    """

    def __init__(
        self, host: str, clock: Clock, journal: Journal, port: int = NTP_PORT, ask: Ask | None = None
    ) -> None:
        self._host, self._port, self._clock, self._journal = host, port, clock, journal
        self._ask = ask or exchange
        self._offset_ns = 0
        self.ahead_ns = 0
        self.synced = -1

    def query(self, slot: int) -> None:
        """Query the server once (RFC 5905 client mode) and adopt its offset, which corrects a clock that has jumped.

        Args:
            slot: slot of the query.
        """
        at_ns = self._clock.now_ns()
        try:
            offset_s, delay_s = self._ask(self._host, self._port)
        except (ntplib.NTPException, OSError) as error:
            self._journal.write(FailedTimeLine(slot, at_ns, str(error)))
            return
        self._offset_ns, self.ahead_ns, self.synced = round(offset_s * SECOND), 0, slot
        self._journal.write(TimeLine(slot, at_ns, self._offset_ns, round(delay_s * SECOND)))

    def stamp_ns(self) -> int:
        """Return the corrected time, in ns since the epoch."""
        return self._clock.now_ns() + self.ahead_ns + self._offset_ns


def exchange(host: str, port: int) -> tuple[float, float]:
    """Query a server; return how far its clock is ahead of ours and the round-trip delay, both in s.

    Raises:
        ntplib.NTPException: if no answer comes within :data:`TIMEOUT_S`, or the answer is no NTP packet.
        OSError: if the network refuses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT_S)
        client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED << 2)
        sent = _now()
        client.sendto(ntplib.NTPPacket(mode=3, version=4, tx_timestamp=sent).to_data(), (host, port))
        try:
            while True:
                data, (source, _) = client.recvfrom(_PACKET)
                arrived = _now()
                if source == host:
                    break
        except TimeoutError as error:
            raise ntplib.NTPException(f"No response received from {host}.") from error
    answer = ntplib.NTPPacket()
    answer.from_data(data)
    there, back = _since(answer.recv_timestamp, answer.orig_timestamp), _since(answer.tx_timestamp, arrived)
    return (there + back) / 2, there - back


def _now() -> float:
    """Return the time as an NTP timestamp, in s since the begin of its era."""
    return float(ntplib.system_to_ntp_time(time.time()) % ERA_S)


def _since(later: float, earlier: float) -> float:
    """Return the time between two timestamps, in s, each in the era in which it is nearest to the other."""
    return (later - earlier + ERA_S / 2) % ERA_S - ERA_S / 2
