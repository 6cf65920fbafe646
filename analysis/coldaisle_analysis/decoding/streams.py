"""Reassembly of TCP streams: from segments, even cut or out of order, to the MQTT control packets they complete.

A control packet is reported on the frame that completes it. A hole in the capture is given up once the other side has
acknowledged past it, or once too many bytes wait behind it. Parsing then resumes at the next segment that starts a control packet.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import controls, mqtt, reordering
from coldaisle_analysis.decoding.arrays import Messages
from coldaisle_analysis.decoding.fields import ahead, u8
from coldaisle_analysis.decoding.pool import PIECE, SCRATCH, fetch, release, take
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import CHUNK, LONGEST, Carried
from coldaisle_analysis.decoding.transport import ACK, SYN

_NONE = -1
_MASK = 0xFFFFFFFF
_OTHER, _ROOM, _OWN = 0, 1, 2
"""Turns of a segment: the hole that its acknowledgement gives up, the hole given up to make room for it, and its own payload."""


@inner
def segment(  # noqa: C901 - one loop, so that the machine code holds the parser once
    data: Bytes,
    seq: int,
    ack: int,
    flags: int,
    at: int,
    end: int,
    place: int,
    way: int,
    row: int,
    carried: Carried,
    out: Messages,
) -> None:
    """Add a segment to its stream and write the control packets it completes, in either direction.

    Args:
        data: the block.
        seq: sequence number.
        ack: acknowledgement number.
        flags: TCP flags.
        at: start of the payload.
        end: end of the captured payload.
        place: place of the flow.
        way: direction, see :data:`state.SIDE`.
        row: position of the frame.
        carried: the state.
        out: the columns of the messages.
    """
    own_side, other_side = 2 * place + way, 2 * place + 1 - way
    side = carried.sides[own_side]
    if flags & SYN:
        seq = (seq + 1) & _MASK
        side.expected = seq
    for turn in range(3):
        side_at, limit = own_side, _NONE
        if turn == _OTHER:
            if not flags & ACK or carried.sides[other_side].early < 0:
                continue
            side_at, limit, start, stop = other_side, ack, 0, 0
        elif turn == _ROOM:
            if (
                side.early < 0
                or ahead(seq, side.expected) <= 0
                or not reordering.is_full(carried, own_side, end - at)
            ):
                continue
            carried.tally[0].overflows += 1
            start = stop = 0
            limit = (side.expected + (_MASK >> 1)) & _MASK
        else:
            unsent = bool(flags & ACK) and _is_unsent(ack, other_side, carried)
            start, stop = _accept(data, seq, at, end, own_side, unsent, carried)
        while True:
            while start < stop:
                start, begin, stored, total = _absorb(data, start, stop, place, side_at, carried)
                if begin >= 0:
                    controls.message(data, begin, stored, total, place, side_at & 1, row, carried, out)
            start, stop = _next_early(data, side_at, limit, carried)
            if stop < 0:
                break


@inner
def _is_unsent(ack: int, side_at: int, carried: Carried) -> bool:
    """Tell whether an acknowledgement covers bytes that this direction was not seen to send; a FIN counts as one byte."""
    reached = int(carried.sides[side_at].reached)
    return reached >= 0 and ahead(ack, reached) > 1


@inner
def _accept(
    data: Bytes, seq: int, at: int, end: int, side_at: int, unsent: bool, carried: Carried
) -> tuple[int, int]:
    """Return the part of a segment's payload that comes next in its stream, and keep a segment that is ahead of a hole.

    A segment ahead of a hole that also acknowledges bytes never sent is dropped, as its receiver does (RFC 9293, 3.10.7.4). Such segments
    appear when an attacker who shifted both directions is bypassed and the sensor reaches the broker directly.
    """
    side = carried.sides[side_at]
    if at >= end:
        return 0, 0
    if side.expected < 0:  # the capture starts within the connection
        side.expected, side.lost = seq, 1
    behind = ahead(side.expected, seq)
    if behind < 0:
        if not unsent:
            reordering.put_away(data, seq, at, end, side_at, carried)
        return 0, 0
    if behind >= end - at:
        return 0, 0
    side.expected = (seq + end - at) & _MASK
    return at + behind, end


@inner
def _next_early(data: Bytes, side_at: int, limit: int, carried: Carried) -> tuple[int, int]:
    """Put together the first early segment and return its part that comes next in the stream; end -1 when there is none.

    Args:
        data: the block.
        side_at: the direction.
        limit: sequence number up to which holes are given up, -1 to give up none.
        carried: the state.
    """
    side = carried.sides[side_at]
    while side.early >= 0:
        place = int(side.early)
        waiting = carried.segments[place]
        seq, length = int(waiting.seq), int(waiting.length)
        behind = ahead(side.expected, seq)
        if behind < 0:
            if (
                limit < 0 or ahead(limit, seq) < 0
            ):  # a FIN counts too: one past what was expected gives up nothing
                break
            carried.tally[0].gaps += 1
            _lose(carried, side_at)
            side.expected = seq
            behind = 0
        if behind < length:
            fetch(carried, data, waiting.head, length, PIECE)
            side.expected = (seq + length) & _MASK
        reordering.drop(carried, side_at, _NONE, place)
        if behind < length:
            return PIECE + behind, PIECE + length
    return 0, _NONE


@inner
def _lose(carried: Carried, side_at: int) -> None:
    """Drop the incomplete message; the start of the next one has to be found."""
    _clear(carried, side_at)
    carried.sides[side_at].lost = 1


@inner
def _clear(carried: Carried, side_at: int) -> None:
    side = carried.sides[side_at]
    release(carried, side.head)
    side.head = side.tail = _NONE
    side.received = side.need = side.stored = 0


@inner
def _absorb(
    data: Bytes, at: int, end: int, place: int, side_at: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Read a stream up to the end of the next control packet.

    Returns:
        Offset where reading continues; offset of a whole control packet (-1 for none); its stored bytes; its full length, in bytes.
    """
    side, version = carried.sides[side_at], int(carried.flows[place].version)
    if side.lost:
        if not mqtt.is_start(data, at, end, version):
            note(carried, Reason.MQTT_START, at)
            return end, _NONE, 0, 0
        side.lost = 0
    if side.received == 0:
        total = mqtt.size(data, at, end)
        if 0 < total <= end - at and not mqtt.is_reserved(u8(data, at), version):
            return at + total, at, total, total
        part = end - at
    elif side.need == 0:
        part = 1  # the fixed header is not yet whole
    else:
        part = min(end - at, side.need - side.received)
    if not _append(data, at, at + part, side_at, carried):
        _lose(carried, side_at)
        return end, _NONE, 0, 0
    if side.need == 0 and _misfits(data, at, version, side_at, carried):
        return end, _NONE, 0, 0
    at += part
    if side.need == 0 or side.received < side.need:
        return at, _NONE, 0, 0
    stored, total = int(side.stored), int(side.need)
    fetch(carried, data, side.head, stored, SCRATCH)
    carried.tally[0].cut_messages += stored < total
    _clear(carried, side_at)
    return at, SCRATCH, stored, total


@inner
def _misfits(data: Bytes, at: int, version: int, side_at: int, carried: Carried) -> bool:
    """Read the length of the incomplete message once its fixed header is whole; tell whether it is no control packet."""
    side = carried.sides[side_at]
    head = side.head * CHUNK
    side.need = mqtt.size(data, head, head + min(side.stored, CHUNK))
    if side.need >= 0 and not mqtt.is_reserved(u8(data, head), version):
        return False
    note(carried, Reason.MQTT_LENGTH if side.need < 0 else Reason.MQTT_TYPE, at)
    _lose(carried, side_at)
    return True


@inner
def _append(data: Bytes, at: int, end: int, side_at: int, carried: Carried) -> bool:
    """Add bytes to the incomplete message, only counting those beyond its bound; return False when the pool is full."""
    side = carried.sides[side_at]
    side.received += end - at
    while at < end and side.stored < LONGEST:
        used = side.stored % CHUNK
        if used == 0:
            chunk = take(carried)
            if chunk < 0:
                carried.tally[0].overflows += 1
                return False
            if side.head < 0:
                side.head = chunk
            else:
                carried.chunk_next[side.tail] = chunk
            side.tail = chunk
        part = min(CHUNK - used, end - at)
        to = side.tail * CHUNK + used
        for index in range(part):
            data[to + index] = data[at + index]
        side.stored += part
        at += part
    return True
