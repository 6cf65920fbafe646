"""Sequence numbers of TCP: which bytes of a direction were seen, and so what is sent again and what starts past a hole."""

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.arrays import Rows
from coldaisle_analysis.decoding.fields import ahead
from coldaisle_analysis.decoding.layout import I8
from coldaisle_analysis.decoding.state import HOLES, Carried
from coldaisle_analysis.decoding.transport import FIN, RST, SYN

_MASK = 0xFFFFFFFF
_FARTHEST = 1 << 30
"""The largest window (RFC 7323, 2.3): no segment lies further ahead."""


@inner
def sequence(carried: Carried, side_at: int, seq: int, length: int, flags: int, rows: Rows, row: int) -> None:
    """Write whether a segment carries only bytes seen before, and whether it starts past the next byte expected.

    Args:
        carried: the state.
        side_at: place of its direction.
        seq: raw sequence number.
        length: length of the payload, in bytes.
        flags: TCP flags.
        rows: the columns.
        row: position of the frame.
    """
    side = carried.sides[side_at]
    start = (seq + (flags >> 1 & 1)) & _MASK
    end = (start + length) & _MASK
    rows.i8[I8.TCP_RETRANSMISSION, row] = rows.i8[I8.TCP_GAP, row] = 0
    if side.reached < 0 or (flags & SYN and not side.empty and side.reached == side.first != side.acked):
        _begin(carried, side_at, start, end, flags)
        return
    if flags & SYN and start == side.first and side.expected < 0:
        side.expected = start
    gap, more = ahead(start, side.reached), ahead(end, side.reached)
    if length > 0:
        fresh = more > 0 or (side.hole_count > 0 and _fill(carried, side_at, start, end))
        keep_alive = length == 1 and gap == -1 and not flags & (FIN | SYN | RST)
        rows.i8[I8.TCP_RETRANSMISSION, row] = not fresh and not keep_alive
        rows.i8[I8.TCP_GAP, row] = gap > side.empty
    if 0 < more <= _FARTHEST and (not flags & (SYN | RST) or start == side.first):
        if gap > 0 and length > 0:
            _add_hole(carried, side_at, start)
        side.reached = end
    side.empty &= length == 0


@inner
def _begin(carried: Carried, side_at: int, start: int, end: int, flags: int) -> None:
    """Note the first bytes of a direction; of two SYNs the later one counts until the other side acknowledges the first."""
    side = carried.sides[side_at]
    side.first, side.reached = start, end
    side.empty = start == end and not flags & SYN
    if flags & SYN:
        side.expected = start


@inner
def _add_hole(carried: Carried, side_at: int, start: int) -> None:
    """Remember that the bytes from the furthest one to ``start`` were not seen; of too many holes the first one is forgotten."""
    side = carried.sides[side_at]
    if side.hole_count == HOLES:
        _forget_hole(carried, side_at, 0)
    at = 2 * int(side.hole_count)
    side.holes[at], side.holes[at + 1] = side.reached, start
    side.hole_count += 1


@inner
def _forget_hole(carried: Carried, side_at: int, hole: int) -> None:
    side = carried.sides[side_at]
    for at in range(2 * hole, 2 * int(side.hole_count) - 2):
        side.holes[at] = side.holes[at + 2]
    side.hole_count -= 1


@inner
def _fill(carried: Carried, side_at: int, start: int, end: int) -> bool:
    """Fill holes with the bytes from ``start`` to ``end``; tell whether any of them lies in a hole."""
    side = carried.sides[side_at]
    fresh, hole = False, int(side.hole_count) - 1
    while hole >= 0:
        low, high = int(side.holes[2 * hole]), int(side.holes[2 * hole + 1])
        if ahead(end, low) > 0 and ahead(high, start) > 0:
            fresh = True
            if ahead(start, low) <= 0 and ahead(end, high) >= 0:
                _forget_hole(carried, side_at, hole)
            elif ahead(start, low) <= 0:
                side.holes[2 * hole] = end
            else:
                if ahead(end, high) < 0 and side.hole_count < HOLES:
                    last = 2 * int(side.hole_count)
                    side.holes[last], side.holes[last + 1] = end, high
                    side.hole_count += 1
                side.holes[2 * hole + 1] = start
        hole -= 1
    return fresh
