"""WebSocket frames (RFC 6455, 5.2) whose payloads, one after the other, are a stream of MQTT. They are unmasked where they lie."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.assembly import clear, lose
from coldaisle_analysis.decoding.fields import u8, u16, u32
from coldaisle_analysis.decoding.mqtt import has_right_flags
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried

_TEXT, _BINARY, _CONTROL = 1, 2, 8
"""Types of frames: text, binary, and the first of those that are no part of a message."""
_TYPES = (0, _TEXT, _BINARY, 8, 9, 10)
_LAST, _COMPRESSED, _RESERVED, _MASKED = 0x80, 0x40, 0x30, 0x80
"""Bits of the first byte, and of the second one."""
_WIDE, _WIDEST = 126, 127
"""Lengths that say that the length follows, in two bytes or eight."""
_LONGEST = 1 << 40


@inner
def part(
    data: Bytes, at: int, end: int, whole: int, begins: bool, side_at: int, carried: Carried
) -> tuple[int, int]:
    """Return start and end of the next payload within a part of a stream; see :func:`framing.part`."""
    side = carried.sides[side_at]
    if begins and side.unsure:
        side.have = side.left = 0
        if not is_frame(data, at, end):
            note(carried, Reason.MQTT_START, at)
            return whole, whole
        side.unsure = 0
    if at >= end and not _is_whole(side.have, side.length_byte):  # a header that was not captured
        lose(carried, side_at)
        return whole, whole
    return _frame(data, at, end, whole, side_at, carried)


@inner
def is_frame(data: Bytes, at: int, end: int) -> bool:
    """Tell whether a WebSocket frame seems to start here, where that is not known."""
    if end - at < 2:
        return False
    first, length, behind = u8(data, at), u8(data, at + 1) & 127, at + 2
    code = first & 15
    if first & _RESERVED or code not in _TYPES:
        return False
    if code >= _CONTROL and (not first & _LAST or length > 125):
        return False
    if length == _WIDE:
        length, behind = u16(data, at + 2), at + 4
    elif length == _WIDEST:
        length, behind = u32(data, at + 6), at + 10
    key = behind
    if u8(data, at + 1) & _MASKED:
        behind += 4
    if code != _BINARY or first & _COMPRESSED:
        return behind + length == end
    if behind >= end or length == 0:
        return False
    byte = u8(data, behind) ^ (u8(data, key) if behind > key else 0)
    return byte >= 0x10 and has_right_flags(byte)


@inner
def _frame(data: Bytes, at: int, end: int, whole: int, side_at: int, carried: Carried) -> tuple[int, int]:
    """Return the next payload of a WebSocket frame, unmasked; its header may have come in pieces."""
    side = carried.sides[side_at]
    if not _is_whole(side.have, side.length_byte):
        at = _frame_header(data, at, end, side_at, carried)
        if not _is_whole(side.have, side.length_byte):
            return at, at
        if not _is_right(at, side_at, carried):
            return whole, whole
    step = min(side.left, whole - at)
    stop = at + step
    side.left -= step
    ends = side.left == 0
    if ends:
        side.have = 0
    if side.first_byte & 15 >= _CONTROL:
        return stop, stop
    if side.compressed:
        if ends:
            clear(carried, side_at)
            side.lost = 1
        return stop, stop
    if side.length_byte & _MASKED:
        turn = int(side.turn)
        for place in range(at, min(stop, end)):
            data[place] ^= side.mask >> (24 - 8 * turn) & 0xFF
            turn = (turn + 1) & 3
        side.turn = (side.turn + step) & 3
    return at, stop


@inner
def _is_whole(have: int, length_byte: int) -> bool:
    """Tell whether so many bytes are the whole header of a frame (5.2); the second of them says how long it is."""
    if have < 2:
        return False
    short = length_byte & 127
    wide = 8 if short == 127 else 2 if short == 126 else 0
    return have >= 2 + wide + (4 if length_byte & _MASKED else 0)


@inner
def _frame_header(data: Bytes, at: int, end: int, side_at: int, carried: Carried) -> int:
    """Read the header of a frame, or the part of it that is there, and return the offset behind it."""
    side = carried.sides[side_at]
    while at < end and not _is_whole(side.have, side.length_byte):
        byte = u8(data, at)
        at += 1
        side.have += 1
        if side.have == 1:
            side.first_byte = byte
        elif side.have == 2:
            side.length_byte, side.mask, side.turn = byte, 0, 0
            side.left = byte & 127 if byte & 127 < 126 else 0
        elif side.have <= 2 + (
            8 if side.length_byte & 127 == 127 else 2 if side.length_byte & 127 == 126 else 0
        ):
            side.left = (side.left & 0xFFFFFFFFFFFF) << 8 | byte
        else:
            side.mask = side.mask << 8 | byte
    return at


@inner
def _is_right(at: int, side_at: int, carried: Carried) -> bool:
    """Take note of a frame's header; tell whether it is one, else the next segment that seems to start a frame is waited for."""
    side = carried.sides[side_at]
    code = side.first_byte & 15
    if side.first_byte & _RESERVED or code not in _TYPES or side.left > _LONGEST:
        note(carried, Reason.WEBSOCKET, at)
        clear(carried, side_at)
        side.have = side.left = 0
        side.lost = side.unsure = 1
        return False
    if code < _CONTROL:
        if code != 0:
            side.compressed = bool(side.first_byte & _COMPRESSED)
        carried.tally[0].compressed += side.compressed
        if code == _TEXT and not side.compressed:
            note(carried, Reason.WEBSOCKET_TEXT, at)
    return True
