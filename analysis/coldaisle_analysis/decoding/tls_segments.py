"""TLS in TCP: the records that each segment completes, and the same segment with its plaintext (RFC 8446, section 5.1)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

Way = tuple[bytes, int, bytes, int]
"""Address and port of the sender, then of the receiver."""
_ETHERNET, _PORTS, _SEQUENCE = 14, 4, 8
_SYN = 2
_HEADER, _HANDSHAKE, _APPLICATION = 5, 22, 23
_WHOLE = 0xFFFFFFFF


@dataclass(slots=True)
class Segment:
    """A TCP segment from or to the port of MQTT within TLS.

    Attributes:
        way: its sender and receiver.
        seq, flags: its fields.
        tcp: offset of its TCP header in the frame.
        start, end: offsets of its payload.
    """

    way: Way
    seq: int
    flags: int
    tcp: int
    start: int
    end: int

    @property
    def back(self) -> Way:
        """Its receiver and sender."""
        return self.way[2], self.way[3], self.way[0], self.way[1]


def segment_of(frame: bytes) -> Segment:
    """Return the segment in an Ethernet frame, which the caller knows to be one of IPv4 and TCP."""
    tcp = _ETHERNET + (frame[_ETHERNET] & 15) * 4
    sport, dport, seq = struct.unpack_from("!HHI", frame, tcp)
    end = _ETHERNET + int.from_bytes(frame[_ETHERNET + 2 : _ETHERNET + 4], "big")
    way = frame[_ETHERNET + 12 : _ETHERNET + 16], sport, frame[_ETHERNET + 16 : _ETHERNET + 20], dport
    return Segment(way, seq, frame[tcp + 13], tcp, tcp + (frame[tcp + 12] >> 4) * 4, end)


@dataclass(slots=True)
class Records:
    """The records that a segment completes.

    Attributes:
        count: their number.
        kind: content type of the first, as it is on the wire: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application_data.
        version: its version, such as 0x0303.
        length: its length, in bytes, without its header of five bytes.
        handshake: type of its first handshake message, such as 1 for ClientHello; -1 where there is none to see.
    """

    count: int
    kind: int
    version: int
    length: int
    handshake: int


@dataclass(slots=True)
class _Stream:
    """One direction of a connection.

    Attributes:
        first: sequence number of its first byte.
        next: sequence number behind the last byte that was read.
        said: bytes of plaintext so far.
        rest: bytes of a record that is not complete.
        early: segments that came before their turn, by sequence number.
        spoken: plaintext by the sequence number behind the segment that completed it.
        hidden: whether the sender has sent ChangeCipherSpec, behind which a handshake message is encrypted.
    """

    first: int = 0
    next: int = 0
    said: int = 0
    rest: bytes = b""
    early: dict[int, bytes] = field(default_factory=dict)
    spoken: dict[int, bytes] = field(default_factory=dict)
    hidden: bool = False


class Streams:
    """Follows the connections of a stretch that was recorded together, frame by frame."""

    def __init__(self) -> None:
        self._streams: dict[Way, _Stream] = {}

    def records(self, frame: bytes) -> Records | None:
        """Return the records that a frame completes, ``None`` where it completes none."""
        segment = segment_of(frame)
        stream = self._stream(segment)
        payload = frame[segment.start : segment.end]
        if not payload:
            return None
        if ahead(segment.seq, stream.next) > 0:
            stream.early[segment.seq] = payload
            return None
        found = list(self._read(stream, segment.seq, payload))
        if not found:
            return None
        kind, version, length, handshake = found[0]
        return Records(len(found), kind, version, length, handshake)

    def _read(self, stream: _Stream, seq: int, payload: bytes) -> Iterator[tuple[int, int, int, int]]:
        known = ahead(stream.next, seq)
        if known >= len(payload):
            return
        data = payload[known:]
        stream.next = (stream.next + len(data)) & _WHOLE
        while stream.next in stream.early:
            later = stream.early.pop(stream.next)
            data += later
            stream.next = (stream.next + len(later)) & _WHOLE
        stream.rest += data
        while len(stream.rest) >= _HEADER:
            kind, version, length = struct.unpack_from("!BHH", stream.rest)
            if len(stream.rest) < _HEADER + length:
                return
            shows = kind == _HANDSHAKE and not stream.hidden and length > 0
            yield kind, version, length, stream.rest[_HEADER] if shows else -1
            stream.hidden |= kind in (_HANDSHAKE - 2, _APPLICATION)
            stream.rest = stream.rest[_HEADER + length :]

    def _stream(self, segment: Segment) -> _Stream:
        stream = self._streams.get(segment.way)
        first = (segment.seq + 1) & _WHOLE
        if stream is None or (segment.flags & _SYN and stream.first != first):
            first = first if segment.flags & _SYN else segment.seq
            stream = self._streams[segment.way] = _Stream(first, first)
        return stream

    def plain(self, frame: bytes, said: bytes) -> tuple[bytes, bytes]:
        """Return a frame with plaintext instead of TLS, and what it carries: where it was sent again, what it carried at first.

        Sequence numbers count the bytes of plaintext, and a segment that was sent again has no payload.

        Args:
            frame: the frame.
            said: plaintext that it completes.
        """
        segment = segment_of(frame)
        stream, other = self._stream(segment), self._streams.get(segment.back)
        carried = said
        if segment.end > segment.start:
            behind = (segment.seq + segment.end - segment.start) & _WHOLE
            if said:
                stream.spoken[behind] = said
            carried = said or stream.spoken.get(behind, b"")
        seq = segment.seq if segment.flags & _SYN else (stream.first + stream.said) & _WHOLE
        ack = int.from_bytes(frame[segment.tcp + _SEQUENCE : segment.tcp + _SEQUENCE + 4], "big")
        if other is not None and not segment.flags & _SYN:
            ack = (other.first + other.said) & _WHOLE
        stream.said += len(said)
        head = bytearray(frame[: segment.start])
        struct.pack_into("!H", head, _ETHERNET + 2, segment.start - _ETHERNET + len(said))
        struct.pack_into("!II", head, segment.tcp + _PORTS, seq, ack)
        return bytes(head) + said, carried


def ahead(left: int, right: int) -> int:
    """Return how far a sequence number is ahead of another, modulo 2^32; negative when behind."""
    return ((left - right + 0x80000000) & _WHOLE) - 0x80000000
