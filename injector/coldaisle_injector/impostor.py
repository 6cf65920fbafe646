"""The impostor: a server of TLS over frames, which answers a unit in the broker's name with a certificate of its own.

It speaks as much of TCP as a handshake on a network without loss needs; OpenSSL speaks TLS in memory.
"""

import ssl
from contextlib import suppress
from dataclasses import dataclass, field

from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_injector import frames
from coldaisle_injector.segments import ACK, FIN, PSH, RST, SYN, Segment
from coldaisle_injector.translation import MASK

_MOST = 1_400
"""Most bytes of a segment's payload."""


@dataclass
class _Talk:
    """A connection: the next sequence number of either side, and its TLS."""

    context: ssl.SSLContext
    ours: int
    theirs: int
    heard: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    said: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)

    def __post_init__(self) -> None:
        self.tls = self.context.wrap_bio(self.heard, self.said, server_side=True)

    def hear(self, data: bytes) -> list[bytes]:
        """Take in bytes of the unit, and return the payloads of the segments that answer them."""
        self.theirs = self.theirs + len(data) & MASK
        self.heard.write(data)
        with suppress(ssl.SSLError):  # it waits for more, or the unit has refused the certificate
            self.tls.do_handshake()
        answer = self.said.read()
        return [answer[at : at + _MOST] for at in range(0, len(answer), _MOST)]


class Impostor:
    """Answers connections of a unit in the broker's name.

    Args:
        context: settings of TLS, with the attacker's certificate.
        unit: the unit.
    """

    def __init__(self, context: ssl.SSLContext, unit: Host) -> None:
        self._context, self._macs = context, (INJECTOR.mac, unit.mac)
        self._talks: dict[int, _Talk] = {}

    def knows(self, segment: Segment) -> bool:
        """Tell whether a segment continues a connection that it has answered; a SYN begins another one from that port."""
        if segment.flags & SYN:
            self._talks.pop(segment.sport, None)
        return segment.sport in self._talks

    def begin(self, segment: Segment, number: int) -> list[bytes]:
        """Return the answer to a SYN, with an initial sequence number."""
        talk = _Talk(self._context, number + 1 & MASK, segment.seq + 1 & MASK)
        self._talks[segment.sport] = talk
        return [frames.answer(segment, self._macs, (number, talk.theirs), SYN | ACK)]

    def go_on(self, segment: Segment) -> list[bytes]:
        """Return the answers to a further segment of a connection; what comes again is acknowledged again."""
        talk = self._talks[segment.sport]
        if segment.flags & RST or not (segment.payload or segment.flags & FIN):
            return []
        payloads = talk.hear(segment.payload) if segment.seq == talk.theirs and segment.payload else []
        ends = segment.flags & FIN and segment.seq + len(segment.payload) & MASK == talk.theirs
        talk.theirs = talk.theirs + bool(ends) & MASK
        return [
            self._say(segment, talk, payload, PSH if payload else FIN if ends else 0)
            for payload in payloads or [b""]
        ]

    def _say(self, segment: Segment, talk: _Talk, payload: bytes, flags: int) -> bytes:
        frame = frames.answer(segment, self._macs, (talk.ours, talk.theirs), ACK | flags, payload)
        talk.ours = talk.ours + len(payload) + bool(flags & FIN) & MASK
        return frame
