"""Messages built byte by byte: scapy reads the intended fields, and broken messages are broken where intended."""

import random

import pytest
from scapy.contrib.mqtt import MQTT, MQTTConnect, MQTTPublish, MQTTSubscribe

from coldaisle_injector import messages
from coldaisle_injector.attacks import malformed


def test_connect_says_who_comes_and_how() -> None:
    """Scapy reads name, level, keepalive, client id, login and will."""
    will = ("IoT", "15.54")
    data = messages.connect("131", keepalive_s=120, login=("operator", "coolant-7"), will=will)
    read = MQTT(data)[MQTTConnect]
    assert (read.protoname, read.protolevel, read.klive) == (b"MQIsdp", 3, 120)
    assert (read.clientId, read.username, read.password) == (b"131", b"operator", b"coolant-7")
    assert (read.willtopic, read.willmsg) == (b"IoT", b"15.54")


def test_plain_connect_has_neither_login_nor_will() -> None:
    """Only the clean-session flag is set."""
    read = MQTT(messages.connect("131"))[MQTTConnect]
    flags = (read.cleansess, read.willflag, read.usernameflag, read.passwordflag)
    assert flags == (1, 0, 0, 0)


@pytest.mark.parametrize(("mid", "retain"), [(0, False), (7, False), (7, True)])
def test_publish_is_read_back(mid: int, retain: bool) -> None:
    """Scapy reads topic, value, quality of service, message id and retain flag as requested."""
    packet = MQTT(messages.publish("IoT", "15.54", mid=mid, retain=retain))
    assert (bool(mid), retain) == (packet.QOS, packet.RETAIN)
    read = packet[MQTTPublish]
    assert (read.topic, read.value, read.msgid or 0) == (b"IoT", b"15.54", mid)


def test_subscribe_names_its_topic() -> None:
    """Scapy reads message id and topic filter."""
    read = MQTT(messages.subscribe("#", 9))[MQTTSubscribe]
    assert (read.msgid, read.topics[0].topic) == (9, b"#")


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 200_000])
def test_remaining_length_is_right(size: int) -> None:
    """The remaining length has one to three bytes of seven bits each, least significant first (MQTT 3.1, 2.1)."""
    data = messages.packet(0x30, bytes(size))
    read, shift, at = 0, 0, 1
    while True:
        read |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            break
    assert (read, len(data) - at) == (size, size)


def test_grammar_is_seeded() -> None:
    """Every rule yields bytes, and the same seed yields the same bytes."""
    for rules in (malformed.FIRST, malformed.LATER):
        for rule in rules.values():
            message = [rule(random.Random(3)) for _ in range(2)]  # noqa: S311 - nothing secret
            assert message[0] == message[1] != b""
