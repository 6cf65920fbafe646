"""Flows: the connections and datagrams that acts open from the attacker's own host, and the frames that follow from them.

A frame follows from a flow by its 4-tuple and, for TCP, by its sequence or acknowledgement number (RFC 9293, section 3.4). Its time does
not matter. A later connection from the same port is another flow, which belongs to an episode only if an act opened it.
"""

from dataclasses import dataclass

from coldaisle_contracts.journal import ETHERNET
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import ACK, FIN, RST, SYN, Segment, read_addresses, read_ports
from coldaisle_injector.translation import MASK, ahead

_ICMP, _TCP = 1, 6
_ICMP_HEADER, _IP_HEADER, _PORTS = 8, 20, 4
_ERRORS = (3, 4, 5, 11, 12)
"""ICMP types that quote the packet they are about (RFC 792)."""

Key = tuple[int, int, str, int]
"""IP protocol, port of the attacker's host, the other side's IPv4 address and port."""


@dataclass
class Flow:
    """A connection or datagram that an act opened from the attacker's own host.

    Attributes:
        notes: the journal of the episode that opened it.
        first: initial sequence number of the attacker's side; ``None`` before its SYN.
        next: the next sequence number of that side.
        acked: newest acknowledgement number of that side; ``None`` before any.
    """

    notes: Notes
    first: int | None = None
    next: int = 0
    acked: int | None = None

    def sent(self, segment: Segment) -> bool:
        """Take note of a segment from the attacker's side and tell whether it is part of this connection."""
        length = len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
        if self.first is None:
            if not segment.flags & SYN:
                return False
            self.first = self.next = segment.seq
        again = segment.flags & SYN and segment.seq != self.first
        if again or ahead(segment.seq, self.first) < 0 or ahead(segment.seq, self.next) > 0:
            return False
        if ahead(segment.seq + length, self.next) > 0:
            self.next = (segment.seq + length) & MASK
        if segment.flags & ACK:
            self.acked = segment.ack
        return True

    def received(self, segment: Segment) -> bool:
        """Tell whether a segment of the other side belongs to this connection: it acknowledges data of it, or resets it."""
        if self.first is None:
            return False
        if segment.flags & ACK:
            return ahead(segment.ack, self.first) > 0 and ahead(segment.ack, self.next) <= 0
        return bool(segment.flags & RST) and self.acked is not None and ahead(segment.seq, self.acked) <= 0


class Flows:
    """Every flow of the attacker's own host, by its 4-tuple."""

    def __init__(self) -> None:
        self._flows: dict[Key, Flow] = {}

    def open(self, port: int, peer: str, peer_port: int, notes: Notes) -> None:
        """Expect a TCP connection that an act requests from the kernel."""
        self._flows[_TCP, port, peer, peer_port] = Flow(notes)

    def made(self, frame: bytes, notes: Notes) -> None:
        """Take note of a frame that an act crafted; answers to it belong to the act."""
        key = _key(frame, outgoing=True)
        if key is None:
            return
        flow = self._flows[key] = Flow(notes)
        if segment := Segment.read(frame):
            flow.sent(segment)

    def owner(self, frame: bytes, *, outgoing: bool) -> Notes | None:
        """Return the journal of the episode that an IPv4 frame follows from, ``None`` when it follows from none."""
        if (quoted := _quoted(frame)) is not None:
            addresses, about = read_addresses(frame), read_addresses(quoted)
            ours = addresses and about and about[0] == addresses[0 if outgoing else 1]
            flow = self._flow(quoted, outgoing=bool(ours))
            return flow.notes if flow else None
        flow, segment = self._flow(frame, outgoing=outgoing), Segment.read(frame)
        if flow is None or (segment and not (flow.sent if outgoing else flow.received)(segment)):
            return None
        return flow.notes

    def _flow(self, frame: bytes, *, outgoing: bool) -> Flow | None:
        key = _key(frame, outgoing=outgoing)
        return self._flows.get(key) if key else None


def _key(frame: bytes, *, outgoing: bool) -> Key | None:
    """Return the key of the flow of a TCP segment or UDP datagram, ``None`` for any other frame."""
    ports, addresses = read_ports(frame), read_addresses(frame)
    if ports is None or addresses is None:
        return None
    here, there = (0, 1) if outgoing else (1, 0)
    return frame[ETHERNET + 9], ports[here], addresses[there], ports[there]


def _quoted(frame: bytes) -> bytes | None:
    """Return the start of the packet that an ICMP error quotes, as a frame; ``None`` for any other frame."""
    if read_addresses(frame) is None or frame[ETHERNET + 9] != _ICMP:
        return None
    start = ETHERNET + (frame[ETHERNET] & 15) * 4
    quoted = frame[start + _ICMP_HEADER :]
    if len(quoted) < _IP_HEADER + _PORTS or frame[start] not in _ERRORS:
        return None
    return frame[:ETHERNET] + quoted
