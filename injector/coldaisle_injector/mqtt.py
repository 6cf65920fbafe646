"""The MQTT messages in a segment, read and changed as bytes; scapy makes the rare changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from scapy.contrib.mqtt import MQTT, MQTTConnect, MQTTPublish

from coldaisle_injector.messages import PUBACK, PUBLISH, packet

_CONTINUES = 0x80
_QOS = 0x06


@dataclass(frozen=True)
class Message:
    """One whole MQTT control packet.

    Attributes:
        type: control packet type, 3 is PUBLISH.
        data: its bytes, fixed header included.
        mid: message id of a PUBLISH at QoS 1 or a PUBACK, else 0.
        value: payload of a PUBLISH, else empty.
    """

    type: int
    data: bytes
    mid: int = 0
    value: bytes = b""


def messages(payload: bytes) -> Iterator[Message]:
    """Yield the whole messages in a segment's payload, and the remaining bytes as a message of type 0."""
    at = 0
    while at < len(payload):
        end = _end(payload, at)
        if end is None or end > len(payload):
            yield Message(0, payload[at:])
            return
        yield _read(payload[at:end])
        at = end


def _end(payload: bytes, at: int) -> int | None:
    """Return the end of the message that starts at ``at`` (MQTT 3.1, 2.1: at most four length bytes), ``None`` where it is cut."""
    length = shift = 0
    for index in range(at + 1, min(at + 5, len(payload))):
        length |= (payload[index] & ~_CONTINUES) << shift
        shift += 7
        if payload[index] < _CONTINUES:
            return index + 1 + length
    return None


def _body(data: bytes) -> int:
    """Return the offset of the body of a whole message, which follows the last length byte."""
    return next(index for index in range(1, 5) if data[index] < _CONTINUES) + 1


def _read(data: bytes) -> Message:
    kind, body = data[0] >> 4, _body(data)
    if kind == PUBACK:
        return Message(kind, data, int.from_bytes(data[body : body + 2], "big"))
    if kind != PUBLISH:
        return Message(kind, data)
    at = body + 2 + int.from_bytes(data[body : body + 2], "big")
    if not data[0] & _QOS:
        return Message(kind, data, 0, data[at:])
    return Message(kind, data, int.from_bytes(data[at : at + 2], "big"), data[at + 2 :])


def with_value(message: Message, value: bytes) -> bytes:
    """Return a PUBLISH with another payload and everything else unchanged."""
    body = _body(message.data)
    return packet(message.data[0], message.data[body : len(message.data) - len(message.value)] + value)


def tampered(message: Message, field: str, value: int) -> bytes:
    """Return a PUBLISH of QoS 1 with one field changed.

    Args:
        message: the PUBLISH.
        field: ``topic``, ``qos``, ``retain``, ``dup`` or ``msgid``.
        value: number of characters to add to the topic; the value of any other field.
    """
    edited = MQTT(message.data)
    publish = edited[MQTTPublish]
    match field:
        case "topic":
            publish.topic += b"x" * value
            publish.length = edited.len = None
        case "msgid":
            publish.msgid = value
        case "qos":  # built anew, because QoS 0 has no message id
            plain = MQTTPublish(topic=publish.topic, value=publish.value)
            return bytes(MQTT(QOS=value, RETAIN=edited.RETAIN) / plain)
        case "retain" | "dup":
            setattr(edited, field.upper(), value)
    return bytes(edited)


def cleared(message: Message) -> bytes:
    """Return a PUBLISH that clears the retained message of a message's topic."""
    topic = MQTT(message.data)[MQTTPublish].topic
    return bytes(MQTT(QOS=0, RETAIN=1) / MQTTPublish(topic=topic))


def client_id(connect: Message) -> str:
    """Return the client id in a CONNECT (MQTT 3.1, 3.1)."""
    return str(MQTT(connect.data)[MQTTConnect].clientId.decode("utf-8", "replace"))


def puback(mid: int) -> bytes:
    """Return the broker's acknowledgement of a message id."""
    return packet(PUBACK << 4, mid.to_bytes(2, "big"))
