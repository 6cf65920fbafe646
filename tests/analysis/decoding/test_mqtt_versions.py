"""What a connection's version of MQTT changes: topic aliases, reason codes that are left out, filters, wills, and packets without a CONNECT."""

import json
from pathlib import Path

import pytest
from tests.analysis.decoding.made import (
    Decoded,
    connect,
    control,
    decode,
    down,
    pcap,
    publish,
    talk,
    text,
    up,
)

from coldaisle_analysis.decoding import Decoder

CONNACK_5 = control(0x20, b"\0\0\0")


def alias(number: int) -> bytes:
    """Return properties that hold a topic alias."""
    return b"\x03\x23" + number.to_bytes(2, "big")


def said(folder: Path, *packets: tuple[str, bytes]) -> Decoded:
    """Decode a conversation of MQTT 5."""
    return decode(
        pcap(folder / "made.pcap", talk((">", connect(5, properties=b"\0")), ("<", CONNACK_5), *packets))
    )


def test_an_alias_stands_for_its_topic(tmp_path: Path) -> None:
    """In each direction of its own, until another topic takes the number (MQTT 5, 3.3.2.3.4)."""
    up_first, up_second = (
        publish(topic=b"hall/1", properties=alias(1)),
        publish(topic=b"hall/2", properties=alias(1)),
    )
    short = publish(topic=b"", properties=alias(1))
    down_first = publish(topic=b"other", properties=alias(1))
    tables = said(
        tmp_path, (">", up_first), (">", short), ("<", down_first), ("<", short), (">", up_second), (">", short), ("<", short)
    )  # fmt: skip
    assert tables.message("topic")[2:] == ["hall/1", "hall/1", "other", "other", "hall/2", "hall/2", "other"]
    assert tables.column("mqtt_topic")[2:4] == ["hall/1", "hall/1"]
    assert (set(tables.message("malformed")), tables.remarks) == ({None}, [])


def test_an_alias_lasts_from_block_to_block_and_ends_with_its_connection(tmp_path: Path) -> None:
    """The topic is known in later blocks; after a new SYN the number stands for nothing, which is said."""
    short = publish(topic=b"", properties=alias(7))
    frames = talk(
        (">", connect(5, properties=b"\0")),
        (">", publish(topic=b"hall/1", properties=alias(7))),
        *[(">", short)] * 9,
    )
    again = [up(b"", 90_000, "S"), up(connect(5, properties=b"\0"), 90_001)]
    again.append(up(short, 90_001 + len(connect(5, properties=b"\0"))))
    tables = decode(pcap(tmp_path / "made.pcap", [*frames, *again]), Decoder(frames=3, size=0))
    assert tables.message("topic")[1:] == ["hall/1"] * 10 + [None, None]
    assert tables.remarks == [
        "1 messages have a topic alias that was given before the capture, or in a hole; their topic is missing"
    ]


def test_many_aliases_are_kept_apart(tmp_path: Path) -> None:
    """Each of a thousand numbers of two connections stands for its own topic."""
    frames = []
    for port in (40_001, 40_002):
        stream = connect(5, properties=b"\0") + b"".join(
            publish(b"1", 0, b"t/%d/%d" % (port, number), alias(number)) for number in range(1, 1001)
        )
        frames += [up(stream, port=port)]
        frames += [
            up(
                b"".join(publish(b"2", 0, b"", alias(n)) for n in range(1000, 0, -1)),
                1000 + len(stream),
                port=port,
            )
        ]
    tables = decode(pcap(tmp_path / "made.pcap", frames))
    topics = [
        topic
        for topic, value in zip(tables.message("topic"), tables.message("payload"), strict=True)
        if value == b"2"
    ]
    assert topics == [f"t/{port}/{number}" for port in (40_001, 40_002) for number in range(1000, 0, -1)]


@pytest.mark.parametrize(
    ("packet", "flaw"),
    [
        (publish(topic=b"a", properties=alias(0)), "MQTT topic alias 0"),
        (publish(topic=b"", properties=b"\0"), "MQTT 5 PUBLISH with neither topic nor topic alias"),
        (publish(properties=b"\x02\x7f\0"), "MQTT property that does not exist, or that its length cuts off"),
        (
            publish(properties=b"\x03\x03\0\x09"),
            "MQTT property that does not exist, or that its length cuts off",
        ),
    ],
)
def test_wrong_properties_are_flagged(tmp_path: Path, packet: bytes, flaw: str) -> None:
    """A number, a length or a property that MQTT 5 does not have is said of the control packet."""
    assert said(tmp_path, (">", packet)).message("malformed")[2] == flaw


def test_the_client_id_that_a_broker_assigns_is_that_of_the_connection(tmp_path: Path) -> None:
    """From its CONNACK on (MQTT 5, 3.2.2.3.7); a client that named itself keeps its name."""
    given = control(0x20, b"\0\0\x0a\x12" + text(b"auto-77"))
    nameless = connect(5, b"", b"\0")
    tables = decode(
        pcap(tmp_path / "made.pcap", talk((">", nameless), ("<", given), (">", publish(properties=b"\0"))))
    )
    assert tables.message("client") == ["", "auto-77", "auto-77"]
    assert tables.message("clientid") == ["", None, None]
    named = decode(pcap(tmp_path / "made.pcap", talk((">", connect(5, b"me", b"\0")), ("<", given))))
    assert named.message("client") == ["me", "me"]


def test_a_reason_that_is_left_out_is_0(tmp_path: Path) -> None:
    """In acknowledgements (MQTT 5, 3.4.2.1), DISCONNECT (3.14.2.1) and AUTH (3.15.2.1); PINGREQ has none."""
    short = [control(kind, b"\0\7") for kind in (0x40, 0x50, 0x62, 0x70)] + [
        control(0xE0, b""),
        control(0xF0, b""),
    ]
    tables = said(tmp_path, *((">", packet) for packet in short), (">", control(0xC0, b"")))
    assert tables.message("reason")[2:] == [0] * 6 + [None]
    older = decode(pcap(tmp_path / "made.pcap", talk((">", connect()), ("<", short[0]), (">", short[4]))))
    assert older.message("reason") == [None] * 3


@pytest.mark.parametrize("level", [3, 4, 5])
def test_every_filter_and_every_code_is_kept(tmp_path: Path, level: int) -> None:
    """As JSON lists, beside the first of each."""
    none = b"\0" if level == 5 else b""
    filters = [("a/#", 0), ('say "x",\n', 1), ("ä/+", 2), ("a/#", 1)]
    body = b"".join(text(name.encode()) + bytes([qos]) for name, qos in filters)
    names = b"".join(text(name.encode()) for name, _ in filters)
    tables = decode(pcap(tmp_path / "made.pcap", talk(
        (">", connect(level, properties=none)), (">", control(0x82, b"\0\1" + none + body)), ("<", control(0x90, b"\0\1" + none + b"\0\1\x80\2")),
        (">", control(0xA2, b"\0\2" + none + names)), ("<", control(0xB0, b"\0\2" + (b"\0\0\x11\0\0" if none else b""))),
    )))  # fmt: skip
    expected = [name for name, _ in filters]
    assert tables.message("topic") == [None, "a/#", None, "a/#", None]
    assert [value and json.loads(str(value)) for value in tables.message("topics")] == [
        None,
        expected,
        None,
        expected,
        None,
    ]
    assert tables.message("qos_asked") == [None, "[0,1,2,1]", None, "[]", None]
    assert tables.message("codes") == [None, None, "[0,1,128,2]", None, "[0,17,0,0]" if level == 5 else None]
    assert set(tables.message("malformed")) == {None}


def test_a_subscribe_that_is_cut_off_within_a_filter_keeps_the_whole_ones(tmp_path: Path) -> None:
    """The flaw is said, and so it is where a filter has no QoS or there is no filter at all."""
    bodies = (text(b"a") + b"\0" + text(b"bcd")[:-1], text(b"a"), b"")
    packets = [(">", control(0x82, b"\0\1" + body)) for body in bodies]
    tables = decode(pcap(tmp_path / "made.pcap", talk((">", connect()), *packets)))
    assert tables.message("malformed") == [None, *["MQTT control packet too short for its fields"] * 3]
    assert tables.message("topics") == [None, '["a"]', None, None]
    assert tables.message("topic") == [None, "a", "a", None]


@pytest.mark.parametrize(
    ("level", "flags", "flaw"),
    [
        (4, 0x02, None), (4, 0x0E, None), (4, 0x36, None), (4, 0x1E, "MQTT CONNECT with will QoS 3"), (5, 0x1E, "MQTT CONNECT with will QoS 3"),
        (3, 0x1A, "MQTT CONNECT with will QoS 3"), (4, 0x0A, "MQTT CONNECT with a reserved flag, or with flags of a will and no will"),
        (4, 0x22, "MQTT CONNECT with a reserved flag, or with flags of a will and no will"),
        (4, 0x03, "MQTT CONNECT with a reserved flag, or with flags of a will and no will"), (3, 0x03, None),
    ],
)  # fmt: skip
def test_flags_of_a_will_that_cannot_be_are_flagged(
    tmp_path: Path, level: int, flags: int, flaw: str | None
) -> None:
    """Will QoS 3 ([MQTT-3.1.2-14]), and QoS or retain of a will that there is not ([MQTT-3.1.2-13], [MQTT-3.1.2-15])."""
    name, none = (b"MQIsdp" if level == 3 else b"MQTT"), b"\0" if level == 5 else b""
    will = none + text(b"will") + text(b"gone") if flags & 4 else b""
    packet = control(0x10, text(name) + bytes([level, flags, 0, 60]) + none + text(b"a") + will)
    tables = decode(pcap(tmp_path / "made.pcap", talk((">", packet))))
    assert tables.message("malformed") == [flaw]


@pytest.mark.parametrize(("level", "plain"), [(131, 3), (132, 4)])
def test_a_bridge_follows_the_rules_of_its_version(tmp_path: Path, level: int, plain: int) -> None:
    """MQTT 3.1 lets a SUBSCRIBE have other flags, and its CONNACK has no session; 3.1.1 does not and has."""
    packets = (">", control(0x8A, b"\0\1" + text(b"#") + b"\1")), ("<", control(0x20, b"\0\0"))
    bridge, client = (
        decode(pcap(tmp_path / "made.pcap", talk((">", connect(number)), *packets)))
        for number in (level, plain)
    )
    for name in ("level", "malformed", "session_present"):
        assert bridge.message(name) == client.message(name)
    assert bridge.message("version") == [level, None, None]


VERSION_5 = {
    "PUBACK with a reason": ("<", control(0x40, b"\0\1\x10")),
    "PUBREL with properties": (">", control(0x62, b"\0\1\0\0")),
    "UNSUBACK with codes": ("<", control(0xB0, b"\0\1\0\0")),
    "CONNACK with properties": ("<", CONNACK_5),
    "DISCONNECT with a reason": (">", control(0xE0, b"\x04\0")),
    "PUBLISH with properties": (">", publish(properties=b"\x05\x02\0\0\0\x3c")),
    "PUBLISH of a text": (">", publish('{"t": "21 °C"}'.encode(), properties=b"\0")),
    "SUBSCRIBE": (">", control(0x82, b"\0\1\0" + text(b"a/#") + b"\1")),
    "UNSUBSCRIBE": (">", control(0xA2, b"\0\1\0" + text(b"a/#"))),
}


@pytest.mark.parametrize("name", VERSION_5)
def test_packets_show_version_5_without_a_connect(tmp_path: Path, name: str) -> None:
    """Whatever MQTT 5 alone has; from then on the connection is read as that version."""
    side, packet = VERSION_5[name]
    later = publish(b"\x01\x02", properties=b"\0")
    tables = decode(pcap(tmp_path / "made.pcap", talk((side, packet), (">", later))))
    assert tables.message("level") == [5, 5]
    assert tables.message("payload")[1] == b"\x01\x02"
    assert (tables.remarks, set(tables.column("malformed"))) == ([], {None})


@pytest.mark.parametrize(
    "packets",
    [
        (publish(),),
        (publish(b"", 0),),
        (publish(b"\x00\x07"), publish()),
        (control(0x82, b"\0\1" + text(b"a/#") + b"\1"),),
    ],
)
def test_packets_show_an_older_version_without_a_connect(tmp_path: Path, packets: tuple[bytes, ...]) -> None:
    """Where version 5 would have properties that cannot be: nothing is remarked, and payloads stay as sent."""
    later = publish(b"\x0021.5")
    tables = decode(pcap(tmp_path / "made.pcap", talk(*((">", packet) for packet in packets), (">", later))))
    assert tables.message("payload")[-1] == b"\x0021.5"
    assert (set(tables.message("level")), tables.remarks) == ({None}, [])


def test_a_version_that_nothing_shows_is_remarked_and_can_be_stated(tmp_path: Path) -> None:
    """A payload that begins with a zero byte may be either; the decoder takes the version as an argument."""
    path = pcap(tmp_path / "made.pcap", [up(publish(b"\0\1")), down(control(0x40, b"\0\7"))])
    assert decode(path).message("payload")[0] == b"\0\1"
    (remark,) = decode(path).remarks
    assert "1 connections began before the capture" in remark
    assert "--mqtt-version" in remark
    stated = decode(path, Decoder(frames=1024, size=0, version=5))
    assert (stated.message("payload")[0], stated.message("level"), stated.remarks) == (b"\1", [5, 5], [])
    older = decode(
        pcap(tmp_path / "other.pcap", [up(publish(b"\x0021.5"))]), Decoder(frames=1024, size=0, version=4)
    )
    assert (older.message("payload"), older.message("level")) == ([b"\x0021.5"], [4])
