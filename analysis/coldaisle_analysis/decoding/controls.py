"""Control packets as rows: what follows the fixed header of MQTT 3.1, 3.1.1 and 5 (OASIS 2014 and 2019, chapter 3).

One long module: the types share the reading of texts, properties and reason codes, and stand together as in the standard.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.arrays import Messages
from coldaisle_analysis.decoding.dictionaries import text
from coldaisle_analysis.decoding.fields import u8, u16
from coldaisle_analysis.decoding.layout import M8, M16, M32, Has, Kind, MCode
from coldaisle_analysis.decoding.mqtt import (
    AUTH,
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
    V5,
    has_right_flags,
)  # fmt: skip
from coldaisle_analysis.decoding.pool import NAME, fetch, release, store
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried

_ACKNOWLEDGES = (PUBACK, PUBREC, PUBREL, PUBCOMP)
_SUBSCRIBES = (SUBSCRIBE, UNSUBSCRIBE)
_CONFIRMS = (SUBACK, UNSUBACK)


@inner
def message(
    data: Bytes, at: int, kept: int, total: int, place: int, row: int, carried: Carried, out: Messages
) -> None:
    """Write the row of a control packet.

    Args:
        data: where it stands.
        at: its first byte.
        kept: how many of its bytes stand there; a very long payload is cut.
        total: how many it has.
        place: of its flow.
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
    if not has_right_flags(first) and flow.version != V3_1:  # 3.1 has no such rule
        flaw(carried, out, index, Reason.MQTT_QOS if first >> 4 == PUBLISH else Reason.MQTT_FLAGS, at)
    has = _fields(data, first, body, at + kept, at + total, place, carried, out, index)
    if flow.version:
        out.i16[M16.LEVEL, index] = flow.version
        has |= Has.LEVEL
    if flow.client_length >= 0:
        out.code[MCode.CLIENT, index] = client(data, place, carried)
        has |= Has.CLIENT
    out.has[index] = has | Has.MQTT
    out.payload_end[index + 1] = tally.payload_bytes


@inner
def flaw(carried: Carried, out: Messages, index: int, reason: int, at: int) -> None:
    """Note what is wrong with a message, and so with its frame; the first thing counts."""
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
    kept: int,
    end: int,
    place: int,
    carried: Carried,
    out: Messages,
    index: int,
) -> int:
    """Write what only this type of control packet has and return bits of Has.

    Args:
        data: where it stands.
        first: its first byte.
        at: start of what follows the fixed header.
        kept: where its bytes that are there end.
        end: where it ends.
        place: of its flow.
        carried: the state.
        out: the columns.
        index: its row.
    """
    kind, version = first >> 4, int(carried.flows[place].version)
    if kind == PUBLISH:
        return _publish(data, first, at, kept, end, version, carried, out, index)
    if kind == CONNECT:
        return _connect(data, at, kept, place, carried, out, index)
    if kind == CONNACK:
        return _connack(data, at, kept, version, carried, out, index)
    if kind in _ACKNOWLEDGES or kind in _SUBSCRIBES or kind in _CONFIRMS:
        return _numbered(data, kind, at, kept, version, carried, out, index)
    if kind in (DISCONNECT, AUTH) and version == V5:
        return _reason(data, at, kept, version, carried, out, index)
    return 0


@inner
def _short(at: int, carried: Carried, out: Messages, index: int) -> None:
    flaw(carried, out, index, Reason.MQTT_SHORT, at)


@inner
def _text_end(data: Bytes, at: int, end: int) -> int:
    """Return where the length-prefixed text at an offset ends, -1 when past the control packet."""
    if at + 2 > end or at + 2 + u16(data, at) > end:
        return -1
    return at + 2 + u16(data, at)


@inner
def _properties(
    data: Bytes, at: int, end: int, version: int, carried: Carried, out: Messages, index: int
) -> tuple[int, int]:
    """Step over the properties of version 5; return where they end, -1 when past the packet, and bits of Has."""
    if version != V5:
        return at, 0
    length = 0
    for place in range(4):
        if at + place >= end:
            break
        byte = u8(data, at + place)
        length |= (byte & 127) << 7 * place
        if byte < MORE:
            if at + place + 1 + length > end:
                break
            out.i32[M32.PROPERTIES, index] = length
            return at + place + 1 + length, Has.PROPERTIES
    flaw(carried, out, index, Reason.MQTT_PROPERTIES, at)
    return -1, 0


@inner
def _publish(
    data: Bytes,
    first: int,
    at: int,
    kept: int,
    end: int,
    version: int,
    carried: Carried,
    out: Messages,
    index: int,
) -> int:
    out.i8[M8.QOS, index] = first >> 1 & 3
    out.i8[M8.DUP, index] = first >> 3 & 1
    out.i8[M8.RETAIN, index] = first & 1
    has: int = Has.PUBLISH
    behind = _text_end(data, at, kept)
    if behind < 0:
        _short(at, carried, out, index)
        return has
    out.code[MCode.TOPIC, index] = text(carried, data, at + 2, behind, Kind.TOPIC)
    has |= Has.TOPIC
    if first >> 1 & 3:
        if behind + 2 > kept:
            _short(behind, carried, out, index)
            return has
        out.i32[M32.MSGID, index] = u16(data, behind)
        has |= Has.MSGID
        behind += 2
    behind, more = _properties(data, behind, kept, version, carried, out, index)
    if behind < 0:
        return has
    _payload(data, behind, kept, carried, out)
    out.i32[M32.PAYLOAD_LEN, index] = end - behind
    return has | more | Has.PAYLOAD


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
    flow.version = u8(data, behind)
    out.i16[M16.VERSION, index] = u8(data, behind)
    out.i8[M8.CLEANSESS, index] = u8(data, behind + 1) >> 1 & 1
    out.i32[M32.KEEPALIVE, index] = u16(data, behind + 2)
    has = Has.PROTONAME | Has.CONNECT
    at, more = _properties(data, behind + 4, end, u8(data, behind), carried, out, index)
    if at < 0:
        return has
    behind = _text_end(data, at, end)
    if behind < 0:
        _short(at, carried, out, index)
        return has | more
    out.code[MCode.CLIENTID, index] = text(carried, data, at + 2, behind, Kind.CLIENTID)
    release(carried, flow.client)
    flow.client, flow.client_length = store(carried, data, at + 2, behind), behind - at - 2
    flow.client_code, flow.client_batch = out.code[MCode.CLIENTID, index], carried.tally[0].batch
    if flow.client < 0 and flow.client_length > 0:
        flow.client_length = -1
        carried.tally[0].overflows += 1
    return has | more | Has.CLIENTID


@inner
def _connack(
    data: Bytes, at: int, end: int, version: int, carried: Carried, out: Messages, index: int
) -> int:
    if at + 2 > end:
        _short(at, carried, out, index)
        return 0
    out.i8[M8.SESSION_PRESENT, index] = u8(data, at) & 1
    out.i16[M16.CONNACK, index] = u8(data, at + 1)
    _, more = _properties(data, at + 2, end, version, carried, out, index)
    return Has.CONNACK | more | (0 if version == V3_1 else Has.SESSION)


@inner
def _reason(data: Bytes, at: int, end: int, version: int, carried: Carried, out: Messages, index: int) -> int:
    """Write reason code and properties, both of which may be left out (3.4.2.1 of version 5)."""
    if at >= end:
        return 0
    out.i16[M16.REASON, index] = u8(data, at)
    has: int = Has.REASON
    if at + 1 < end:
        _, more = _properties(data, at + 1, end, version, carried, out, index)
        has |= more
    return has


@inner
def _numbered(
    data: Bytes, kind: int, at: int, end: int, version: int, carried: Carried, out: Messages, index: int
) -> int:
    """Write message id, and reason code or first topic filter."""
    if at + 2 > end:
        _short(at, carried, out, index)
        return 0
    out.i32[M32.MSGID, index] = u16(data, at)
    has: int = Has.MSGID
    at += 2
    if kind in _ACKNOWLEDGES:
        return has | (_reason(data, at, end, version, carried, out, index) if version == V5 else 0)
    at, more = _properties(data, at, end, version, carried, out, index)
    has |= more
    if at < 0 or (kind == UNSUBACK and version != V5):
        return has
    if kind in _CONFIRMS:
        if at >= end:
            _short(at, carried, out, index)
            return has
        out.i16[M16.REASON, index] = u8(data, at)
        return has | Has.REASON
    behind = _text_end(data, at, end)
    if behind < 0:
        _short(at, carried, out, index)
        return has
    out.code[MCode.TOPIC, index] = text(carried, data, at + 2, behind, Kind.TOPIC)
    return has | Has.TOPIC
