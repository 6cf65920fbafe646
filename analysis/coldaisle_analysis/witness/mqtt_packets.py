"""MQTT control packets in a stream of bytes, parsed by hand for the witness (MQTT 3.1.1 and 5, section 2)."""

from dataclasses import dataclass

CONNECT, PUBLISH, DISCONNECT = 1, 3, 14
"""Types of packets."""
_FIVE = 5
"""Protocol level of MQTT 5."""


@dataclass(frozen=True)
class Message:
    """The content of a PUBLISH.

    Attributes:
        topic: its topic.
        qos: its quality of service.
        retain: its retain flag.
        mid: its message id; 0 at QoS 0.
        payload: its payload.
    """

    topic: str
    qos: int
    retain: bool
    mid: int
    payload: bytes


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole control packets that data begin with, and the rest."""
    packets = []
    while len(data) > 1:
        length, used = _number(data, 1)
        end = 1 + used + length
        if not used or len(data) < end:
            break
        packets.append(data[:end])
        data = data[end:]
    return packets, data


def client_id(packet: bytes) -> str:
    """Return the client id of a CONNECT."""
    at = 1 + _number(packet, 1)[1]
    at += 2 + int.from_bytes(packet[at : at + 2], "big")
    level = packet[at] & 0x7F
    at += 4  # level, flags and keepalive
    if level == _FIVE:
        length, used = _number(packet, at)
        at += used + length
    return _text(packet, at)


def message(packet: bytes, *, properties: bool) -> Message:
    """Return the content of a PUBLISH.

    Args:
        packet: the control packet.
        properties: whether it has properties, as in MQTT 5.
    """
    at, qos = 1 + _number(packet, 1)[1], packet[0] >> 1 & 3
    topic = _text(packet, at)
    at += 2 + int.from_bytes(packet[at : at + 2], "big")
    mid = int.from_bytes(packet[at : at + 2], "big") if qos else 0
    at += 2 if qos else 0
    if properties:
        length, used = _number(packet, at)
        at += used + length
    return Message(topic, qos, bool(packet[0] & 1), mid, packet[at:])


def _text(packet: bytes, at: int) -> str:
    length = int.from_bytes(packet[at : at + 2], "big")
    return packet[at + 2 : at + 2 + length].decode("utf-8", "replace")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable byte integer and the bytes that it takes, 0 where it is not whole."""
    value = 0
    for place, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, place + 1
    return 0, 0
