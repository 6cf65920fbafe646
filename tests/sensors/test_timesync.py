"""A controller's correction of its clock, against servers that answer, lie still or talk nonsense."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ntplib  # type: ignore[import-untyped]
import pytest

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.journal import Journal
from coldaisle_sensors import timesync
from coldaisle_sensors.timesync import TimeSync

_1900 = 2_208_988_800
"""Seconds from NTP's epoch to Unix's, RFC 5905."""


class _Client(ntplib.NTPClient):  # type: ignore[misc]
    """ntplib's client, asking a port anybody may listen on."""

    def __init__(self, port: int) -> None:
        self.port = port

    def request(self, host: str, **options: Any) -> Any:
        return super().request(host, **options | {"port": self.port})


class _Server:
    """A server on the loopback interface; ``answer`` makes the reply of a request, ``None`` stays silent."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], bytes | None] = lambda _: None
        self.requests: list[bytes] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            request, client = self.socket.recvfrom(512)
            if not request:
                return
            self.requests.append(request)
            if (reply := self.answer(request)) is not None:
                self.socket.sendto(reply, client)

    def stop(self) -> None:
        """End the thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", ("127.0.0.1", self.port))


def _ahead(seconds: float) -> Callable[[bytes], bytes]:
    """Return a server whose clock is so far ahead."""

    def answer(request: bytes) -> bytes:
        now = time.time() + _1900 + seconds
        stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
        return struct.pack("!BBbb", 0x24, 1, 4, -20) + bytes(12) + stamp + request[40:48] + stamp + stamp

    return answer


@pytest.fixture
def server() -> Iterator[_Server]:
    """A silent server until told otherwise."""
    made = _Server()
    yield made
    made.stop()


@pytest.fixture
def sync(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeSync:
    """A correction that asks the server and does not wait long."""
    monkeypatch.setattr(timesync, "TIMEOUT_S", 0.15)
    made = TimeSync("127.0.0.1", ManualClock(1000), Journal(tmp_path / "unit.jsonl", "day-1"))
    made._client = _Client(server.port)
    return made


def _lines(sync: TimeSync) -> list[dict[str, Any]]:
    sync._journal.flush()
    return [json.loads(text) for text in Path(sync._journal._file.name).read_text().splitlines()]


def test_offset_of_the_server_is_adopted(server: _Server, sync: TimeSync) -> None:
    """A server 1.5 s ahead moves the stamp by 1.5 s, and the query is journalled."""
    server.answer = _ahead(1.5)
    sync.query(4)
    assert sync.stamp_ns() == pytest.approx(1000 + 1.5 * SECOND, abs=0.05 * SECOND)
    (line,) = _lines(sync)
    assert (line["event"], line["at_ns"], line["slot"]) == ("time", 1000, 4)
    assert line["offset_ns"] == sync.stamp_ns() - 1000
    assert 0 <= line["delay_ns"] < SECOND


def test_query_is_an_ntp_4_client_request(server: _Server, sync: TimeSync) -> None:
    """One datagram of 48 bytes, version 4, mode 3."""
    server.answer = _ahead(0)
    sync.query(4)
    (request,) = server.requests
    assert (len(request), request[0] & 0x3F) == (48, 4 << 3 | 3)


def test_silent_server_leaves_the_correction_as_it_was(server: _Server, sync: TimeSync) -> None:
    """No answer is journalled as a failure and the last offset stays in force."""
    server.answer = _ahead(1.5)
    sync.query(4)
    before = sync.stamp_ns()
    server.answer = lambda _: None
    sync.query(4)
    assert sync.stamp_ns() == before
    assert "No response" in _lines(sync)[1]["failed"]


def test_clock_that_jumped_is_put_right_by_an_answer_alone(server: _Server, sync: TimeSync) -> None:
    """A step shows in the stamps until a server answers; a silent one leaves it."""
    sync.step(5 * SECOND)
    assert sync.stamp_ns() == 1000 + 5 * SECOND
    sync.query(4)
    assert (sync.ahead_ns, sync.synced) == (5 * SECOND, -1)
    server.answer = _ahead(0)
    sync.query(8)
    assert (sync.ahead_ns, sync.synced) == (0, 8)
    assert sync.stamp_ns() == pytest.approx(1000, abs=0.05 * SECOND)


def test_nonsense_leaves_the_correction_as_it_was(server: _Server, sync: TimeSync) -> None:
    """A datagram that is no NTP packet changes nothing."""
    server.answer = lambda _: b"nonsense"
    sync.query(4)
    assert sync.stamp_ns() == 1000
    assert "failed" in _lines(sync)[0]


def test_unreachable_server_is_no_crash(sync: TimeSync) -> None:
    """A query the network refuses is journalled, not raised."""
    sync._host = "255.255.255.255"  # the kernel refuses to send there
    sync.query(4)
    assert sync.stamp_ns() == 1000
    assert "failed" in _lines(sync)[0]
