"""Captures of publishers that are no units of ours: hosts, client ids, topics, payloads, periods and versions are free."""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tests.analysis import made_run

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.topics import TOPIC

START_NS = 1_772_409_600 * SECOND
"""2026-03-02T00:00:00Z."""
BROKER_IP, BROKER_PORT = "10.0.0.250", 1883
MAC, BROKER_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
MEDIANS = (12.0, 16.0, 20.0, 27.0)
V5 = 5


@dataclass(frozen=True)
class Publisher:
    """A client that reports a number again and again.

    Attributes:
        host: address of its host.
        client: client id; ``None`` without a CONNECT.
        celsius: median of its numbers.
        topic: topic.
        count: number of messages.
        start_s: time of the first message after :data:`START_NS`, in s.
        period_s: time between two messages, in s.
        qos: QoS of its messages.
        level: protocol level of MQTT.
        retain: whether the broker retains its messages.
        shape: makes the payload of a number.
        noise: standard deviation of its numbers.
        jitter: random part of each pause, as a share of it.
        subscribes: whether it subscribes, too.
        once: whether it connects anew for every message, with another client id.
    """

    host: str
    client: str | None
    celsius: float
    topic: str = TOPIC
    count: int = 12
    start_s: float = 1.0
    period_s: float = 300.0
    qos: int = 1
    level: int = 3
    retain: bool = False
    shape: Callable[[float], str] = "{:.2f}".format
    noise: float = 0.1
    jitter: float = 0.0
    subscribes: bool = False
    once: bool = False


def unit(host: str, stem: str, medians: Iterable[float] = MEDIANS, **others: object) -> list[Publisher]:
    """Return four publishers of a host, whose client ids end with 1 to 4."""
    plain = Publisher(host, None, 0.0)
    return [
        replace(plain, client=f"{stem}{sensor}", celsius=celsius, **others)  # type: ignore[arg-type]
        for sensor, celsius in enumerate(medians, 1)
    ]


def capture(path: Path, publishers: Iterable[Publisher]) -> Path:
    """Write what publishers send and return the file."""
    frames = [frame for place, publisher in enumerate(publishers) for frame in _frames(place, publisher)]
    made_run.pcap(path, sorted(frames))
    return path


def _frames(place: int, publisher: Publisher) -> Iterable[tuple[int, bytes]]:
    """Yield time and bytes of the frames of a publisher; the place in the list sets its ports and its time within a slot."""
    rng, sent, port = np.random.default_rng(place), 1000, 10_000 + 40 * place

    def frame(at: float, message: bytes) -> tuple[int, bytes]:
        nonlocal sent
        segment = made_run.tcp((port, BROKER_PORT), (sent, 2000), made_run.PSH | made_run.ACK, 1, message)
        sent += len(message)
        packet = made_run.ipv4(publisher.host, BROKER_IP, 6, segment)
        return START_NS + round(at * SECOND), made_run.ethernet(MAC, BROKER_MAC, 0x0800, packet)

    at = publisher.start_s + 0.001 * place
    for number in range(publisher.count):
        if publisher.client is not None and (publisher.once or number == 0):
            port += number > 0
            client = f"{publisher.client}{number:04}" if publisher.once else publisher.client
            yield frame(at - 0.5, connect(client, publisher.level))
        if publisher.subscribes and number == 0:
            yield frame(at - 0.4, b"\x82" + _sized(b"\0\1" + _text(publisher.topic) + b"\1"))
        payload = publisher.shape(publisher.celsius + publisher.noise * rng.normal())
        yield frame(at, publish(publisher, payload, number + 1))
        at += publisher.period_s * (1 + publisher.jitter * rng.uniform(-1, 1))


def connect(client: str, level: int) -> bytes:
    """Return a CONNECT."""
    name, properties = (b"MQIsdp" if level == 3 else b"MQTT"), (b"\0" if level == V5 else b"")
    head = struct.pack(">H", len(name)) + name + bytes([level, 2]) + struct.pack(">H", 600)
    return b"\x10" + _sized(head + properties + _text(client))


def publish(publisher: Publisher, payload: str, mid: int) -> bytes:
    """Return a PUBLISH."""
    number = struct.pack(">H", mid) if publisher.qos else b""
    properties = b"\0" if publisher.level == V5 else b""
    body = _text(publisher.topic) + number + properties + payload.encode()
    return bytes([0x30 | publisher.qos << 1 | publisher.retain]) + _sized(body)


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def _sized(body: bytes) -> bytes:
    """Return a body of fewer than 128 bytes after its length."""
    return bytes([len(body)]) + body
