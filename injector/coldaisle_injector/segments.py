"""Reading and patching of frames as bytes, which every relayed frame needs; scapy would take ten times as long."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from scapy.utils import checksum

from coldaisle_contracts.journal import ARP, ETHERNET, IPV4

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_NOP, _SACK, _TIMESTAMPS, _STAMPS_SIZE = 1, 5, 8, 10
_USUAL, _USUAL_WORDS = bytes((_NOP, _NOP, _TIMESTAMPS, _STAMPS_SIZE)), 8
"""The options with which Linux begins the header of every segment of an open connection, and the header's least length with them."""
_TCP, _UDP = 6, 17
_CHECKSUM = {_TCP: 16, _UDP: 6}
"""Offset of the checksum in a header, by protocol."""


@dataclass(frozen=True)
class Arp:
    """An ARP question or answer: operation, sender and target address."""

    operation: int
    sender_mac: str
    sender_ip: str
    target_ip: str


def read_arp(frame: bytes) -> Arp | None:
    """Return the ARP packet in a frame, ``None`` when there is none."""
    if frame[12:14] != ARP or len(frame) < ETHERNET + 28:
        return None
    packet = frame[ETHERNET:]
    return Arp(
        int.from_bytes(packet[6:8], "big"), packet[8:14].hex(":"), _ip(packet[14:18]), _ip(packet[24:28])
    )


def read_addresses(frame: bytes) -> tuple[str, str] | None:
    """Return source and target IPv4 address of a frame, ``None`` when it is not IPv4."""
    if frame[12:14] != IPV4 or len(frame) < ETHERNET + 20:
        return None
    return _ip(frame[ETHERNET + 12 : ETHERNET + 16]), _ip(frame[ETHERNET + 16 : ETHERNET + 20])


def read_ports(frame: bytes) -> tuple[int, int] | None:
    """Return source and target port of a TCP segment or UDP datagram, ``None`` for any other frame."""
    if frame[12:14] != IPV4 or len(frame) < ETHERNET + 24 or frame[ETHERNET + 9] not in (_TCP, _UDP):
        return None
    sport, dport = struct.unpack_from("!HH", frame, ETHERNET + (frame[ETHERNET] & 15) * 4)
    return sport, dport


@lru_cache(256)  # the test network has fewer addresses
def _ip(packed: bytes) -> str:
    return ".".join(map(str, packed))


@dataclass(slots=True)  # not frozen, which would triple the cost of each relayed frame
class Segment:
    """The TCP segment in a frame.

    Attributes:
        frame: the Ethernet frame it was read from.
        span: start and end of the segment in the frame.
        source, target: IPv4 addresses.
        sport, dport: ports.
        seq, ack: sequence and acknowledgement number.
        flags: TCP flags.
        payload: its payload.
        tsval, tsecr: timestamp option, in ms of the senders' clocks; 0 when absent.
    """

    frame: bytes
    span: tuple[int, int]
    source: str
    target: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    tsval: int
    tsecr: int

    @classmethod
    def read(cls, frame: bytes) -> Self | None:
        """Return the segment in an Ethernet frame, ``None`` when it is not whole TCP over IPv4."""
        if frame[12:14] != IPV4 or len(frame) < ETHERNET + 40 or frame[ETHERNET + 9] != _TCP:
            return None
        start, end = _span(frame)
        sport, dport, seq, ack, words, flags = struct.unpack_from("!HHIIBB", frame, start)
        data = start + (words >> 4) * 4
        tsval, tsecr = _timestamps(frame, start)
        source, target = _ip(frame[ETHERNET + 12 : ETHERNET + 16]), _ip(frame[ETHERNET + 16 : ETHERNET + 20])
        return cls(
            frame, (start, end), source, target, sport, dport, seq, ack, flags, frame[data:end], tsval, tsecr
        )


def _span(frame: bytes | bytearray) -> tuple[int, int]:
    """Return start and end of the payload of the IPv4 packet in a frame."""
    start = ETHERNET + (frame[ETHERNET] & 15) * 4
    return start, ETHERNET + int.from_bytes(frame[ETHERNET + 2 : ETHERNET + 4], "big")


def _options(frame: bytes | bytearray, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield offset in the frame, kind and length of every option of the TCP header that starts at an offset."""
    at, stop = start + 20, min(start + (frame[start + 12] >> 4) * 4, len(frame))
    while at < stop and frame[at] != 0:
        size = 1 if frame[at] == _NOP or at + 1 >= stop else max(2, frame[at + 1])
        yield at, frame[at], min(size, stop - at)
        at += size


def _timestamps(frame: bytes, start: int) -> tuple[int, int]:
    """Return TSval and TSecr (RFC 7323) of a TCP header, zeros when it has none."""
    whole = len(frame) >= start + 4 * _USUAL_WORDS
    if whole and frame[start + 20 : start + 24] == _USUAL and frame[start + 12] >> 4 >= _USUAL_WORDS:
        tsval, tsecr = struct.unpack_from("!II", frame, start + 24)
        return tsval, tsecr
    for at, kind, size in _options(frame, start):
        if kind == _TIMESTAMPS and size == _STAMPS_SIZE:
            tsval, tsecr = struct.unpack_from("!II", frame, at + 2)
            return tsval, tsecr
    return 0, 0


def has_sack(segment: Segment) -> bool:
    """Tell whether a segment has a selective acknowledgement (RFC 2018), which also reports duplicates (RFC 2883)."""
    return any(kind == _SACK for _, kind, _ in _options(segment.frame, segment.span[0]))


def with_datagram(frame: bytes, macs: tuple[str, str], payload: bytes) -> bytes:
    """Return a UDP datagram's frame with other MAC addresses, a payload of the same length and a right checksum."""
    start, _ = _span(frame)
    out = bytearray(readdress(frame, *macs))
    out[start + 8 : start + 8 + len(payload)] = payload
    _seal(out)
    return bytes(out)


def datagram(frame: bytes) -> bytes | None:
    """Return the payload of a UDP datagram over IPv4, ``None`` for any other frame."""
    if frame[12:14] != IPV4 or frame[ETHERNET + 9] != _UDP:
        return None
    start, end = _span(frame)
    return frame[start + 8 : end]


def is_sound(segment: Segment) -> bool:
    """Tell whether the segment's checksum is right; a sender whose card computes checksums leaves it empty."""
    start, end = segment.span
    return bool(checksum(_pseudo(segment.frame, end - start) + segment.frame[start:end]) == 0)


def readdress(frame: bytes, source_mac: str, target_mac: str) -> bytes:
    """Return a frame with other MAC addresses and nothing else changed."""
    return bytes.fromhex((target_mac + source_mac).replace(":", "")) + frame[12:]


def renew(frame: bytes, macs: tuple[str, str]) -> bytes:
    """Return a frame with other MAC addresses and, for TCP and UDP, a right checksum.

    A sender whose card computes checksums leaves it empty, and a packet socket does not fill it in.
    """
    out = bytearray(readdress(frame, *macs))
    if out[12:14] == IPV4 and len(out) >= ETHERNET + 20 and out[ETHERNET + 9] in _CHECKSUM:
        _seal(out)
    return bytes(out)


def translate(
    segment: Segment, macs: tuple[str, str], seq: int, ack: int, payload: bytes | None = None
) -> bytes:
    """Return the segment's frame with other sequence and acknowledgement numbers and right lengths and checksums.

    Selective acknowledgements become padding, because they name sequence numbers that the other side never saw.

    Args:
        segment: the segment that arrived.
        macs: source and target MAC address of the new frame.
        seq: new sequence number.
        ack: new acknowledgement number.
        payload: new payload; the same when left out.
    """
    start, end = segment.span
    out = bytearray(readdress(segment.frame, *macs))
    if payload is not None:
        out[end - len(segment.payload) :] = payload
        _measure(out)
    struct.pack_into("!II", out, start + 4, seq, ack)
    for at, kind, size in _options(out, start):
        if kind == _SACK:
            out[at : at + size] = bytes((_NOP,)) * size
    _seal(out)
    return bytes(out)


def complete(frame: bytearray) -> bytes:
    """Return a frame that ends with its TCP segment or UDP datagram, with right lengths and checksums."""
    _measure(frame)
    _seal(frame)
    return bytes(frame)


def _measure(frame: bytearray) -> None:
    """Put the right length and header checksum into the IPv4 packet that a frame ends with."""
    start, _ = _span(frame)
    struct.pack_into("!H", frame, ETHERNET + 2, len(frame) - ETHERNET)
    struct.pack_into("!H", frame, ETHERNET + 10, 0)
    struct.pack_into("!H", frame, ETHERNET + 10, checksum(bytes(frame[ETHERNET:start])))


def _seal(frame: bytearray) -> None:
    """Put the right checksum (RFC 1071) into the TCP segment or UDP datagram in a frame."""
    start, end = _span(frame)
    protocol = frame[ETHERNET + 9]
    at = start + _CHECKSUM[protocol]
    if at + 2 > end:
        return
    frame[at : at + 2] = b"\0\0"
    value = checksum(_pseudo(frame, end - start) + bytes(frame[start:end]))
    if protocol == _UDP and value == 0:
        value = 0xFFFF  # RFC 768: 0 would mean that there is none
    frame[at : at + 2] = value.to_bytes(2, "big")


def _pseudo(frame: bytes | bytearray, length: int) -> bytes:
    addresses = bytes(frame[ETHERNET + 12 : ETHERNET + 20])
    return addresses + bytes((0, frame[ETHERNET + 9])) + length.to_bytes(2, "big")
