"""MQTT messages of the attacker's own clients, built byte by byte so that they can also be malformed."""

import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK = range(1, 10)
PINGRESP = 13
DISCONNECT = b"\xe0\x00"
PINGREQ = b"\xc0\x00"
RETAIN = 0x01
"""Flag of a PUBLISH that the broker retains or has retained."""
QOS, DUP = 0x06, 0x08
"""Flags of a PUBLISH: its quality of service, and that it was sent before."""
_CONTINUES = 0x80


def packet(first: int, body: bytes) -> bytes:
    """Return a control packet (MQTT 3.1, 2.1).

    Args:
        first: its first byte: type and flags.
        body: the bytes after the remaining length.
    """
    remaining, out = len(body), bytearray()
    while True:
        remaining, digit = divmod(remaining, _CONTINUES)
        out.append(digit | (_CONTINUES if remaining else 0))
        if not remaining:
            return bytes([first]) + bytes(out) + body


def string(text: str | bytes) -> bytes:
    """Return a length-prefixed string (MQTT 3.1, 2.5)."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(data)) + data


def connect(
    client: str,
    *,
    keepalive_s: int = 3600,
    protocol: tuple[str, int] = ("MQIsdp", 3),
    login: tuple[str, str] | None = None,
    will: tuple[str, str] | None = None,
) -> bytes:
    """Return a CONNECT with a clean session.

    Args:
        client: client id.
        keepalive_s: keepalive, in s; 0 for none.
        protocol: name and level; MQTT 3.1 when left out.
        login: name and password.
        will: topic and value of the message that the broker publishes when the connection breaks.
    """
    flags = 0x02 | (0xC0 if login else 0) | (0x04 if will else 0)
    name, level = protocol
    properties = b"\x00" if level >= 5 else b""  # noqa: PLR2004 - MQTT 5 has properties
    body = string(name) + bytes([level, flags]) + struct.pack("!H", keepalive_s) + properties
    body += string(client)
    if will:
        body += properties
    for part in (*(will or ()), *(login or ())):
        body += string(part)
    return packet(CONNECT << 4, body)


def publish(
    topic: str,
    value: str | bytes,
    *,
    mid: int = 0,
    retain: bool = False,
    qos: int = 1,
    properties: bool = False,
) -> bytes:
    """Return a PUBLISH: of QoS 1 or 2 with a message id, of QoS 0 without; ``properties`` says that there are none, as MQTT 5 does."""
    data = (b"\x00" if properties else b"") + (value.encode() if isinstance(value, str) else value)
    body = string(topic) + (struct.pack("!H", mid) if mid else b"") + data
    return packet(PUBLISH << 4 | (qos << 1 if mid else 0) | (RETAIN if retain else 0), body)


def acknowledgement(kind: int, mid: int) -> bytes:
    """Return a PUBACK, PUBREC, PUBREL or PUBCOMP of a message id."""
    return packet(kind << 4 | (0x02 if kind == PUBREL else 0), struct.pack("!H", mid))


def subscribe(topic: str, mid: int, qos: int = 0) -> bytes:
    """Return a SUBSCRIBE to one topic."""
    return packet(SUBSCRIBE << 4 | 0x02, struct.pack("!H", mid) + string(topic) + bytes([qos]))
