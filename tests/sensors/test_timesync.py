"""A controller's correction of its clock, against servers that answer, stay silent or send invalid data."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coldaisle_contracts.clock import SECOND, ManualClock
from coldaisle_contracts.journal import Journal
from coldaisle_sensors import timesync
from coldaisle_sensors.timesync import TimeSync

_1900 = 2_208_988_800
"""Seconds from NTP's epoch to Unix's, RFC 5905."""


class _Server:
    """A server on the loopback interface; ``answer`` makes the reply to a request, or returns ``None`` to stay silent."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], bytes | None] = lambda _: None
        self.requests: list[bytes] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        self.classes = set[int]()
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            request, about, _, client = self.socket.recvmsg(512, 64)
            if not request:
                return
            self.classes |= {content[0] >> 2 for *_, content in about}
            self.requests.append(request)
            if (reply := self.answer(request)) is not None:
                self.socket.sendto(reply, client)

    def stop(self) -> None:
        """End the thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", ("127.0.0.1", self.port))


def _ahead(seconds: float) -> Callable[[bytes], bytes]:
    """Return a server whose clock is this far ahead."""

    def answer(request: bytes) -> bytes:
        now = (time.time() + _1900 + seconds) % 2**32
        stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
        return struct.pack("!BBbb", 0x24, 1, 4, -20) + bytes(12) + stamp + request[40:48] + stamp + stamp

    return answer


@pytest.fixture
def server() -> Iterator[_Server]:
    """A server that is silent by default."""
    server = _Server()
    yield server
    server.stop()


@pytest.fixture
def sync(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TimeSync:
    """A correction that queries the server with a short timeout."""
    monkeypatch.setattr(timesync, "TIMEOUT_S", 0.15)
    return TimeSync("127.0.0.1", ManualClock(1000), Journal(tmp_path / "unit.jsonl", "day-1"), server.port)


def _lines(sync: TimeSync) -> list[dict[str, Any]]:
    sync._journal.flush()
    return [json.loads(text) for text in Path(sync._journal._file.name).read_text().splitlines()]


def test_offset_of_the_server_is_adopted(server: _Server, sync: TimeSync) -> None:
    """A server that is 1.5 s ahead moves the stamp by 1.5 s, and the query has a journal line."""
    server.answer = _ahead(1.5)
    sync.query(4)
    assert sync.stamp_ns() == pytest.approx(1000 + 1.5 * SECOND, abs=0.05 * SECOND)
    (line,) = _lines(sync)
    assert (line["event"], line["at_ns"], line["slot"]) == ("time", 1000, 4)
    assert line["offset_ns"] == sync.stamp_ns() - 1000
    assert 0 <= line["delay_ns"] < SECOND


def test_query_is_an_ntp_4_client_request(server: _Server, sync: TimeSync) -> None:
    """A query is one datagram of 48 bytes, version 4, mode 3, with the service class of the published captures."""
    server.answer = _ahead(0)
    sync.query(4)
    (request,) = server.requests
    assert (len(request), request[0] & 0x3F) == (48, 4 << 3 | 3)
    assert server.classes == {46}


def test_silent_server_leaves_the_correction_as_it_was(server: _Server, sync: TimeSync) -> None:
    """A query without an answer is journalled as failed, and the last offset stays in force."""
    server.answer = _ahead(1.5)
    sync.query(4)
    before = sync.stamp_ns()
    server.answer = lambda _: None
    sync.query(4)
    assert sync.stamp_ns() == before
    assert "No response" in _lines(sync)[1]["failed"]


def test_clock_that_jumped_is_put_right_by_an_answer_alone(server: _Server, sync: TimeSync) -> None:
    """A clock step shows in the stamps until a server answers; a silent server does not correct it."""
    sync.ahead_ns = 5 * SECOND
    assert sync.stamp_ns() == 1000 + 5 * SECOND
    sync.query(4)
    assert (sync.ahead_ns, sync.synced) == (5 * SECOND, -1)
    server.answer = _ahead(0)
    sync.query(8)
    assert (sync.ahead_ns, sync.synced) == (0, 8)
    assert sync.stamp_ns() == pytest.approx(1000, abs=0.05 * SECOND)


def test_nonsense_leaves_the_correction_as_it_was(server: _Server, sync: TimeSync) -> None:
    """A datagram that is not an NTP packet changes nothing."""
    server.answer = lambda _: b"nonsense"
    sync.query(4)
    assert sync.stamp_ns() == 1000
    assert "failed" in _lines(sync)[0]


def test_unreachable_server_is_no_crash(sync: TimeSync) -> None:
    """A query that the network refuses is journalled and raises no error."""
    sync._host = "255.255.255.255"  # the kernel refuses to send there
    sync.query(4)
    assert sync.stamp_ns() == 1000
    assert "failed" in _lines(sync)[0]


ERA_1 = 2**32 - _1900
"""Start of NTP's era 1, s since 1970: 2036-02-07 06:28:16 UTC."""


@pytest.mark.parametrize(
    "now",
    [
        0.0,
        1.8e9,
        ERA_1 - 4.0,
        ERA_1 - 0.7,
        ERA_1 - 1e-7,
        float(ERA_1),
        ERA_1 + 0.2,
        2_208_988_800.5,
        2**32 - 2.0,
    ],
)
@pytest.mark.parametrize("ahead", [0.0, 1.5, -1.5, 86_400.0])
def test_offset_in_either_era(
    server: _Server, sync: TimeSync, monkeypatch: pytest.MonkeyPatch, now: float, ahead: float
) -> None:
    """From 1970 to 2106 the offset is the server's, also if the era ends between query and answer or between the two clocks."""
    began, real = time.monotonic(), time.time
    monkeypatch.setattr(time, "time", lambda: now + time.monotonic() - began)
    assert real is not time.time
    server.answer = _ahead(ahead)
    sync.query(4)
    (line,) = _lines(sync)
    assert line["offset_ns"] == pytest.approx(ahead * SECOND, abs=0.05 * SECOND)
    assert 0 <= line["delay_ns"] < SECOND


def test_timestamp_of_era_1_on_the_wire(
    server: _Server, sync: TimeSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query of 2036-02-07 06:28:26 carries second 10 of era 1, as in RFC 5905."""
    monkeypatch.setattr(time, "time", lambda: ERA_1 + 10.25)
    server.answer = _ahead(0)
    sync.query(4)
    (request,) = server.requests
    assert struct.unpack("!II", request[40:48]) == (10, 2**30)
