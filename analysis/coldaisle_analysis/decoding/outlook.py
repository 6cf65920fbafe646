"""What becomes of a hole in a stream: the frames behind a segment tell whether it is filled, or acknowledged because the capture lost it.

A hole that is filled was made on the way, and what stands behind it is read once it is filled. One that the capture lost is given up at
once, so that the messages behind it stand on their own frames.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.arrays import Index, Int8s
from coldaisle_analysis.decoding.fields import ahead, i64, u8, u16, u32
from coldaisle_analysis.decoding.pool import BLOCK
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.transport import ACK, RST, SYN
from coldaisle_analysis.decoding.tunnels import IPV4

AHEAD = 1 << 12
"""How many frames are looked at."""
ASK, OPEN, END = range(3)
"""What is behind the frames of a block: perhaps more of them, for which the kernel may ask; what is not known; nothing."""
WAIT, GIVE_UP, MORE = range(3)
"""What to do: wait for the hole to be filled, give it up, or look again with more frames."""
_ALONE = 3
"""How many segments behind a hole are enough where the other side is never heard: as many as TCP takes for a loss (RFC 5681, 3.2)."""
_FARTHEST = 1 << 20
"""How many bytes past a segment an acknowledgement may reach; one that reaches further is forged."""
_TCP, _FRAGMENT = 6, 0x3FFF


@inner
def outlook_of(
    data: Bytes,
    index: Index,
    frame: int,
    count: int,
    horizon: int,
    kind: int,
    at: int,
    behind: int,
    length: int,
    place: int,
    way: int,
    ports: Int8s,
    row: int,
    carried: Carried,
) -> int:
    """Return what to do with the hole before a segment, if there is one; IP header at ``at``, TCP header at ``behind``."""
    if length == 0:
        return WAIT
    if not ports[u16(data, behind)] | ports[u16(data, behind + 2)] and carried.flows[place].client_way <= 0:
        return WAIT
    side_at = 2 * place + way
    number = _needed(data, behind, length, side_at, carried)
    if number < 0:
        return WAIT
    frames = int(carried.tally[0].frames) + row
    return _look(data, index, frame, count, horizon, frames, kind, at, behind, number, side_at, carried)


@inner
def _needed(data: Bytes, at: int, size: int, side_at: int, carried: Carried) -> int:
    """Return the sequence number that has to be acknowledged so that a segment ahead of a hole is read, -1 for one that is not.

    Args:
        data: the array.
        at: where its TCP header starts.
        size: bytes of its payload on the wire.
        side_at: its direction.
        carried: the state.
    """
    seq = u32(data, at + 4)
    if not is_early(seq, size, side_at, carried):
        return -1
    if u8(data, at + 13) & ACK and is_unsent(u32(data, at + 8), side_at ^ 1, carried):
        return (seq + size) & 0xFFFFFFFF
    return seq


@inner
def is_early(seq: int, size: int, side_at: int, carried: Carried) -> bool:
    """Tell whether a segment is ahead of a hole."""
    expected = int(carried.sides[side_at].expected)
    return size > 0 and expected >= 0 and ahead(seq, expected) > 0


@inner
def is_unsent(ack: int, side_at: int, carried: Carried) -> bool:
    """Tell whether an acknowledgement covers bytes that this direction was not seen to send; a FIN counts as one byte."""
    reached = int(carried.sides[side_at].reached)
    return reached >= 0 and ahead(ack, reached) > 1


@inner
def _look(
    data: Bytes,
    index: Index,
    frame: int,
    count: int,
    horizon: int,
    number: int,
    kind: int,
    ip_at: int,
    tcp_at: int,
    needed: int,
    side_at: int,
    carried: Carried,
) -> int:
    """Look at the frames behind a segment that is ahead of a hole, and return what to do.

    Args:
        data: the array.
        index: positions of the frames.
        frame: number of its frame in the block.
        count: how many frames the block has.
        horizon: what is behind them.
        number: number of the frame in all captures.
        kind: EtherType of its IP packet.
        ip_at: where that starts.
        tcp_at: where its TCP header starts.
        needed: sequence number that the other side has to acknowledge.
        side_at: its direction.
        carried: the state.
    """
    side = carried.sides[side_at]
    if ip_at < BLOCK or number < side.settled:
        return WAIT
    start, seq, later = int(index.start[frame]), u32(data, tcp_at + 4), 0
    is_heard = carried.sides[side_at ^ 1].packets > 0
    last = min(count, frame + 1 + AHEAD)
    for other in range(frame + 1, last):
        at = int(index.start[other]) - start
        if index.length[other] < tcp_at - start + 20:
            continue
        way = _way(data, kind, ip_at, tcp_at, at)
        flags = u8(data, tcp_at + at + 13)
        if way < 0 and flags & ACK and not flags & RST:
            is_heard = True
            if 0 <= ahead(u32(data, tcp_at + at + 8), needed) <= _FARTHEST:
                return GIVE_UP
        elif way > 0 and not flags & (SYN | RST):
            length = _length(data, kind, ip_at + at, tcp_at + at, int(index.start[other] + index.wire[other]))
            begin = u32(data, tcp_at + at + 4)
            if length > 0 and ahead(begin, seq) < 0 < ahead(begin + length, int(side.expected)):
                side.settled = number + other - frame
                return WAIT
            later += length > 0 and ahead(begin, seq) > 0
    what = _beyond(horizon, needed == seq)
    if last == frame + 1 + AHEAD:
        what = GIVE_UP if later >= _ALONE and not is_heard else WAIT
    side.settled = max(int(side.settled), number + last - frame if what == WAIT else 0)
    return what


@inner
def _beyond(horizon: int, is_sure: bool) -> int:
    """Return what to do where the frames end; a segment that acknowledges what was never seen is not read then."""
    if horizon == ASK:
        return MORE
    return GIVE_UP if horizon == END and is_sure else WAIT


@inner
def _way(data: Bytes, kind: int, ip_at: int, tcp_at: int, at: int) -> int:
    """Tell whether a frame ``at`` bytes further holds a segment of the same direction (1), of the other one (-1), or neither (0)."""
    source, target = u16(data, tcp_at), u16(data, tcp_at + 2)
    first, second = u16(data, tcp_at + at), u16(data, tcp_at + at + 2)
    is_same, is_other = first == source and second == target, first == target and second == source
    if (not is_same and not is_other) or u8(data, ip_at) != u8(data, ip_at + at):
        return 0
    if kind == IPV4:
        if u8(data, ip_at + at + 9) != _TCP or u16(data, ip_at + at + 6) & _FRAGMENT:
            return 0
        a, b = u32(data, ip_at + 12), u32(data, ip_at + 16)
        c, d = u32(data, ip_at + at + 12), u32(data, ip_at + at + 16)
        return _direction(is_same and a == c and b == d, is_other and a == d and b == c)
    if u8(data, ip_at + 6) != u8(data, ip_at + at + 6):
        return 0
    for half in (0, 8):
        a, b = i64(data, ip_at + 8 + half), i64(data, ip_at + 24 + half)
        c, d = i64(data, ip_at + at + 8 + half), i64(data, ip_at + at + 24 + half)
        is_same, is_other = is_same and a == c and b == d, is_other and a == d and b == c
    return _direction(is_same, is_other)


@inner
def _direction(is_same: bool, is_other: bool) -> int:
    if is_same:
        return 1
    return -1 if is_other else 0


@inner
def _length(data: Bytes, kind: int, ip_at: int, tcp_at: int, end: int) -> int:
    """Return how many bytes of payload a segment has on the wire, whose frame ends at ``end``."""
    total = u16(data, ip_at + 2) if kind == IPV4 else u16(data, ip_at + 4) + 40
    if total in (0, 40) and (kind == IPV4) == (total == 0):
        total = end - ip_at
    return total - (tcp_at - ip_at) - (u8(data, tcp_at + 12) >> 4) * 4
