"""Following TCP streams: from segments, whole or not, in order or not, to the MQTT control packets they complete.

A control packet is reported on the frame that completes it. A hole in the capture is given up once the other side has
acknowledged past it, or once too much waits behind it; reading resumes with the next segment that starts one.
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
"""Turns of a segment: what its acknowledgement gives up, what makes room for it, and itself."""


@inner
def segment(  # noqa: C901 - one loop, so that the parser stands in the machine code once
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
    """Take in a segment and write the control packets it completes, in either direction.

    Args:
        data: the block.
        seq: sequence number.
        ack: acknowledgement number.
        flags: TCP flags.
        at: start of the payload.
        end: where what was captured of it ends.
        place: of the flow.
        way: direction, see :data:`state.SIDE`.
        row: position of the frame.
        carried: the state.
        out: the columns of the messages.
    """
    own, other = 2 * place + way, 2 * place + 1 - way
    side = carried.sides[own]
    if flags & SYN:
        seq = (seq + 1) & _MASK
        side.expected = seq
    for turn in range(3):
        which, limit = own, _NONE
        if turn == _OTHER:
            if not flags & ACK or carried.sides[other].early < 0:
                continue
            which, limit, start, stop = other, ack, 0, 0
        elif turn == _ROOM:
            if (
                side.early < 0
                or ahead(seq, side.expected) <= 0
                or not reordering.is_full(carried, own, end - at)
            ):
                continue
            carried.tally[0].overflows += 1
            start = stop = 0
            limit = (side.expected + (_MASK >> 1)) & _MASK
        else:
            unsent = bool(flags & ACK) and _is_unsent(ack, other, carried)
            start, stop = _accept(data, seq, at, end, own, unsent, carried)
        while True:
            while start < stop:
                start, begin, kept, total = _absorb(data, start, stop, place, which, carried)
                if begin >= 0:
                    controls.message(data, begin, kept, total, place, row, carried, out)
            start, stop = _next_early(data, which, limit, carried)
            if stop < 0:
                break


@inner
def _is_unsent(ack: int, which: int, carried: Carried) -> bool:
    """Tell whether an acknowledgement is of something that this direction was not seen to send; a FIN is one more."""
    reached = int(carried.sides[which].reached)
    return reached >= 0 and ahead(ack, reached) > 1


@inner
def _accept(
    data: Bytes, seq: int, at: int, end: int, which: int, unsent: bool, carried: Carried
) -> tuple[int, int]:
    """Return which part of a segment's payload comes next in its stream; one ahead of a hole is put away.

    Not so one that also acknowledges what was never sent: its receiver discards it (RFC 9293, 3.10.7.4). An attacker who
    shifted both directions leaves such segments, when the sensor reaches the broker past him.
    """
    side = carried.sides[which]
    if at >= end:
        return 0, 0
    if side.expected < 0:  # the capture starts within the connection
        side.expected, side.lost = seq, 1
    behind = ahead(side.expected, seq)
    if behind < 0:
        if not unsent:
            reordering.put_away(data, seq, at, end, which, carried)
        return 0, 0
    if behind >= end - at:
        return 0, 0
    side.expected = (seq + end - at) & _MASK
    return at + behind, end


@inner
def _next_early(data: Bytes, which: int, limit: int, carried: Carried) -> tuple[int, int]:
    """Return the part of the first early segment that comes next in the stream, put together; -1 when none does.

    Args:
        data: the block.
        which: the direction.
        limit: sequence number up to which holes are given up, -1 for none.
        carried: the state.
    """
    side = carried.sides[which]
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
            _lose(carried, which)
            side.expected = seq
            behind = 0
        if behind < length:
            fetch(carried, data, waiting.head, length, PIECE)
            side.expected = (seq + length) & _MASK
        reordering.drop(carried, which, _NONE, place)
        if behind < length:
            return PIECE + behind, PIECE + length
    return 0, _NONE


@inner
def _lose(carried: Carried, which: int) -> None:
    """Let the message under way go: where the next one starts has to be found."""
    _clear(carried, which)
    carried.sides[which].lost = 1


@inner
def _clear(carried: Carried, which: int) -> None:
    side = carried.sides[which]
    release(carried, side.head)
    side.head = side.tail = _NONE
    side.got = side.need = side.kept = 0


@inner
def _absorb(
    data: Bytes, at: int, end: int, place: int, which: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Read on in a stream up to the end of the next control packet.

    Returns:
        Where reading goes on; where a whole control packet stands (-1 for none); how many of its bytes; how many it has.
    """
    side, version = carried.sides[which], int(carried.flows[place].version)
    if side.lost:
        if not mqtt.is_start(data, at, end, version):
            note(carried, Reason.MQTT_START, at)
            return end, _NONE, 0, 0
        side.lost = 0
    if side.got == 0:
        total = mqtt.size(data, at, end)
        if 0 < total <= end - at and not mqtt.is_reserved(u8(data, at), version):
            return at + total, at, total, total
        part = end - at
    elif side.need == 0:
        part = 1  # the fixed header is not yet whole
    else:
        part = min(end - at, side.need - side.got)
    if not _append(data, at, at + part, which, carried):
        _lose(carried, which)
        return end, _NONE, 0, 0
    if side.need == 0 and _misfits(data, at, version, which, carried):
        return end, _NONE, 0, 0
    at += part
    if side.need == 0 or side.got < side.need:
        return at, _NONE, 0, 0
    kept, total = int(side.kept), int(side.need)
    fetch(carried, data, side.head, kept, SCRATCH)
    carried.tally[0].cut_messages += kept < total
    _clear(carried, which)
    return at, SCRATCH, kept, total


@inner
def _misfits(data: Bytes, at: int, version: int, which: int, carried: Carried) -> bool:
    """Read the length of the message under way once its fixed header is whole; tell whether it is no control packet."""
    side = carried.sides[which]
    head = side.head * CHUNK
    side.need = mqtt.size(data, head, head + min(side.kept, CHUNK))
    if side.need >= 0 and not mqtt.is_reserved(u8(data, head), version):
        return False
    note(carried, Reason.MQTT_LENGTH if side.need < 0 else Reason.MQTT_TYPE, at)
    _lose(carried, which)
    return True


@inner
def _append(data: Bytes, at: int, end: int, which: int, carried: Carried) -> bool:
    """Add bytes to the message under way, those beyond its bound only to their number; False when the pool is full."""
    side = carried.sides[which]
    side.got += end - at
    while at < end and side.kept < LONGEST:
        used = side.kept % CHUNK
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
        side.kept += part
        at += part
    return True
