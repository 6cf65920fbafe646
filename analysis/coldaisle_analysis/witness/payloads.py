"""The MQTT packets of units, parsed by hand: one packet of less than 128 bytes per segment (MQTT 3.1, 2.1)."""

from coldaisle_analysis.witness.journals import Line
from coldaisle_contracts.units import Unit

CONNECT, PUBLISH = 1, 3
_QOS_1, _AGAIN = 0x32, 0x3A
"""First byte of a PUBLISH at QoS 1, and of a repeated one."""


def kind(payload: bytes) -> int:
    """Return the type of the MQTT packet a payload starts with, 0 for none."""
    return payload[0] >> 4 if payload else 0


def client_id(connect: bytes) -> str:
    """Return the client id of a CONNECT (MQTT 3.1, 3.1)."""
    protocol = int.from_bytes(connect[2:4], "big")
    at = 4 + protocol + 4
    length = int.from_bytes(connect[at : at + 2], "big")
    return connect[at + 2 : at + 2 + length].decode("utf-8", "replace")


def message_id(publish: bytes) -> int:
    """Return the message id of a PUBLISH at QoS 1 (MQTT 3.1, 3.3)."""
    topic = int.from_bytes(publish[2:4], "big")
    return int.from_bytes(publish[4 + topic : 6 + topic], "big")


def publishes(unit: Unit, reading: Line) -> tuple[bytes, bytes]:
    """Return the PUBLISH of a reading as a unit sends it first, and as it repeats it; nothing for a client that it does not have."""
    if reading["client"] not in unit.clients:
        return b"", b""
    topic = unit.topic(unit.clients.index(reading["client"]) + 1).encode()
    body = len(topic).to_bytes(2, "big") + topic + reading["mid"].to_bytes(2, "big")
    body += unit.encode(reading["value"])
    first, again = (bytes((start, len(body))) + body for start in (_QOS_1, _AGAIN))
    return first, again


def is_end_of(payload: bytes, unit: Unit, reading: Line) -> bool:
    """Tell whether a payload ends with message id and value of a reading: its PUBLISH, or the part of it that was sent again."""
    return payload.endswith(reading["mid"].to_bytes(2, "big") + unit.encode(reading["value"]))
