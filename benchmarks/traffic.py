"""Makes a capture like that of a real week, of any size: many sensors, each with its own connection to one broker.

A reading has three frames: PUBLISH with QoS 1, PUBACK, and the sensor's pure ACK; each is 66 to 200 bytes long,
a PUBLISH at least 90. At the start the connections open one after the other. The same seed gives the same bytes.
"""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

CLIENTS = 2000
_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
_RECORD, _IP_TCP = struct.Struct("<IIII"), struct.Struct(">BBHHHBBHIIHHIIHHHHIII")
_BROKER_MAC, _BROKER = bytes.fromhex("020000000001"), 0x0A000001
_SYN, _ACK, _PUSH = 2, 16, 24
_SHORT = 127
"""Longest body whose length field has one byte."""


class _Sensor:
    """A sensor's end of a connection, with both sequence numbers."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.mac = bytes.fromhex("0200") + (number + 2).to_bytes(4, "big")
        self.ip, self.port = 0x0A000100 + number // 4, 20_000 + number
        self.up, self.down, self.mid = chance.randrange(1 << 32), chance.randrange(1 << 32), 0
        self.client = f"sensor-{number:05}".encode()
        self.topic = f"hall/{number // 64}/row/{number // 8 % 8}/sensor/{number}".encode()

    def sends(self, flags: int, payload: bytes, stamp: int) -> bytes:
        """Return a frame to the broker."""
        ends = (self.ip, _BROKER, self.port, 1883, self.up, self.down)
        self.up = self.up + len(payload) + (flags == _SYN) & 0xFFFFFFFF
        return _frame(_BROKER_MAC + self.mac, ends, flags, payload, stamp)

    def receives(self, flags: int, payload: bytes, stamp: int) -> bytes:
        """Return a frame from the broker."""
        ends = (_BROKER, self.ip, 1883, self.port, self.down, self.up)
        self.down = self.down + len(payload) + (flags & _SYN > 0) & 0xFFFFFFFF
        return _frame(self.mac + _BROKER_MAC, ends, flags, payload, stamp)


def _frame(
    macs: bytes, ends: tuple[int, int, int, int, int, int], flags: int, payload: bytes, stamp: int
) -> bytes:
    source, target, source_port, target_port, seq, ack = ends
    head = _IP_TCP.pack(
        0x45, 0, 52 + len(payload), stamp & 0xFFFF, 0x4000, 64, 6, 0, source, target,
        source_port, target_port, seq, ack, 8 << 12 | flags, 502, 0, 0, 0x0101080A, stamp & 0xFFFFFFFF, 1,
    )  # fmt: skip
    return macs + b"\x08\x00" + head + payload


def _message(first: int, body: bytes) -> bytes:
    length = [len(body)] if len(body) <= _SHORT else [len(body) & _SHORT | _SHORT + 1, len(body) >> 7]
    return bytes([first, *length]) + body


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def _opens(sensor: _Sensor, stamp: int) -> Iterator[bytes]:
    """Yield the frames that open a connection."""
    yield sensor.sends(_SYN, b"", stamp)
    yield sensor.receives(_SYN | _ACK, b"", stamp)
    yield sensor.sends(
        _PUSH, _message(0x10, _text(b"MQTT") + b"\x04\x02\x02\x58" + _text(sensor.client)), stamp
    )
    yield sensor.receives(_PUSH, _message(0x20, b"\0\0"), stamp)


def _reads(sensor: _Sensor, chance: random.Random, stamp: int) -> Iterator[bytes]:
    """Yield the frames of a reading."""
    sensor.mid = sensor.mid % 65_535 + 1
    value = f'{{"celsius": {chance.gauss(20, 3):.2f}}}'.encode() + b" " * chance.randrange(60)
    number = struct.pack(">H", sensor.mid)
    yield sensor.sends(_PUSH, _message(0x32, _text(sensor.topic) + number + value), stamp)
    yield sensor.receives(_PUSH, _message(0x40, number), stamp)
    yield sensor.sends(_ACK, b"", stamp)


def frames(count: int, seed: int = 1, clients: int = CLIENTS) -> Iterator[tuple[int, bytes]]:
    """Yield time in ns and bytes of each of ``count`` frames."""
    chance = random.Random(seed)  # noqa: S311 - traffic, not secrets
    sensors = [_Sensor(number, chance) for number in range(clients)]
    now, made = 1_772_409_600_000_000_000, 0
    while True:
        started = made >= 4 * clients
        sensor = sensors[chance.randrange(clients) if started else made // 4]
        now += chance.randrange(1_000_000, 3_000_000)
        for frame in _reads(sensor, chance, made) if started else _opens(sensor, made):
            yield now, frame
            now += chance.randrange(20_000, 400_000)
            made += 1
            if made == count:
                return


def write(path: Path, count: int, seed: int = 1) -> None:
    """Write a pcap of ``count`` frames, with times in ns."""
    with path.open("wb") as file:
        file.write(_HEADER)
        for time_ns, frame in frames(count, seed):
            file.write(_RECORD.pack(*divmod(time_ns, 1_000_000_000), len(frame), len(frame)) + frame)
