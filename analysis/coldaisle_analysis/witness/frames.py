"""The frames of raw captures, read only with ``struct``, for the witness.

It shares no code with :mod:`coldaisle_analysis.decoding`. It reads Ethernet, ARP, IPv4 and the headers of TCP, UDP and ICMP.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import ETHERNET, frame_digest
from coldaisle_contracts.timeline import Timeline

_GLOBAL, _RECORD = 24, struct.Struct("<IIII")
_MAGIC = b"\x4d\x3c\xb2\xa1"
"""A little-endian pcap with nanoseconds, as tcpdump writes it here."""
_ARP, _IPV4 = 0x0806, 0x0800
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
BROADCAST = "ff:ff:ff:ff:ff:ff"


@dataclass(slots=True)
class Frame:
    """One captured frame.

    Attributes:
        name: number and file, as Wireshark counts.
        at_ns: virtual time, in ns since the epoch.
        data: its bytes.
        eth_src, eth_dst: MAC addresses.
        kind: ``arp``, ``ip`` or ``other``.
        source, target: IPv4 addresses; for ARP those of the sender and of the target.
        operation: ARP operation; 0 for anything else.
        sender_mac: MAC address that an ARP sender claims to have.
        protocol: IP protocol; 0 for anything but IPv4.
        ident: IPv4 identification.
        sport, dport: ports of TCP and UDP; 0 for anything else.
        seq, ack, flags: fields of TCP; 0 for anything else.
        payload: payload of TCP, UDP or ICMP.
        said: the MQTT in it: its payload, or what that carries within TLS.
    """

    name: str
    at_ns: int
    data: bytes
    eth_src: str = ""
    eth_dst: str = ""
    kind: str = "other"
    source: str = ""
    target: str = ""
    operation: int = 0
    sender_mac: str = ""
    protocol: int = 0
    ident: int = 0
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    payload: bytes = b""
    said: bytes = b""

    @property
    def digest(self) -> str:
        """The digest that names the frame in journals."""
        return frame_digest(self.data)

    @property
    def length(self) -> int:
        """Number of sequence numbers that a TCP segment takes."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)


def read(run: Path, raws: Sequence[str], timeline: Timeline) -> Iterator[Frame]:
    """Yield the frames of a shard in the order of their stamps.

    Args:
        run: the run's folder.
        raws: paths of its raw captures in the run, oldest first.
        timeline: the offsets of virtual time.

    Raises:
        InputError: if a capture is missing, cut short or of another format.
    """
    records = [record for raw in raws for record in _records(run / raw, raw)]
    for wall_ns, name, data in sorted(records, key=lambda record: record[0]):
        yield parse(name, wall_ns + timeline.offset(wall_ns), data)


def _records(path: Path, name: str) -> Iterator[tuple[int, str, bytes]]:
    """Yield wall time, in ns, name and bytes of each frame of a capture."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror}): make the run again") from error
    if data[:4] != _MAGIC:
        raise InputError(path, "is no capture with nanoseconds as tcpdump writes it: make the run again")
    at, number = _GLOBAL, 0
    while at < len(data):
        number += 1
        if at + _RECORD.size > len(data):
            raise InputError(f"{path}: frame {number}", "is cut short: make the run again")
        seconds, nanos, size, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            raise InputError(f"{path}: frame {number}", "is cut short: make the run again")
        yield seconds * SECOND + nanos, f"frame {number} of {name}", data[at : at + size]
        at += size


def parse(name: str, at_ns: int, data: bytes) -> Frame:
    """Return a frame with every header that is whole."""
    frame = Frame(name, at_ns, data)
    if len(data) < ETHERNET:
        return frame
    frame.eth_dst, frame.eth_src = data[:6].hex(":"), data[6:12].hex(":")
    kind = int.from_bytes(data[12:14], "big")
    body = data[ETHERNET:]
    if kind == _ARP and len(body) >= 28:  # noqa: PLR2004 - ARP for IPv4 over Ethernet, RFC 826
        frame.kind, frame.operation = "arp", int.from_bytes(body[6:8], "big")
        frame.sender_mac, frame.source, frame.target = body[8:14].hex(":"), _ip(body[14:18]), _ip(body[24:28])
    elif kind == _IPV4 and len(body) >= 20:  # noqa: PLR2004 - RFC 791
        frame.kind = "ip"
        _read_ip(frame, body)
    return frame


def quoted(frame: Frame) -> Frame | None:
    """Return the packet that an ICMP error quotes, ``None`` where there is none."""
    if frame.protocol != ICMP or len(frame.payload) < 36 or frame.payload[0] not in (3, 4, 5, 11, 12):  # noqa: PLR2004 - RFC 792
        return None
    inner = Frame(frame.name, frame.at_ns, b"", kind="ip")
    _read_ip(inner, frame.payload[8:])
    return inner


def _read_ip(frame: Frame, packet: bytes) -> None:
    head = (packet[0] & 15) * 4
    frame.ident, frame.protocol = int.from_bytes(packet[4:6], "big"), packet[9]
    frame.source, frame.target = _ip(packet[12:16]), _ip(packet[16:20])
    body = packet[head : int.from_bytes(packet[2:4], "big")]
    if frame.protocol in (TCP, UDP) and len(body) >= 4:  # noqa: PLR2004 - both ports
        frame.sport, frame.dport = struct.unpack_from("!HH", body)
    if frame.protocol == TCP and len(body) >= 20:  # noqa: PLR2004 - RFC 9293
        frame.seq, frame.ack, words, frame.flags = struct.unpack_from("!IIBB", body, 4)
        frame.payload = frame.said = body[(words >> 4) * 4 :]
    elif frame.protocol == UDP:
        frame.payload = body[8:]
    elif frame.protocol == ICMP:
        frame.payload = body


@cache
def _ip(packed: bytes) -> str:
    return str(IPv4Address(packed))


def ahead(left: int, right: int) -> int:
    """Return how far a TCP sequence number is ahead of another, modulo 2^32; negative when behind."""
    return ((left - right + 0x80000000) & 0xFFFFFFFF) - 0x80000000
