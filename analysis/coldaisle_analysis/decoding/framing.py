"""What carries MQTT within a TCP stream: nothing, WebSocket frames (RFC 6455) behind an HTTP upgrade, a PROXY header before either.

A stream is told apart by its first two bytes, none of which can begin an MQTT stream.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import upgrade, websocket
from coldaisle_analysis.decoding.assembly import clear
from coldaisle_analysis.decoding.fields import u8, u16, u32
from coldaisle_analysis.decoding.mqtt import is_start
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import CHUNK, Carried
from coldaisle_analysis.decoding.upgrade import (
    FRAMES,
    GET,
    HTTP,
    NOTHING,
    PLAIN,
    PROXY_1,
    PROXY_2,
    RESPONSE,
    START,
)

MQTT, WEBSOCKET = 1, 2
"""What a port is known for, as bits."""
WEBSOCKET_PORT, TLS_PORT = 9001, 8883
"""The usual ports of MQTT over WebSocket and over TLS."""
_NONE = -1
_PROXY_1, _PROXY_2 = 0x5052, 0x0D0A
"""First two bytes: "PR" of "PROXY", and the line break that begins its binary form."""
_PROXY, _GET_WORD, _HTTP_WORD, _BINARY = 0x50524F58, 0x47455420, 0x48545450, 0x0D0A0D0A
_HANDSHAKE, _HELLO_AT = 0x1603, 5
_TLS_FIRST, _TLS_LAST, _TLS_VERSION = 0x14, 0x17, 3
_LINE = 10
_LONGEST_LINE = 107
"""The most bytes of a PROXY header of version 1 (proxy-protocol.txt, 2.1)."""
_FIXED = 16
"""Bytes of a PROXY header of version 2 before its addresses."""


@inner
def is_followed(data: Bytes, at: int, end: int, place: int, way: int, carried: Carried) -> bool:
    """Tell whether a flow on any other port has begun an HTTP exchange, or begins one with these bytes."""
    if carried.flows[place].client_way > 0:
        return True
    if not _begins_http(data, at, end):
        return False
    carried.sides[2 * place + way].expected = _NONE  # what came before was not followed
    return True


@inner
def is_hello(data: Bytes, at: int, end: int) -> bool:
    """Tell whether bytes begin with the first message of a TLS client (RFC 8446, 4.1.2 and 5.1)."""
    return end - at > _HELLO_AT and u16(data, at) == _HANDSHAKE and u8(data, at + _HELLO_AT) == 1


@inner
def _begins_http(data: Bytes, at: int, end: int) -> bool:
    return end - at >= 4 and u32(data, at) in (_GET_WORD, _HTTP_WORD)


@inner
def part(
    data: Bytes,
    at: int,
    end: int,
    whole: int,
    begins: bool,
    place: int,
    side_at: int,
    known: int,
    carried: Carried,
) -> tuple[int, int]:
    """Return start and end of the next bytes of MQTT within a part of a stream; none where they are equal, and reading goes on there.

    Args:
        data: the array that holds them.
        at: offset of the bytes.
        end: offset behind those that were captured.
        whole: offset behind all of them.
        begins: whether a segment begins at the offset.
        place: place of the flow.
        side_at: place of its direction.
        known: what its port is known for.
        carried: the state.
    """
    side = carried.sides[side_at]
    if side.stage == NOTHING and begins and known == 0 and _begins_http(data, at, end):
        side.stage = START
    if side.stage == PLAIN or (side.stage == START and at >= end):
        return at, whole
    if side.stage == START:
        at, until = _tell(data, at, end, place, side_at, known, carried)
        return at, whole if until == end else until
    if side.stage == FRAMES:
        return websocket.part(data, at, end, whole, begins, side_at, carried)
    if at >= end or side.stage == NOTHING:
        at = whole
    elif side.stage == HTTP:
        at = upgrade.header(data, at, end, place, side_at, known, carried)
    else:
        at = _proxy(data, at, end, side_at, carried)
    return at, at


@inner
def _tell(
    data: Bytes, at: int, end: int, place: int, side_at: int, known: int, carried: Carried
) -> tuple[int, int]:
    """Tell what a stream carries by its first two bytes, of which the first may have come before."""
    side = carried.sides[side_at]
    before = int(side.received)
    first = u8(data, side.head * CHUNK) if before else u8(data, at)
    second_at = at if before else at + 1
    if second_at >= end:
        return at, end  # MQTT for now: its parser keeps the byte
    stage = _stage(data, at - before, end, first << 8 | u8(data, second_at), before, known)
    if known == WEBSOCKET and stage == PLAIN:
        stage = NOTHING
    if stage == PLAIN and not known & MQTT:
        stage = NOTHING
    if known & WEBSOCKET and stage in (PLAIN, NOTHING) and not before and side.lost:
        is_mqtt = known & MQTT and is_start(data, at, end, int(carried.flows[place].version))
        if not is_mqtt and websocket.is_frame(data, at, end):
            stage = FRAMES
    side.stage = stage
    if stage == PLAIN:
        return at, end
    clear(carried, side_at)
    side.have, side.left, side.window, side.marks = before, 0, first, 0
    if stage == HTTP:
        upgrade.name_client(first, place, side_at, carried)
    elif known == 0:
        side.expected = _NONE
    elif stage == NOTHING and known & MQTT:
        carried.tally[0].encrypted += carried.sides[side_at ^ 1].stage != NOTHING
    return at, at


@inner
def _stage(data: Bytes, at: int, end: int, both: int, before: int, known: int) -> int:
    """Return the stage that two bytes begin; ``at`` is where the first of them is, or would be."""
    word = u32(data, at) if not before and end - at >= 4 else 0
    if both == _PROXY_1 and word in (0, _PROXY):
        return PROXY_1
    if both == _PROXY_2 and word in (0, _BINARY):
        return PROXY_2
    if (both == GET and word in (0, _GET_WORD)) or (both == RESPONSE and word in (0, _HTTP_WORD)):
        return HTTP
    if _TLS_FIRST <= both >> 8 <= _TLS_LAST and both & 0xFF == _TLS_VERSION and known & MQTT:
        return NOTHING
    return PLAIN


@inner
def _proxy(data: Bytes, at: int, end: int, side_at: int, carried: Carried) -> int:
    """Step over a PROXY header, or the part of it that is there, and return the offset behind it."""
    side = carried.sides[side_at]
    if side.stage == PROXY_1:
        while at < end and side.have < _LONGEST_LINE:
            side.have += 1
            at += 1
            if u8(data, at - 1) == _LINE:
                side.stage = START
                return at
        if side.have == _LONGEST_LINE:
            note(carried, Reason.MQTT_START, at)
            side.stage, side.lost = PLAIN, 1
        return at
    while at < end and side.have < _FIXED:
        side.left = (side.left << 8 | u8(data, at)) & 0xFFFF
        side.have += 1
        at += 1
    if side.have == _FIXED:
        step = min(side.left, end - at)
        side.left -= step
        at += step
        if side.left == 0:
            side.stage = START
    return at
