"""The MQTT packets of units, parsed by hand: one packet of less than 128 bytes per segment (MQTT 3.1, 2.1)."""

from coldaisle_analysis.witness.journals import Line
from coldaisle_contracts.units import Unit

CONNECT, PUBLISH = 1, 3
_PUBLISH, _QOS, _DUP = 0x30, 0x06, 0x08
"""First byte of a PUBLISH, and its bits for the quality of service and for a repeated one."""


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
    """Return the message id of a PUBLISH (MQTT 3.1, 3.3), 0 for one of QoS 0, which has none."""
    if not publish[0] & _QOS:
        return 0
    topic = int.from_bytes(publish[2:4], "big")
    return int.from_bytes(publish[4 + topic : 6 + topic], "big")


def publishes(unit: Unit, reading: Line) -> tuple[bytes, bytes]:
    """Return the PUBLISH of a reading as a unit sends it first, and as it repeats it; nothing for a client that it does not have.

    Only one of QoS 1 or 2 says that it is repeated.
    """
    if reading["client"] not in unit.clients:
        return b"", b""
    topic = unit.topic(unit.clients.index(reading["client"]) + 1).encode()
    body = len(topic).to_bytes(2, "big") + topic + _behind_topic(unit, reading)
    first = _PUBLISH | unit.dialect.qos << 1
    again = first | _DUP if unit.dialect.qos else first
    return bytes((first, len(body))) + body, bytes((again, len(body))) + body


def is_end_of(payload: bytes, unit: Unit, reading: Line) -> bool:
    """Tell whether a payload ends with message id and value of a reading: its PUBLISH, or the part of it that was sent again.

    Where it has no message id, the topic has to stand there.
    """
    end = _behind_topic(unit, reading)
    if not unit.dialect.qos and reading["client"] in unit.clients:
        end = unit.topic(unit.clients.index(reading["client"]) + 1).encode() + end
    return payload.endswith(end)


def _behind_topic(unit: Unit, reading: Line) -> bytes:
    """Return the bytes of a reading's PUBLISH behind its topic."""
    mid = reading["mid"].to_bytes(2, "big") if unit.dialect.qos else b""
    return mid + unit.encode(reading["value"])
