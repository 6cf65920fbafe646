"""Captures made with scapy and by hand, and decoding them in one line."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
from scapy.all import IP, TCP, Ether, Packet  # type: ignore[attr-defined]

from coldaisle_analysis.decoding import SCHEMAS, Decoder

UNIT_MAC, BROKER_MAC = "02:00:00:00:00:0d", "02:00:00:00:00:01"
UNIT, BROKER = "10.6.56.41", "10.6.56.1"
ETHERNET = Ether(src=UNIT_MAC, dst=BROKER_MAC)
"""Both addresses given, or scapy would ask the network for them."""


@dataclass(frozen=True)
class Decoded:
    """A capture decoded.

    Attributes:
        packets: its rows of level packets.
        messages: its rows of level messages.
        gaps: holes given up.
        remarks: what a reader is told.
    """

    packets: pa.Table
    messages: pa.Table
    gaps: int
    remarks: list[str]

    def column(self, name: str) -> list[object]:
        """Return a column of the packets."""
        return list(self.packets[name].to_pylist())

    def message(self, name: str) -> list[object]:
        """Return a column of the messages."""
        return list(self.messages[name].to_pylist())


def decode(path: Path, decoder: Decoder | None = None) -> Decoded:
    """Decode a capture."""
    decoder = decoder or Decoder(frames=1024, size=0)
    batches = list(decoder.decode([path]))
    return Decoded(
        pa.Table.from_batches([batch.packets for batch in batches], SCHEMAS["packets"]),
        pa.Table.from_batches([batch.messages for batch in batches], SCHEMAS["messages"]),
        decoder.gaps,
        list(decoder.remarks()),
    )


def pcap(path: Path, frames: Iterable[bytes | Packet], link: int = 1, wire: int = 0) -> Path:
    """Write a pcap of these frames, a second apart; on the wire each had so many bytes at least."""
    records = [
        struct.pack("<IIII", 1000 + number, 0, len(data), max(len(data), wire)) + data
        for number, data in enumerate(map(bytes, frames))
    ]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, link) + b"".join(records))
    return path


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Return a pcapng block."""
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def section(order: str = "<") -> bytes:
    """Return a section header block."""
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, options: bytes = b"", order: str = "<", snap: int = 0) -> bytes:
    """Return an interface description block."""
    return block(1, struct.pack(f"{order}HHI", link, 0, snap) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Return an option, followed by the end of options."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4) + bytes(4)


def enhanced(data: bytes, ticks: int, number: int = 0, order: str = "<") -> bytes:
    """Return an enhanced packet block."""
    head = struct.pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data, order)


def up(payload: bytes = b"", seq: int = 1000, flags: str = "PA", ack: int = 1, port: int = 40_001) -> Packet:
    """Return a segment from the unit to the broker."""
    ends = IP(src=UNIT, dst=BROKER) / TCP(
        sport=port, dport=1883, seq=seq % 2**32, ack=ack % 2**32, flags=flags
    )
    frame: Packet = ETHERNET / ends / payload
    return frame


def down(
    payload: bytes = b"", seq: int = 1, flags: str = "PA", ack: int = 1000, port: int = 40_001
) -> Packet:
    """Return a segment from the broker to the unit."""
    ends = IP(src=BROKER, dst=UNIT) / TCP(
        sport=1883, dport=port, seq=seq % 2**32, ack=ack % 2**32, flags=flags
    )
    frame: Packet = Ether(src=BROKER_MAC, dst=UNIT_MAC) / ends / payload
    return frame


def text(value: bytes) -> bytes:
    """Return a length-prefixed text."""
    return struct.pack(">H", len(value)) + value


def control(first: int, body: bytes) -> bytes:
    """Return a control packet: its first byte, remaining length and body."""
    length, left = bytearray(), len(body)
    while left > 127:
        length.append(left & 127 | 128)
        left >>= 7
    return bytes([first, *length, left]) + body


def connect(level: int = 4, client: bytes = b"131", properties: bytes = b"") -> bytes:
    """Return a CONNECT."""
    name = b"MQIsdp" if level == 3 else b"MQTT"
    return control(0x10, text(name) + bytes([level, 2, 2, 88]) + properties + text(client))


def publish(value: bytes = b"15.54", mid: int = 7, topic: bytes = b"IoT", properties: bytes = b"") -> bytes:
    """Return a PUBLISH, of QoS 1 if it has a message id."""
    number = struct.pack(">H", mid) if mid else b""
    return control(0x32 if mid else 0x30, text(topic) + number + properties + value)


def segments(stream: bytes, cuts: Sequence[int], seq: int = 1000) -> list[Packet]:
    """Return a stream cut into segments at these places."""
    edges = [0, *cuts, len(stream)]
    return [up(stream[a:b], seq + a) for a, b in pairwise(edges)]


def talk(*packets: tuple[str, bytes]) -> list[Packet]:
    """Return the segments of a conversation; each side's sequence numbers follow from what it said: ``>`` up, ``<`` down."""
    frames, at = [], {">": 1000, "<": 1}
    for side, data in packets:
        frames.append(up(data, at[">"], ack=at["<"]) if side == ">" else down(data, at["<"], ack=at[">"]))
        at[side] += len(data)
    return frames
