"""MQTT control packets as rows: everything behind the fixed header, for MQTT 3.1, 3.1.1 and 5 (OASIS 2014 and 2019, chapter 3).

The module is long because all types share the parsing of texts, properties and reason codes, as in the standard.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import aliases, properties, versions
from coldaisle_analysis.decoding.arrays import Messages
from coldaisle_analysis.decoding.dictionaries import text
from coldaisle_analysis.decoding.fields import u8, u16
from coldaisle_analysis.decoding.layout import M8, M16, M32, Has, Kind, MCode
from coldaisle_analysis.decoding.mqtt import (
    AUTH,
    BRIDGE,
    CONNACK,
    CONNECT,
    DISCONNECT,
    MORE,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    V3_1,
    V3_1_1,
    V5,
    has_right_flags,
)  # fmt: skip
from coldaisle_analysis.decoding.pool import NAME, fetch, release, store
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import LONGEST, Carried

_ACKNOWLEDGES = (PUBACK, PUBREC, PUBREL, PUBCOMP)
_SUBSCRIBES = (SUBSCRIBE, UNSUBSCRIBE)
_CONFIRMS = (SUBACK, UNSUBACK)


@inner
def message(
    data: Bytes,
    at: int,
    stored: int,
    total: int,
    place: int,
    way: int,
    row: int,
    carried: Carried,
    out: Messages,
) -> None:
    """Write the row of a control packet.

    Args:
        data: the array that holds it.
        at: offset of its first byte.
        stored: how many of its bytes are there; a very long payload is cut.
        total: its full length, in bytes.
        place: place of its flow in the table.
        way: its direction, see :data:`state.SIDE`.
        row: position of the frame that completes it.
        carried: the state.
        out: the columns.
    """
    tally, flow = carried.tally[0], carried.flows[place]
    index, first = int(tally.messages), u8(data, at)
    body = at + 2
    while u8(data, body - 1) >= MORE:
        body += 1
    if tally.completed == 0:
        tally.first = index
    tally.completed += 1
    tally.messages += 1
    out.flaw[index] = 0
    out.i32[M32.ROW, index] = row
    out.i8[M8.MSGTYPE, index] = first >> 4
    out.i32[M32.LEN, index] = at + total - body
    out.flow[index] = flow.number
    if flow.version == 0 and stored == total:
        versions.settle(data, first, body, at + stored, place, carried)
    if not has_right_flags(first) and flow.version != V3_1:  # 3.1 has no such rule
        flaw(carried, out, index, Reason.MQTT_QOS if first >> 4 == PUBLISH else Reason.MQTT_FLAGS, at)
    payload_at = int(tally.payload_bytes)
    bits = _fields(data, first, body, at + stored, at + total, place, way, carried, out, index)
    if stored < min(
        total, LONGEST
    ):  # the snapshot length cut it: what is not there is no flaw, and half a payload is none
        tally.payload_bytes = payload_at
        bits &= ~Has.PAYLOAD
        out.flaw[index] = Reason.MQTT_CUT
    if flow.version:
        out.i16[M16.LEVEL, index] = flow.version
        bits |= Has.LEVEL
    if flow.client_length >= 0:
        out.code[MCode.CLIENT, index] = client(data, place, carried)
        bits |= Has.CLIENT
    out.bits[index] = bits | Has.MQTT
    out.payload_end[index + 1] = tally.payload_bytes


@inner
def flaw(carried: Carried, out: Messages, index: int, reason: int, at: int) -> None:
    """Note the first flaw of a message, and so of its frame."""
    if out.flaw[index] == 0:
        out.flaw[index] = reason
    note(carried, reason, at)


@inner
def client(data: Bytes, place: int, carried: Carried) -> int:
    """Return the position of a flow's client id in the batch's dictionary."""
    flow, tally = carried.flows[place], carried.tally[0]
    if flow.client_batch != tally.batch:
        fetch(carried, data, flow.client, flow.client_length, NAME)
        flow.client_code = text(carried, data, NAME, NAME + flow.client_length, Kind.CLIENTID)
        flow.client_batch = tally.batch
    return int(flow.client_code)


@inner
def _fields(
    data: Bytes,
    first: int,
    at: int,
    stored_end: int,
    end: int,
    place: int,
    way: int,
    carried: Carried,
    out: Messages,
    index: int,
) -> int:
    """Write the fields of this type of control packet and return bits of Has.

    Args:
        data: the array that holds it.
        first: its first byte.
        at: offset behind the fixed header.
        stored_end: offset behind its last byte that is there.
        end: offset behind its last byte.
        place: place of its flow in the table.
        way: its direction.
        carried: the state.
        out: the columns.
        index: its row.
    """
    kind, version = first >> 4, int(carried.flows[place].version)
    if kind == PUBLISH:
        return _publish(data, first, at, stored_end, end, 2 * place + way, version, carried, out, index)
    if kind == CONNECT:
        return _connect(data, at, stored_end, place, carried, out, index)
    if kind == CONNACK:
        return _connack(data, at, stored_end, place, carried, out, index)
    if kind in _ACKNOWLEDGES or kind in _SUBSCRIBES or kind in _CONFIRMS:
        return _numbered(data, kind, at, stored_end, version, carried, out, index)
    if kind in (DISCONNECT, AUTH) and version == V5:
        return _reason(data, at, stored_end, version, carried, out, index)
    return 0


@inner
def _short(at: int, carried: Carried, out: Messages, index: int) -> None:
    flaw(carried, out, index, Reason.MQTT_SHORT, at)


@inner
def _text_end(data: Bytes, at: int, end: int) -> int:
    """Return the end of the length-prefixed text at an offset, -1 when it lies past the control packet."""
    if at + 2 > end or at + 2 + u16(data, at) > end:
        return -1
    return at + 2 + u16(data, at)


@inner
def _properties(
    data: Bytes, at: int, end: int, version: int, carried: Carried, out: Messages, index: int
) -> tuple[int, int]:
    """Step over the properties of version 5; return their end (-1 when it lies past the packet) and bits of Has."""
    if version != V5:
        return at, 0
    start, stop = properties.extent(data, at, end)
    if stop < 0:
        flaw(carried, out, index, Reason.MQTT_PROPERTIES, at)
        return -1, 0
    out.i32[M32.PROPERTIES, index] = stop - start
    return stop, Has.PROPERTIES


@inner
def _property(
    data: Bytes, behind: int, bits: int, wanted: int, carried: Carried, out: Messages, index: int
) -> int:
    """Return the offset of a property's value, -1 for none, among those that :func:`_properties` stepped over."""
    if not bits & Has.PROPERTIES or out.i32[M32.PROPERTIES, index] == 0:
        return -1
    value_at = properties.find(data, behind - out.i32[M32.PROPERTIES, index], behind, wanted)
    if value_at == properties.WRONG:
        flaw(carried, out, index, Reason.MQTT_PROPERTY, behind)
        return -1
    return value_at


@inner
def _publish(
    data: Bytes,
    first: int,
    at: int,
    stored_end: int,
    end: int,
    side_at: int,
    version: int,
    carried: Carried,
    out: Messages,
    index: int,
) -> int:
    out.i8[M8.QOS, index] = first >> 1 & 3
    out.i8[M8.DUP, index] = first >> 3 & 1
    out.i8[M8.RETAIN, index] = first & 1
    bits: int = Has.PUBLISH
    behind = _text_end(data, at, stored_end)
    if behind < 0:
        _short(at, carried, out, index)
        return bits
    topic_end = behind
    if version != V5 or behind > at + 2:
        out.code[MCode.TOPIC, index] = text(carried, data, at + 2, behind, Kind.TOPIC)
        bits |= Has.TOPIC
    if first >> 1 & 3:
        if behind + 2 > stored_end:
            _short(behind, carried, out, index)
            return bits
        out.i32[M32.MSGID, index] = u16(data, behind)
        bits |= Has.MSGID
        behind += 2
    behind, more = _properties(data, behind, stored_end, version, carried, out, index)
    if behind < 0:
        return bits
    if version == V5:
        bits |= _topic(data, at + 2, topic_end, behind, more, side_at, carried, out, index)
    _payload(data, behind, stored_end, carried, out)
    out.i32[M32.PAYLOAD_LEN, index] = end - behind
    return bits | more | Has.PAYLOAD


@inner
def _topic(
    data: Bytes,
    at: int,
    end: int,
    behind: int,
    bits: int,
    side_at: int,
    carried: Carried,
    out: Messages,
    index: int,
) -> int:
    """Remember the topic in [at, end) under its alias, or write the topic that the alias stands for; return bits of Has.

    Args:
        data: the array that holds the PUBLISH.
        at: start of its topic.
        end: end of its topic.
        behind: offset behind its properties.
        bits: what :func:`_properties` returned for them.
        side_at: place of its direction.
        carried: the state.
        out: the columns.
        index: its row.
    """
    value_at = _property(data, behind, bits, properties.TOPIC_ALIAS, carried, out, index)
    if value_at < 0:
        if at == end:
            flaw(carried, out, index, Reason.MQTT_TOPIC, at)
        return 0
    number = u16(data, value_at)
    if number == 0:
        flaw(carried, out, index, Reason.MQTT_ALIAS, value_at)
        return 0
    if at < end:
        aliases.learn(carried, data, side_at, number, at, end, out.code[MCode.TOPIC, index])
        return 0
    code = aliases.topic(carried, data, side_at, number)
    if code == aliases.UNKNOWN:
        carried.tally[0].unknown_topics += 1
        return 0
    out.code[MCode.TOPIC, index] = code
    return Has.TOPIC


@inner
def _payload(data: Bytes, at: int, end: int, carried: Carried, out: Messages) -> None:
    tally = carried.tally[0]
    to = int(tally.payload_bytes)
    for offset in range(end - at):
        out.payload[to + offset] = data[at + offset]
    tally.payload_bytes = to + end - at


@inner
def _connect(data: Bytes, at: int, end: int, place: int, carried: Carried, out: Messages, index: int) -> int:
    flow = carried.flows[place]
    behind = _text_end(data, at, end)
    if behind < 0:
        _short(at, carried, out, index)
        return 0
    out.code[MCode.PROTONAME, index] = text(carried, data, at + 2, behind, Kind.PROTONAME)
    if behind + 4 > end:
        _short(behind, carried, out, index)
        return Has.PROTONAME
    version, flags = u8(data, behind), u8(data, behind + 1)
    flow.version = version - BRIDGE if version in (V3_1 + BRIDGE, V3_1_1 + BRIDGE) else version
    out.i16[M16.VERSION, index] = version
    out.i8[M8.CLEANSESS, index] = flags >> 1 & 1
    out.i32[M32.KEEPALIVE, index] = u16(data, behind + 2)
    bits = Has.PROTONAME | Has.CONNECT
    _will(flags, version, behind + 1, carried, out, index)
    at, more = _properties(data, behind + 4, end, version, carried, out, index)
    if at < 0:
        return bits
    behind = _text_end(data, at, end)
    if behind < 0:
        _short(at, carried, out, index)
        return bits | more
    out.code[MCode.CLIENTID, index] = text(carried, data, at + 2, behind, Kind.CLIENTID)
    _name(data, at + 2, behind, place, carried)
    return bits | more | Has.CLIENTID


@inner
def _will(flags: int, version: int, at: int, carried: Carried, out: Messages, index: int) -> None:
    """Note flags of a CONNECT that contradict each other (3.1.2); version 3.1 leaves the reserved one open."""
    will, qos, retain = flags >> 2 & 1, flags >> 3 & 3, flags >> 5 & 1
    if qos == 3:
        flaw(carried, out, index, Reason.MQTT_WILL_QOS, at)
    elif (not will and (qos or retain)) or (flags & 1 and version in (V3_1_1, V5)):
        flaw(carried, out, index, Reason.MQTT_CONNECT_FLAGS, at)


@inner
def _name(data: Bytes, at: int, end: int, place: int, carried: Carried) -> None:
    """Remember the client id in [at, end) as that of a flow."""
    flow = carried.flows[place]
    release(carried, flow.client)
    flow.client, flow.client_length = store(carried, data, at, end), end - at
    flow.client_batch = -1
    if flow.client < 0 and end > at:
        flow.client_length = -1
        carried.tally[0].overflows += 1


@inner
def _connack(data: Bytes, at: int, end: int, place: int, carried: Carried, out: Messages, index: int) -> int:
    """Write session and code, and remember the client id that the broker assigns to a client without one (version 5, 3.2.2.3.7)."""
    flow = carried.flows[place]
    if at + 2 > end:
        _short(at, carried, out, index)
        return 0
    out.i8[M8.SESSION_PRESENT, index] = u8(data, at) & 1
    out.i16[M16.CONNACK, index] = u8(data, at + 1)
    behind, more = _properties(data, at + 2, end, flow.version, carried, out, index)
    value_at = _property(data, behind, more, properties.ASSIGNED_CLIENT, carried, out, index)
    if value_at >= 0 and flow.client_length <= 0:
        _name(data, value_at + 2, value_at + 2 + u16(data, value_at), place, carried)
    return Has.CONNACK | more | (0 if flow.version == V3_1 else Has.SESSION)


@inner
def _reason(data: Bytes, at: int, end: int, version: int, carried: Carried, out: Messages, index: int) -> int:
    """Write reason code and properties, both of which are optional; a code that is left out is 0 (3.4.2.1 of version 5)."""
    out.i16[M16.REASON, index] = u8(data, at) if at < end else 0
    bits: int = Has.REASON
    if at + 1 < end:
        _, more = _properties(data, at + 1, end, version, carried, out, index)
        bits |= more
    return bits


@inner
def _numbered(
    data: Bytes, kind: int, at: int, end: int, version: int, carried: Carried, out: Messages, index: int
) -> int:
    """Write the message id, and reason codes or topic filters."""
    if at + 2 > end:
        _short(at, carried, out, index)
        return 0
    out.i32[M32.MSGID, index] = u16(data, at)
    bits: int = Has.MSGID
    at += 2
    if kind in _ACKNOWLEDGES:
        return bits | (_reason(data, at, end, version, carried, out, index) if version == V5 else 0)
    at, more = _properties(data, at, end, version, carried, out, index)
    bits |= more
    if at < 0 or (kind == UNSUBACK and version != V5):
        return bits
    if kind in _SUBSCRIBES:
        return bits | _filters(data, kind, at, end, carried, out, index)
    if at >= end:
        _short(at, carried, out, index)
        return bits
    out.i16[M16.REASON, index] = u8(data, at)
    out.code[MCode.CODES, index] = text(carried, data, at, end, Kind.CODES)
    return bits | Has.REASON | Has.CODES


@inner
def _filters(data: Bytes, kind: int, at: int, end: int, carried: Carried, out: Messages, index: int) -> int:
    """Write the first topic filter and all of them; those of a SUBSCRIBE are followed by a byte of options each."""
    first_end, behind, options = _text_end(data, at, end), at, int(kind == SUBSCRIBE)
    while behind < end:
        following = _text_end(data, behind, end)
        if following < 0 or following + options > end:
            break
        behind = following + options
    if behind < end or behind == at:
        _short(behind, carried, out, index)
    if first_end < 0:
        return 0
    out.code[MCode.TOPIC, index] = text(carried, data, at + 2, first_end, Kind.TOPIC)
    if behind == at:
        return Has.TOPIC
    code = text(carried, data, at, behind, Kind.FILTERS | options << 3)
    out.code[MCode.TOPICS, index] = out.code[MCode.QOS_ASKED, index] = code
    return Has.TOPIC | Has.TOPICS
