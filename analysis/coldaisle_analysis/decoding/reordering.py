"""TCP segments ahead of a hole: kept in order of sequence number until the hole is filled or given up."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import ahead
from coldaisle_analysis.decoding.pool import release, store
from coldaisle_analysis.decoding.state import EARLY, EARLY_SEGMENTS, Carried

_NONE = -1


@inner
def is_full(carried: Carried, side_at: int, more: int) -> bool:
    """Tell whether ``more`` further bytes behind a hole would exceed the limit."""
    side = carried.sides[side_at]
    return bool(side.early_bytes + more > EARLY or side.early_count >= EARLY_SEGMENTS)


@inner
def put_away(
    data: Bytes, seq: int, at: int, end: int, absent: int, doubtful: int, side_at: int, carried: Carried
) -> None:
    """Keep an early segment, in order of sequence number; of two with the same number the longer one stays.

    Args:
        data: the array that holds it.
        seq: sequence number.
        at: start of its payload.
        end: end of its captured payload.
        absent: how many bytes behind that were not captured.
        doubtful: 1 if it acknowledges what was not seen to be sent.
        side_at: the direction.
        carried: the state.
    """
    side, tally = carried.sides[side_at], carried.tally[0]
    before, following = _NONE, int(side.early)
    while following >= 0 and ahead(carried.segments[following].seq, seq) < 0:
        before, following = following, int(carried.segments[following].next)
    if following >= 0 and carried.segments[following].seq == seq:
        same = carried.segments[following]
        if same.length + same.absent >= end - at + absent and same.doubtful <= doubtful:
            return
        following = drop(carried, side_at, before, following)
    place = int(tally.free_segment)
    if place < 0 and tally.fresh_segment == len(carried.segments):
        tally.overflows += 1
        return
    head = store(carried, data, at, end)
    if head < 0 and at < end:
        tally.overflows += 1
        return
    if place >= 0:
        tally.free_segment = carried.segments[place].next
    else:
        place = int(tally.fresh_segment)
        tally.fresh_segment += 1
    early = carried.segments[place]
    early.seq, early.length, early.absent, early.doubtful = seq, end - at, absent, doubtful
    early.head, early.next = head, following
    if before >= 0:
        carried.segments[before].next = place
    else:
        side.early = place
    side.early_bytes += end - at
    side.early_count += 1


@inner
def drop(carried: Carried, side_at: int, before: int, place: int) -> int:
    """Remove an early segment from its list and return the one behind it."""
    side, tally, early = carried.sides[side_at], carried.tally[0], carried.segments[place]
    following = int(early.next)
    if before >= 0:
        carried.segments[before].next = following
    else:
        side.early = following
    side.early_bytes -= early.length
    side.early_count -= 1
    release(carried, early.head)
    early.next = tally.free_segment
    tally.free_segment = place
    return following
