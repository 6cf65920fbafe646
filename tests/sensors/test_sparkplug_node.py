"""The edge node of Sparkplug B: its session as the standard wants it, read from the bytes alone and by the analysis."""

import struct
from typing import Any

import pytest
from tests.sensors.made_companion import Published, plan_with, published_on

from coldaisle_analysis.series.payloads import Payloads
from coldaisle_sensors.devices.base import BaseDevice
from coldaisle_sensors.devices.message import Message
from coldaisle_sensors.sparkplug import Metric, commands, encoded

KIND = "sparkplug-node"
NODE = "spBv1.0/aisle/{}/node-1"


def fields(data: bytes) -> list[tuple[int, Any]]:
    """Return number and value of each field of a Protocol Buffers message, by the wire format alone."""
    found, place = list[tuple[int, Any]](), 0

    def varint() -> int:
        nonlocal place
        value, shift = 0, 0
        while True:
            byte, place = data[place], place + 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while place < len(data):
        number, wire = divmod(varint(), 8)
        if wire == 0:
            found.append((number, varint()))
        else:
            size = {1: 8, 5: 4}.get(wire) or varint()
            found.append((number, data[place : place + size]))
            place += size
    return found


def metrics(message: Published) -> list[dict[int, Any]]:
    """Return the fields of each metric of a message: 1 is the name, 2 the alias, 4 the type."""
    return [dict(fields(value)) for number, value in fields(message.payload) if number == 2]


def sequence(message: Published) -> int | None:
    """Return the sequence number of a message."""
    found: int | None = dict(fields(message.payload)).get(3)
    return found


def of_type(published: list[Published], name: str) -> list[Published]:
    """Return the messages of a type."""
    return [message for message in published if message.topic == NODE.format(name)]


def test_a_day_is_a_session() -> None:
    """A birth comes first, with number 0 and the session's number; data count on; the death closes with the session's number."""
    plan = plan_with(48.0, kind=KIND, interval_s=60)
    for day in (0, 1):
        published = published_on(plan, day)
        birth, *data, death = published
        assert (birth.topic, death.topic) == (NODE.format("NBIRTH"), NODE.format("NDEATH"))
        assert {message.topic for message in data} == {NODE.format("NDATA")}
        assert [sequence(message) for message in (birth, *data)] == [at % 256 for at in range(len(data) + 1)]
        assert sequence(death) is None
        for message in (birth, death):
            assert metrics(message)[0][1] == b"bdSeq"
            assert metrics(message)[0][4] == 4
            assert metrics(message)[0][11] == day
        assert {(message.qos, message.retain) for message in published[:-1]} == {(0, False)}
        assert (death.qos, death.retain) == (1, False)


def test_the_birth_names_what_data_give_by_alias() -> None:
    """Every metric of the data has an alias, type and name in the birth; the time is that of the scan, in ms."""
    birth, *data, _ = published_on(plan_with(kind=KIND))
    names = {metric[2]: metric[4] for metric in metrics(birth) if 2 in metric}
    assert [metric[1] for metric in metrics(birth)] == [
        b"bdSeq", b"Node Control/Rebirth", b"Water/Flow", b"Pump/Speed", b"Filter/Clogged",
    ]  # fmt: skip
    for message in data:
        assert 0 <= message.at_ns // 1_000_000 - dict(fields(message.payload))[1] <= 1
        for metric in metrics(message):
            assert 1 not in metric
            assert names[metric[2]] == metric[4]
    assert len({len(metrics(message)) for message in data}) > 1


def test_the_analysis_reads_the_metrics_back() -> None:
    """The series of a capture have the names of the birth and the values of the data."""
    birth, *data, _ = published_on(plan_with(kind=KIND, flow=50.0))
    reader, flows = Payloads(), list[float]()
    for message in (birth, *data):
        found = reader.read(message.topic, message.payload)
        numbers = {number.field: number.value for number in found.numbers}
        assert found.form == "Sparkplug B"
        assert numbers.keys() <= {"Water/Flow", "Pump/Speed"}
        flows.append(numbers["Water/Flow"])
    exact = [
        struct.unpack("<d", metric[13])[0] for message in data for metric in metrics(message) if 13 in metric
    ]
    assert flows == [50.0, *exact]
    assert sum(flows) / len(flows) == pytest.approx(50.0, rel=0.1)


def test_a_command_brings_a_new_birth() -> None:
    """A rebirth has the number 0 again and the same session; other commands and other bytes do nothing."""
    orders = {
        10: encoded(0, [Metric("Node Control/Rebirth", "Boolean", value=True)], None),
        20: encoded(0, [Metric("Node Control/Rebirth", "Boolean", value=False)], None),
        30: b"\xff\xff",
    }
    count = 0

    def amid(device: BaseDevice) -> None:
        nonlocal count
        count += 1
        if count in orders:
            device.on_message(Message(NODE.format("NCMD"), orders[count], 1, retained=False))

    published = published_on(plan_with(kind=KIND), amid=amid)
    births = of_type(published, "NBIRTH")
    assert [published.index(birth) for birth in births] == [0, 10]
    assert {metrics(birth)[0][11] for birth in births} == {0}
    assert [sequence(message) for message in published[9:13]] == [9, 0, 1, 2]


def test_a_lost_connection_is_a_session_of_its_own() -> None:
    """The next connection's will has the next number, and a birth with it comes before further data."""
    wills, count = list[bytes](), 0

    def amid(device: BaseDevice) -> None:
        nonlocal count
        count += 1
        if count == 5:
            will = device.will()
            assert will is not None
            assert (will.topic, will.qos, will.retain) == (NODE.format("NDEATH"), 1, False)
            wills.append(will.payload)

    published = published_on(plan_with(kind=KIND), amid=amid)
    births = of_type(published, "NBIRTH")
    assert [published.index(birth) for birth in births] == [0, 5]
    assert [metrics(birth)[0][11] for birth in births] == [0, 1]
    assert dict(fields(dict(fields(wills[0]))[2]))[11] == 1


def test_negative_numbers_are_sent_as_the_standard_says() -> None:
    """Signed numbers are two's complement in an unsigned field; the analysis reads them so."""
    payload = encoded(5, [Metric("a", "Int32", -3), Metric("b", "Int64", -4)], 7)
    found = Payloads().read(NODE.format("NDATA"), payload)
    assert {number.field: number.value for number in found.numbers} == {"a": -3.0, "b": -4.0}
    assert commands(payload) == {}


def test_a_topic_of_another_form_is_refused() -> None:
    """The topic says group and node where the standard wants them."""
    with pytest.raises(ValueError, match=r"write it as spBv1\.0/aisle/NDATA/node-"):
        plan_with(kind=KIND, topic="pump/{number}")
