"""The MQTT packets of units, parsed by hand: one packet per segment (MQTT 3.1, 2.1), a PUBLISH of less than 128 bytes."""

from coldaisle_analysis.witness.journals import Line
from coldaisle_contracts.units import Unit

_PUBLISH, _QOS, _DUP = 0x30, 0x06, 0x08
"""First byte of a PUBLISH, and its bits for the quality of service and for a repeated one."""
_ALIASED = bytes((3, 0x23, 0, 1))
"""Properties of three bytes: topic alias 1 (MQTT 5, 3.3.2.3.4)."""


def kind(payload: bytes) -> int:
    """Return the type of the MQTT packet a payload starts with, 0 for none."""
    return payload[0] >> 4 if payload else 0


def message_id(publish: bytes) -> int:
    """Return the message id of a PUBLISH (MQTT 3.1, 3.3), 0 for one of QoS 0, which has none."""
    if not publish[0] & _QOS:
        return 0
    topic = int.from_bytes(publish[2:4], "big")
    return int.from_bytes(publish[4 + topic : 6 + topic], "big")


def publishes(unit: Unit, reading: Line) -> set[bytes]:
    """Return the PUBLISH of a reading as a unit sends it first, and as it repeats it; nothing for a client that it does not have.

    Only one of QoS 1 or 2 says that it is repeated, and only one with a topic alias may leave its topic empty.
    """
    if reading["client"] not in unit.clients:
        return set()
    dialect = unit.dialect
    topic = unit.topic(unit.clients.index(reading["client"]) + 1).encode()
    first = _PUBLISH | dialect.qos << 1 | dialect.retain
    every = set[bytes]()
    for name in (topic, b"") if dialect.topic_alias else (topic,):
        body = len(name).to_bytes(2, "big") + name + _behind_topic(unit, reading)
        every |= {
            bytes((start, len(body))) + body for start in (first, first | _DUP if dialect.qos else first)
        }
    return every


def is_end_of(payload: bytes, unit: Unit, reading: Line) -> bool:
    """Tell whether a payload ends with message id and value of a reading: its PUBLISH, or the part of it that was sent again.

    Where it has no message id, the topic or its alias has to stand there.
    """
    end, dialect = _behind_topic(unit, reading), unit.dialect
    if not dialect.qos and not dialect.topic_alias and reading["client"] in unit.clients:
        end = unit.topic(unit.clients.index(reading["client"]) + 1).encode() + end
    return payload.endswith(end)


def _behind_topic(unit: Unit, reading: Line) -> bytes:
    """Return the bytes of a reading's PUBLISH behind its topic: message id, properties, payload."""
    dialect = unit.dialect
    mid = reading["mid"].to_bytes(2, "big") if dialect.qos else b""
    properties = (_ALIASED if dialect.topic_alias else b"\x00") if dialect.version == "5" else b""
    return mid + properties + unit.encode(reading["value"])
