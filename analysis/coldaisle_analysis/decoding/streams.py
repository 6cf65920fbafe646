"""Reassembly of TCP streams: from segments, even cut or out of order, to the MQTT control packets they complete.

A control packet is reported on the frame that completes it. A hole in the capture is given up once the other side has
acknowledged past it, or once too many bytes wait behind it. Parsing then resumes at the next segment that starts a control packet.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import controls, framing, reordering
from coldaisle_analysis.decoding.arrays import Messages
from coldaisle_analysis.decoding.assembly import absorb, lose
from coldaisle_analysis.decoding.fields import ahead
from coldaisle_analysis.decoding.outlook import GIVE_UP, is_early, is_unsent
from coldaisle_analysis.decoding.pool import PIECE, fetch
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.transport import ACK, RST

_NONE = -1
_MASK = 0xFFFFFFFF
_FARTHEST = 1 << 20
"""How many bytes past those seen an acknowledgement may reach; one that reaches further is forged."""
_OTHER, _ROOM, _OWN = 0, 1, 2
"""Turns of a segment: the hole that its acknowledgement gives up, the holes before it that are given up, and its own payload."""


@inner
def segment(  # noqa: C901 - one loop for all turns
    data: Bytes,
    seq: int,
    ack: int,
    flags: int,
    at: int,
    end: int,
    absent: int,
    place: int,
    way: int,
    known: int,
    outlook: int,
    row: int,
    carried: Carried,
    out: Messages,
) -> None:
    """Add a segment to its stream and write the control packets it completes, in either direction.

    There is one loop for all turns, so that the machine code holds the parser once.

    Args:
        data: the block.
        seq: sequence number.
        ack: acknowledgement number.
        flags: TCP flags.
        at: start of the payload.
        end: end of the captured payload.
        absent: bytes of the payload behind that, which were not captured.
        place: place of the flow.
        way: direction, see :data:`state.SIDE`.
        known: what its port is known for, see :mod:`framing`.
        outlook: what becomes of the hole before it, see :mod:`outlook`.
        row: position of the frame.
        carried: the state.
        out: the columns of the messages.
    """
    own_side, other_side = 2 * place + way, 2 * place + 1 - way
    seq = (seq + (flags >> 1 & 1)) & _MASK
    size = end - at + absent
    early, doubtful, limit = _prospect(
        seq, ack, flags, size, outlook == GIVE_UP, own_side, other_side, carried
    )
    for turn in range(3):
        side_at, start, stop, whole = own_side, 0, 0, 0
        if turn == _OTHER:
            if doubtful or not _acknowledge(ack, flags, other_side, carried):
                continue
            side_at, up_to = other_side, ack
        elif turn == _ROOM:
            if limit < 0 or carried.sides[own_side].early < 0:
                continue
            up_to = limit
        else:
            up_to = _NONE
            start, stop, whole = _accept(
                data, seq, at, end, absent, own_side, early and limit < 0, doubtful, carried
            )
        while True:
            until = origin = start
            while start < whole:
                if start == until:  # the next part of the stream that is MQTT
                    begins = start == origin
                    start, until = framing.part(
                        data, start, stop, whole, begins, place, side_at, known, carried
                    )
                    continue
                start, begin, stored, total = absorb(
                    data, start, min(stop, until), until, place, side_at, carried
                )
                if begin >= 0:
                    controls.message(data, begin, stored, total, place, side_at & 1, row, carried, out)
            start, stop, whole = _next_early(data, side_at, up_to, carried)
            if stop < 0:
                break


@inner
def _prospect(
    seq: int, ack: int, flags: int, size: int, gives_up: bool, side_at: int, other_at: int, carried: Carried
) -> tuple[bool, bool, int]:
    """Look where a segment lies in its stream.

    Returns:
        Whether it is ahead of a hole; whether it also acknowledges what was never seen; the sequence number up to which the holes before it
        are given up, -1 to give up none. They are when the other side acknowledged them, and when too much waits behind them.
    """
    side = carried.sides[side_at]
    if not is_early(seq, size, side_at, carried):
        return False, False, _NONE
    if gives_up:
        return True, False, seq
    if flags & ACK and is_unsent(ack, other_at, carried):
        return True, True, _NONE
    if side.acked >= 0 and ahead(side.acked, seq) >= 0:
        return True, False, seq
    if side.early >= 0 and reordering.is_full(carried, side_at, size):
        carried.tally[0].overflows += 1
        return True, False, (seq + size) & _MASK
    return True, False, _NONE


@inner
def _acknowledge(ack: int, flags: int, side_at: int, carried: Carried) -> bool:
    """Note what the other side acknowledges; tell whether early segments wait for that."""
    side = carried.sides[side_at]
    if flags & ACK == 0 or flags & RST or ahead(ack, side.reached) > _FARTHEST:
        return False
    if side.acked < 0 or ahead(ack, side.acked) > 0:
        side.acked = ack
    return bool(side.early >= 0)


@inner
def _accept(
    data: Bytes,
    seq: int,
    at: int,
    end: int,
    absent: int,
    side_at: int,
    waits: bool,
    doubtful: bool,
    carried: Carried,
) -> tuple[int, int, int]:
    """Return the part of a segment's payload that comes next in its stream, and keep a segment that waits for a hole to be filled.

    A segment ahead of a hole that also acknowledges bytes never sent is doubtful: its receiver drops it (RFC 9293, 3.10.7.4), or the capture
    lost frames of both directions. Such segments appear when an attacker who shifted both directions is bypassed and the sensor reaches the
    broker directly. It is read only once the other side acknowledges it.

    Returns:
        Start and captured end of the part, and its end with the bytes that were not captured.
    """
    side, size = carried.sides[side_at], end - at + absent
    if size == 0:
        return 0, 0, 0
    if waits and doubtful and reordering.is_full(carried, side_at, size):
        carried.tally[0].refused += 1
        return 0, 0, 0
    if waits:
        reordering.put_away(data, seq, at, end, absent, doubtful, side_at, carried)
        return 0, 0, 0
    if side.expected < 0:  # the capture starts within the connection
        side.expected, side.lost = seq, 1
    behind = ahead(side.expected, seq)
    if behind < 0:
        _give_up(seq, side_at, carried)
        behind = 0
    if behind >= size:
        return 0, 0, 0
    side.expected = (seq + size) & _MASK
    return at + behind, end, at + size


@inner
def _next_early(data: Bytes, side_at: int, limit: int, carried: Carried) -> tuple[int, int, int]:
    """Put together the first early segment and return its part that comes next in the stream; ends -1 when there is none.

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
        size = length + int(waiting.absent)
        behind = ahead(side.expected, seq)
        if waiting.doubtful and behind > 0:
            carried.tally[0].refused += 1
            reordering.drop(carried, side_at, _NONE, place)
            continue
        if waiting.doubtful and (limit < 0 or ahead(limit, (seq + size) & _MASK) < 0):
            break
        if behind < 0:
            if (
                limit < 0 or ahead(limit, seq) < 0
            ):  # a FIN counts too: one past what was expected gives up nothing
                break
            _give_up(seq, side_at, carried)
            behind = 0
        if behind < size:
            fetch(carried, data, waiting.head, length, PIECE)
            side.expected = (seq + size) & _MASK
        reordering.drop(carried, side_at, _NONE, place)
        if behind < size:
            return PIECE + behind, PIECE + length, PIECE + size
    return 0, _NONE, _NONE


@inner
def _give_up(seq: int, side_at: int, carried: Carried) -> None:
    """Give up the hole before a sequence number."""
    carried.tally[0].gaps += 1
    lose(carried, side_at)
    carried.sides[side_at].expected = seq
