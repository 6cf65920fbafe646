"""MQTT messages are found in a segment's bytes and rebuilt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mqtt import MQTT, MQTTConnect, MQTTPublish
from tests.injector.made import publish

from coldaisle_injector import messages, mqtt
from coldaisle_injector.messages import packet, string
from coldaisle_injector.mqtt import Message

_VALUES = st.text("0123456789.", min_size=1, max_size=200)
_MIDS = st.integers(1, 65_535)


@given(st.lists(st.tuples(_VALUES, _MIDS), min_size=1, max_size=5))
def test_messages_of_one_segment_are_told_apart(readings: list[tuple[str, int]]) -> None:
    """Several PUBLISH messages in a segment are read with their ids and values, with short and long lengths."""
    parsed = list(mqtt.messages(b"".join(publish(value, mid) for value, mid in readings)))
    assert [(message.type, message.value.decode(), message.mid) for message in parsed] == [
        (messages.PUBLISH, value, mid) for value, mid in readings
    ]


@given(_VALUES, _MIDS, _VALUES)
def test_with_value_changes_the_value_alone(value: str, mid: int, other: str) -> None:
    """A PUBLISH with another value is the one that the sensor would have sent, and the original value restores it."""
    (message,) = mqtt.messages(publish(value, mid))
    changed = mqtt.with_value(message, other.encode())
    assert changed == publish(other, mid)
    (again,) = mqtt.messages(changed)
    assert mqtt.with_value(again, value.encode()) == message.data


@given(st.binary(max_size=300))
def test_any_bytes_are_passed_on_whole(payload: bytes) -> None:
    """For any segment, its messages joined together are its bytes."""
    assert b"".join(message.data for message in mqtt.messages(payload)) == payload


def test_cut_message_is_left_over() -> None:
    """A message that continues in the next segment is yielded unchanged, with type 0."""
    whole = publish("15.54", 7)
    assert list(mqtt.messages(mqtt.puback(1) + whole[:-1])) == [
        Message(messages.PUBACK, mqtt.puback(1), 1),
        Message(0, whole[:-1]),
    ]


@given(_MIDS)
def test_puback_names_its_message(mid: int) -> None:
    """A PUBACK has four bytes and its message id."""
    data = mqtt.puback(mid)
    assert data == b"\x40\x02" + mid.to_bytes(2, "big")
    assert list(mqtt.messages(data)) == [Message(messages.PUBACK, data, mid)]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("topic", 3, MQTT(QOS=1) / MQTTPublish(topic="IoTxxx", msgid=7, value=b"15.54")),
        ("topic", 200, MQTT(QOS=1) / MQTTPublish(topic="IoT" + "x" * 200, msgid=7, value=b"15.54")),
        ("qos", 0, MQTT(QOS=0) / MQTTPublish(topic="IoT", value=b"15.54")),
        ("retain", 1, MQTT(QOS=1, RETAIN=1) / MQTTPublish(topic="IoT", msgid=7, value=b"15.54")),
        ("dup", 1, MQTT(QOS=1, DUP=1) / MQTTPublish(topic="IoT", msgid=7, value=b"15.54")),
        ("msgid", 40_000, MQTT(QOS=1) / MQTTPublish(topic="IoT", msgid=40_000, value=b"15.54")),
    ],
)
def test_tampering_changes_one_field_of_a_message(field: str, value: int, expected: MQTT) -> None:
    """The message equals one that a client would have sent with that field, with right lengths."""
    (message,) = mqtt.messages(publish("15.54", 7))
    assert mqtt.tampered(message, field, value) == bytes(expected)


def test_clearing_is_an_empty_retained_message_of_the_same_topic() -> None:
    """The message that clears a retained value has QoS 0, so the broker does not answer."""
    (message,) = mqtt.messages(publish("15.54", 7))
    assert mqtt.cleared(message) == bytes(MQTT(QOS=0, RETAIN=1) / MQTTPublish(topic="IoT"))


def test_client_id_is_read_from_a_connect() -> None:
    """The client id is found for any other fields of the CONNECT."""
    data = bytes(MQTT() / MQTTConnect(clientId="133-v2", protoname="MQIsdp", protolevel=3, klive=3600))
    (message,) = mqtt.messages(data)
    assert (message.type, mqtt.client_id(message)) == (messages.CONNECT, "133-v2")


@given(_VALUES, _MIDS, st.integers(0, 2), st.binary(max_size=300))
def test_a_reading_of_mqtt_5_is_read_and_changed_behind_its_properties(
    value: str, mid: int, qos: int, properties: bytes
) -> None:
    """Properties, however long, are no part of the value, and stay when the value is changed."""
    length = packet(0, properties)[1 : len(packet(0, properties)) - len(properties)]
    name = mid.to_bytes(2, "big") if qos else b""
    data = packet(0x30 | qos << 1, string("IoT") + name + length + properties + value.encode())
    (message,) = mqtt.messages(data, properties=True)
    assert (message.mid, message.value.decode(), message.qos) == (mid if qos else 0, value, qos)
    assert mqtt.with_value(message, b"9") == packet(
        data[0], string("IoT") + name + length + properties + b"9"
    )
    if qos:
        plain = packet(0x30, string("IoT") + length + properties + value.encode())
        assert mqtt.tampered(message, "qos", 0) == plain
        renamed = packet(data[0], string("IoT") + b"\x9c\x40" + length + properties + value.encode())
        assert mqtt.tampered(message, "msgid", 40_000) == renamed
    assert mqtt.cleared(message, properties=True) == b"\x31\x06\x00\x03IoT\x00"


@pytest.mark.parametrize("properties", [b"\x00", b"\x05\x11\x00\x00\x02\x58", b"\x80\x01" + 128 * b"x"])
def test_the_client_id_of_mqtt_5_stands_behind_its_properties(properties: bytes) -> None:
    """A CONNECT of MQTT 5 names its client behind its properties."""
    body = string("MQTT") + b"\x05\x02\x02\x58" + properties + string("134")
    (message,) = mqtt.messages(packet(0x10, body))
    assert mqtt.client_id(message) == "134"


@pytest.mark.parametrize("kind", [messages.PUBACK, messages.PUBREC, messages.PUBREL, messages.PUBCOMP])
def test_acknowledgements_keep_their_reason_under_another_message_id(kind: int) -> None:
    """A reason code of MQTT 5 stays where the message id is changed."""
    (message,) = mqtt.messages(packet(kind << 4, b"\x00\x07\x10"))
    assert message.mid == 7
    assert mqtt.with_mid(message, 9) == packet(kind << 4, b"\x00\x09\x10")
