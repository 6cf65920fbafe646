"""MQTT control packets as Suricata 7 writes them in its events (docs.suricata.io, Event type: MQTT); their grammar is that of the standard.

Only a packet whose bytes are there as a whole is written in all its fields.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

PROPERTIES = {
    1: ("payload_format_indicator", "u8"), 2: ("message_expiry_interval", "u32"), 3: ("content_type", "text"),
    8: ("response_topic", "text"), 9: ("correlation_data", "data"), 11: ("subscription_identifier", "varint"),
    17: ("session_expiry_interval", "u32"), 18: ("assigned_client_identifier", "text"), 19: ("server_keep_alive", "u16"),
    21: ("authentication_method", "text"), 22: ("authentication_data", "data"), 23: ("request_problem_information", "u8"),
    24: ("will_delay_interval", "u32"), 25: ("request_response_information", "u8"), 26: ("response_information", "text"),
    28: ("server_reference", "text"), 31: ("reason_string", "text"), 33: ("receive_maximum", "u16"),
    34: ("topic_alias_maximum", "u16"), 35: ("topic_alias", "u16"), 36: ("maximum_qos", "u8"), 37: ("retain_available", "u8"),
    38: ("", "pair"), 39: ("maximum_packet_size", "u32"), 40: ("wildcard_subscription_available", "u8"),
    41: ("subscription_identifier_available", "u8"), 42: ("shared_subscription_available", "u8"),
}  # fmt: skip
"""The properties of MQTT 5, by their identifier: name in the event, and type (OASIS 2019, table 2-4)."""
_V5 = 5
_MORE, _MOST_LENGTH_BYTES = 0x80, 4
_PRINTABLE = range(0x20, 0x7F)


class BrokenError(ValueError):
    """A control packet that breaks the grammar."""


class ControlPacket(NamedTuple):
    """A control packet.

    Attributes:
        kind: its type by number.
        qos: bits 1 and 2 of its first byte.
        msgid: its packet identifier; ``None`` where it has none.
        fields: its object in an event.
    """

    kind: int
    qos: int
    msgid: int | None
    fields: dict[str, Any]


class _Reader:
    """Reads the values of a control packet one after the other."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        if count > len(self.left):
            raise BrokenError
        head, self.left = self.left[:count], self.left[count:]
        return head

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def data(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        return shown(self.data())

    def varint(self) -> int:
        value = 0
        for place in range(_MOST_LENGTH_BYTES):
            byte = self.number(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < _MORE:
                return value
        raise BrokenError

    def properties(self, version: int) -> dict[str, Any]:
        """Return the properties of a packet of MQTT 5 under the key ``properties``; nothing where there are none."""
        if version != _V5:
            return {}
        inside, values = _Reader(self.take(self.varint())), dict[str, Any]()
        while inside.left:
            name, kind = PROPERTIES.get(inside.varint(), ("", ""))
            if not kind:
                raise BrokenError
            if kind == "pair":
                name = inside.text()
            values[name] = _VALUES[kind](inside)
        return {"properties": values} if values else {}


_VALUES: dict[str, Callable[[_Reader], Any]] = {
    "u8": lambda reader: reader.number(1),
    "u16": lambda reader: reader.number(2),
    "u32": lambda reader: reader.number(4),
    "varint": _Reader.varint,
    "text": _Reader.text,
    "pair": _Reader.text,
    "data": lambda reader: shown(reader.data()),
}


def shown(data: bytes) -> str:
    """Return bytes as an event shows them: as text, or with escapes where they are no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte in _PRINTABLE else f"\\x{byte:02x}" for byte in data)


def packets_of(payload: bytes, version: int) -> Iterator[ControlPacket | None]:
    """Yield the control packets in the payload of a segment, ``None`` for one that breaks the grammar; one that is cut off ends them.

    Args:
        payload: the payload, which begins with a control packet.
        version: protocol level of the connection; a CONNECT has its own.
    """
    while payload:
        reader = _Reader(payload[1:])
        try:
            length = reader.varint()
        except BrokenError:
            yield None
            return
        if length > len(reader.left):
            return
        first, body, payload = payload[0], _Reader(reader.take(length)), reader.left
        try:
            yield _packet(first, body, version)
        except BrokenError:
            yield None


def header(first: int) -> dict[str, Any]:
    """Return the fields of the first byte."""
    return {"qos": first >> 1 & 3, "retain": bool(first & 1), "dup": bool(first & 8)}


def _packet(first: int, body: _Reader, version: int) -> ControlPacket:
    kind, qos = first >> 4, first >> 1 & 3
    parse = _PARSERS.get(kind)
    fields = parse(body, version, qos) if parse else {}
    return ControlPacket(kind, qos, fields.get("message_id"), header(first) | fields)


def _connect(body: _Reader, _: int, __: int) -> dict[str, Any]:
    name, version, bits = body.text(), body.number(1), body.number(1)
    body.number(2)  # keepalive
    flags = {"username": 128, "password": 64, "will_retain": 32, "will": 4, "clean_session": 2}
    properties = body.properties(version)
    fields: dict[str, Any] = {
        "protocol_string": name, "protocol_version": version, "client_id": body.text(),
        "flags": {flag: bool(bits & bit) for flag, bit in flags.items()},
    }  # fmt: skip
    will: dict[str, Any] = {}
    if bits & flags["will"]:
        of_will = body.properties(version)
        will = {"will": {"topic": body.text(), "message": shown(body.data()), **of_will}}
    if bits & flags["username"]:
        fields["username"] = body.text()
    if bits & flags["password"]:
        body.data()
    return fields | will | properties


def _connack(body: _Reader, version: int, _: int) -> dict[str, Any]:
    return {
        "session_present": bool(body.number(1) & 1),
        "return_code": body.number(1),
        **body.properties(version),
    }


def _publish(body: _Reader, version: int, qos: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"topic": body.text()}
    if qos:
        fields["message_id"] = body.number(2)
    properties = body.properties(version)
    return fields | {"message": shown(body.left)} | properties


def _acknowledgement(body: _Reader, version: int, _: int) -> dict[str, Any]:
    return {"message_id": body.number(2), **_reason(body, version)}


def _reason(body: _Reader, version: int) -> dict[str, Any]:
    """Return reason code and properties, which MQTT 5 has; a reason code that is left out is 0."""
    if version != _V5:
        return {}
    return {
        "reason_code": body.number(1) if body.left else 0,
        **(body.properties(version) if body.left else {}),
    }


def _subscribe(body: _Reader, version: int, _: int) -> dict[str, Any]:
    fields, properties, topics = {"message_id": body.number(2)}, body.properties(version), []
    while body.left:
        topics.append({"topic": body.text(), "qos": body.number(1)})
    return fields | {"topics": topics} | properties


def _suback(body: _Reader, version: int, _: int) -> dict[str, Any]:
    fields = {"message_id": body.number(2)}
    body.properties(version)
    return fields | {"qos_granted": list(body.left)}


def _unsubscribe(body: _Reader, version: int, _: int) -> dict[str, Any]:
    fields, topics = {"message_id": body.number(2)}, []
    body.properties(version)
    while body.left:
        topics.append(body.text())
    return fields | {"topics": topics}


def _unsuback(body: _Reader, version: int, _: int) -> dict[str, Any]:
    fields = {"message_id": body.number(2)}
    body.properties(version)
    return fields | ({"reason_codes": list(body.left)} if body.left else {})


_PARSERS: dict[int, Callable[[_Reader, int, int], dict[str, Any]]] = {
    1: _connect, 2: _connack, 3: _publish, 4: _acknowledgement, 5: _acknowledgement, 6: _acknowledgement, 7: _acknowledgement,
    8: _subscribe, 9: _suback, 10: _unsubscribe, 11: _unsuback,
    14: lambda body, version, _: _reason(body, version), 15: lambda body, version, _: _reason(body, version),
}  # fmt: skip
