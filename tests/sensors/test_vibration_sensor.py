"""The vibration sensor: bursts at seeded instants, and CBOR that a reader made from RFC 8949 alone reads."""

import math
import struct
from itertools import pairwise
from typing import Any

import pytest
from tests.sensors.made_companion import plan_with, published_on

from coldaisle_analysis.series.payloads import Payloads
from coldaisle_contracts.clock import SECOND

KIND = "vibration-sensor"


def read_cbor(data: bytes) -> tuple[Any, bytes]:
    """Return the first item of CBOR and the rest, after the table of major types (RFC 8949, section 3.1)."""
    major, low, rest = data[0] >> 5, data[0] & 31, data[1:]
    if major == 7:
        form = {25: ">e", 26: ">f", 27: ">d"}[low]
        width = struct.calcsize(form)
        return struct.unpack(form, rest[:width])[0], rest[width:]
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
    count, rest = (int.from_bytes(rest[:width], "big") if width else low), rest[width:]
    if major == 0:
        return count, rest
    if major == 3:
        return rest[:count].decode("utf-8"), rest[count:]
    assert major in (4, 5)
    items = []
    for _ in range(count * (major - 3)):
        item, rest = read_cbor(rest)
        items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), rest


def test_a_burst_is_a_window_every_tenth_of_a_second() -> None:
    """Each interval has one burst, in its first half, at QoS 0."""
    plan = plan_with(kind=KIND, interval_s=600, windows=8)
    published = published_on(plan)
    assert len(published) == 6 * 8
    first = plan.reading_ns(0, "inrow-13")
    for burst in range(6):
        times = [message.at_ns for message in published[burst * 8 : burst * 8 + 8]]
        assert {after - before for before, after in pairwise(times)} == {SECOND // 10}
        assert 0 <= times[0] - first - burst * 600 * SECOND < 301 * SECOND
    assert {(message.qos, message.retain, message.topic) for message in published} == {
        (0, False, "vibration-sensor/1")
    }


def test_the_payload_is_cbor_of_a_window() -> None:
    """RMS, peak and bands are those of one window: by Parseval's theorem the bands add up to the RMS."""
    published = published_on(plan_with(kind=KIND, velocity=4.0))
    for message in published:
        window, rest = read_cbor(message.payload)
        assert rest == b""
        assert window["t"] == message.at_ns // 1_000_000
        assert math.sqrt(sum(band**2 for band in window["bins"])) == pytest.approx(window["rms"], abs=0.01)
        assert 1 < window["peak"] / window["rms"] < 6
    every = [read_cbor(message.payload)[0]["rms"] for message in published]
    assert sum(every) / len(every) == pytest.approx(4.0, rel=0.1)
    assert [read_cbor(message.payload)[0]["n"] for message in published[:10]] == list(range(1, 11))


def test_the_analysis_finds_its_series() -> None:
    """The series of a capture name the fields of the payload, and the loudest band is the one with the shaft's frequency."""
    message = published_on(plan_with(kind=KIND, rpm=3000.0))[0]
    found = Payloads().read(message.topic, message.payload)
    numbers = {number.field: number.value for number in found.numbers}
    assert found.form == "CBOR"
    assert {"rms", "peak", "bins[0]", "bins[15]"} <= numbers.keys()
    assert max(range(16), key=lambda band: numbers[f"bins[{band}]"]) == 0


def test_a_day_is_the_same_again_and_another_day_is_not() -> None:
    """Payloads and instants follow from seed, name and day."""
    plan = plan_with(48.0, kind=KIND, interval_s=3600)
    first = published_on(plan, 0)
    assert first == published_on(plan, 0)
    assert [message.payload for message in first] != [message.payload for message in published_on(plan, 1)]


def test_a_burst_has_at_most_sixteen_windows() -> None:
    """More of them would outgrow what the plan allows a listener."""
    with pytest.raises(ValueError, match="a whole number from 1 to 16 messages"):
        plan_with(kind=KIND, windows=17)
