"""The MQTT messages in a segment, read and changed as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

from coldaisle_injector.messages import (
    DUP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    QOS,
    RETAIN,
    acknowledgement,
    packet,
    string,
)

_CONTINUES, _V5 = 0x80, 5
_ANSWERS = (PUBACK, PUBREC, PUBREL, PUBCOMP)
"""Types that begin with the message id that they are about."""


@dataclass(frozen=True)
class Message:
    """One whole MQTT control packet.

    Attributes:
        type: control packet type, 3 is PUBLISH.
        data: its bytes, fixed header included.
        mid: message id of a PUBLISH at QoS 1 or 2, or of what acknowledges one, else 0.
        value: payload of a PUBLISH, else empty.
    """

    type: int
    data: bytes
    mid: int = 0
    value: bytes = b""

    @property
    def qos(self) -> int:
        """Quality of service of a PUBLISH."""
        return (self.data[0] & QOS) >> 1


def messages(payload: bytes, *, properties: bool = False) -> Iterator[Message]:
    """Yield the whole messages in a segment's payload, and the remaining bytes as a message of type 0.

    Args:
        payload: the segment's payload.
        properties: whether a PUBLISH has properties, as in MQTT 5.
    """
    at = 0
    while at < len(payload):
        end = _end(payload, at)
        if end is None or end > len(payload):
            yield Message(0, payload[at:])
            return
        yield _read(payload[at:end], properties=properties)
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


def _read(data: bytes, *, properties: bool) -> Message:
    kind, body = data[0] >> 4, _body(data)
    if kind in _ANSWERS:
        return Message(kind, data, int.from_bytes(data[body : body + 2], "big"))
    if kind != PUBLISH:
        return Message(kind, data)
    at = body + 2 + int.from_bytes(data[body : body + 2], "big")
    mid = 0
    if data[0] & QOS:
        mid, at = int.from_bytes(data[at : at + 2], "big"), at + 2
    if properties:  # their length is written as that of a message
        at = _end(data, at - 1) or len(data)
    return Message(kind, data, mid, data[at:])


def with_value(message: Message, value: bytes) -> bytes:
    """Return a PUBLISH with another payload and everything else unchanged."""
    body = _body(message.data)
    return packet(message.data[0], message.data[body : len(message.data) - len(message.value)] + value)


def with_mid(message: Message, mid: int) -> bytes:
    """Return an acknowledgement with another message id and everything else unchanged."""
    return packet(message.data[0], mid.to_bytes(2, "big") + message.data[_body(message.data) + 2 :])


def tampered(message: Message, field: str, value: int) -> bytes:
    """Return a PUBLISH with one field changed.

    Args:
        message: the PUBLISH; only one of QoS 1 or 2 has a message id, and can lose its QoS.
        field: ``topic``, ``qos``, ``retain``, ``dup`` or ``msgid``.
        value: number of characters to add to the topic; the value of any other field, which for the QoS is 0.
    """
    first, body = message.data[0], message.data[_body(message.data) :]
    topic = 2 + int.from_bytes(body[:2], "big")
    match field:
        case "topic":
            body = string(body[2:topic] + b"x" * value) + body[topic:]
        case "msgid":
            body = body[:topic] + value.to_bytes(2, "big") + body[topic + 2 :]
        case "qos":  # without a message id, which QoS 0 does not have
            first, body = first & ~(QOS | DUP), body[:topic] + body[topic + 2 :]
        case "retain" | "dup":
            bit = RETAIN if field == "retain" else DUP
            first = first | bit if value else first & ~bit
    return packet(first, body)


def cleared(message: Message, *, properties: bool = False) -> bytes:
    """Return a PUBLISH that clears the retained message of a message's topic; in MQTT 5 without any property."""
    body = message.data[_body(message.data) :]
    topic = body[: 2 + int.from_bytes(body[:2], "big")]
    return packet(PUBLISH << 4 | RETAIN, topic + (b"\x00" if properties else b""))


def client_id(connect: Message) -> str:
    """Return the client id in a CONNECT (MQTT 3.1, 3.1; MQTT 5, 3.1)."""
    body = connect.data[_body(connect.data) :]
    name = 2 + int.from_bytes(body[:2], "big")
    at = name + 4  # behind name, level, flags and keepalive
    if body[name : name + 1] == bytes((_V5,)):
        at = _end(body, at - 1) or len(body)
    length = int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : at + 2 + length].decode("utf-8", "replace")


def puback(mid: int) -> bytes:
    """Return the broker's acknowledgement of a message id."""
    return acknowledgement(PUBACK, mid)
