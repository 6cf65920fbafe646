"""MQTT 3.1 and 3.1.1 messages: from their bytes to fields (MQTT 3.1.1, OASIS 2014, chapters 2 and 3)."""

from typing import NamedTuple

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
_WITH_ID = frozenset({4, 5, 6, 7, 8, 9, 10, 11})
"""Types whose body starts with a message id: PUBACK to UNSUBACK."""


class Message(NamedTuple):
    """The fields of a message; ``None`` for those its type does not have.

    The names are those of the dataset's columns, without ``mqtt_``.
    """

    msgtype: int
    len: int
    qos: int | None = None
    dup: int | None = None
    retain: int | None = None
    msgid: int | None = None
    topic: str | None = None
    payload: str | None = None
    clientid: str | None = None
    protoname: str | None = None
    version: int | None = None
    keepalive: int | None = None
    cleansess: int | None = None
    connack: int | None = None


def parse(first: int, body: bytes) -> Message:
    """Return the fields of a message.

    Args:
        first: first byte of the fixed header: type and flags.
        body: what follows the remaining length; a field a malformed body is too short for stays ``None``.
    """
    kind = first >> 4
    if kind == PUBLISH:
        return _publish(first, body)
    if kind in _WITH_ID and len(body) > 1:
        return Message(kind, len(body), msgid=body[0] << 8 | body[1])
    if kind == CONNACK and len(body) > 1:
        return Message(kind, len(body), connack=body[1])
    if kind == CONNECT:
        return _connect(body)
    return Message(kind, len(body))


def _publish(first: int, body: bytes) -> Message:
    topic, at = _text(body, 0)
    qos = first >> 1 & 3
    msgid = None
    if qos:
        msgid = int.from_bytes(body[at : at + 2], "big")
        at += 2
    payload = body[at:].decode("utf-8", "replace")
    return Message(PUBLISH, len(body), qos, first >> 3 & 1, first & 1, msgid, topic, payload)


def _connect(body: bytes) -> Message:
    name, at = _text(body, 0)
    if len(body) < at + 4:
        return Message(CONNECT, len(body), protoname=name)
    flags, keepalive = body[at + 1], int.from_bytes(body[at + 2 : at + 4], "big")
    client, _ = _text(body, at + 4)
    return Message(
        CONNECT,
        len(body),
        clientid=client,
        protoname=name,
        version=body[at],
        keepalive=keepalive,
        cleansess=flags >> 1 & 1,
    )


def _text(body: bytes, at: int) -> tuple[str, int]:
    """Return the length-prefixed UTF-8 text at an offset, and where it ends."""
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode("utf-8", "replace"), end
