"""The HTTP exchange that turns a connection into a WebSocket one for MQTT (RFC 6455, 4).

Its text is looked through byte by byte, so that it needs no room.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import u8
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried

START, PLAIN, PROXY_1, PROXY_2, HTTP, FRAMES, NOTHING = range(7)
"""Stages of a stream: not known yet; MQTT as it is; the two forms of a PROXY header; an HTTP header; WebSocket; not MQTT at all."""
GET, RESPONSE = 0x4745, 0x4854
"""First two bytes: "GE" of "GET", "HT" of "HTTP"."""
_NONE = -1
_LINE, _RETURN = 10, 13
_LONGEST = 1 << 14
"""The most bytes of a header that are looked through."""
_SUBPROTOCOL, _MQTT, _SWITCHED = 0x6F746F636F6C3A, 0x6D717474, 0x20313031
""""otocol:" of "Sec-WebSocket-Protocol:", "mqtt" behind it, and " 101" in a response, as numbers."""
_IN_SUBPROTOCOL, _OFFERS_MQTT, _IS_SWITCHED, _BEHIND_FIRST_LINE = 1, 2, 4, 8


@inner
def name_client(first: int, place: int, side_at: int, carried: Carried) -> None:
    """Note which direction of a flow is that of the HTTP client: the one that says GET, or else the one that is not answered."""
    flow, way = carried.flows[place], side_at & 1
    if first == GET >> 8:
        flow.client_way = 1 + way
    elif flow.client_way == 0:
        flow.client_way = 2 - way


@inner
def header(data: Bytes, at: int, end: int, place: int, side_at: int, known: int, carried: Carried) -> int:
    """Look through an HTTP header, or the part of it that is there, and return the offset behind it."""
    side = carried.sides[side_at]
    while at < end and side.have < _LONGEST:
        byte = u8(data, at)
        at += 1
        side.have += 1
        if byte == _RETURN:
            continue
        blank = byte == _LINE and side.window & 0xFF == _LINE
        side.window = (side.window << 8 | (byte | 0x20 if 0x41 <= byte <= 0x5A else byte)) & 0xFFFFFFFFFFFFFF
        if blank:
            _switch(at, place, side_at, known, carried)
            return at
        if byte == _LINE:
            side.marks = (side.marks | _BEHIND_FIRST_LINE) & ~_IN_SUBPROTOCOL
        elif side.window == _SUBPROTOCOL:
            side.marks |= _IN_SUBPROTOCOL
        elif side.marks & _IN_SUBPROTOCOL and side.window & 0xFFFFFFFF == _MQTT:
            side.marks |= _OFFERS_MQTT
        elif not side.marks & _BEHIND_FIRST_LINE and side.window & 0xFFFFFFFF == _SWITCHED:
            side.marks |= _IS_SWITCHED
    if side.have == _LONGEST:
        side.marks = 0
        _switch(at, place, side_at, known, carried)
    return at


@inner
def _switch(at: int, place: int, side_at: int, known: int, carried: Carried) -> None:
    """Go on behind an HTTP header: with WebSocket frames where both sides want MQTT in them, else with nothing."""
    side, other, flow = carried.sides[side_at], carried.sides[side_at ^ 1], carried.flows[place]
    answers = flow.client_way == 2 - (side_at & 1)
    agreed = bool(side.marks & _OFFERS_MQTT)
    if answers:
        agreed = bool(side.marks & _IS_SWITCHED) and (agreed or other.stage == FRAMES)
    side.have = side.left = side.unsure = 0
    if agreed:
        side.stage, side.lost = FRAMES, 0
        return
    if known == 0:  # another exchange may follow
        side.stage, side.expected = START, _NONE
        flow.client_way = 0
        return
    side.stage = NOTHING
    note(carried, Reason.MQTT_START, at)
