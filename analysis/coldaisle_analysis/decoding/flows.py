"""The table of flows, and the causal features of a flow at each of its packets.

A TCP flow starts at a SYN with a new sequence number on its pair of addresses and ports. A UDP flow starts at the first packet of its pair.
"""

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.aliases import forget
from coldaisle_analysis.decoding.arrays import Rows
from coldaisle_analysis.decoding.dictionaries import spread
from coldaisle_analysis.decoding.fields import ahead
from coldaisle_analysis.decoding.layout import F64, I8, I64, Has
from coldaisle_analysis.decoding.pool import release
from coldaisle_analysis.decoding.state import Carried
from coldaisle_contracts.clock import SECOND

_NONE = -1


@inner
def find(
    carried: Carried, a_high: int, a_low: int, b_high: int, b_low: int, source: int, target: int, key: int
) -> tuple[int, bool]:
    """Return the place of a packet's flow in the table, added if it is new, and whether the source is its lower end.

    Args:
        carried: the state.
        a_high: upper half of the source address (0 for IPv4).
        a_low: lower half of the source address.
        b_high: upper half of the target address.
        b_low: lower half of the target address.
        source: source port.
        target: target port.
        key: protocol, IP version and shard in one number.
    """
    low_first = a_high < b_high or (
        a_high == b_high and (a_low < b_low or (a_low == b_low and source <= target))
    )
    if not low_first:
        a_high, a_low, b_high, b_low, source, target = b_high, b_low, a_high, a_low, target, source
    ports = key << 32 | source << 16 | target
    carried.tally[0].uses += 1
    bucket = spread(a_high ^ (b_high << 1), (a_low << 24) ^ b_low, ports) & (len(carried.buckets) - 1)
    at = int(carried.buckets[bucket])
    while at >= 0:
        flow = carried.flows[at]
        if (
            flow.key[4] == ports
            and flow.key[1] == a_low
            and flow.key[3] == b_low
            and flow.key[0] == a_high
            and flow.key[2] == b_high
        ):
            _touch(carried, at)
            return at, low_first
        at = int(flow.chain)
    at = _room(carried)
    flow = carried.flows[at]
    flow.key[0], flow.key[1], flow.key[2], flow.key[3], flow.key[4] = a_high, a_low, b_high, b_low, ports
    flow.chain = carried.buckets[bucket]
    flow.bucket = bucket
    carried.buckets[bucket] = at
    flow.opened = _NONE
    _start(carried, at, low_first)
    _link(carried, at)
    return at, low_first


@inner
def _start(carried: Carried, at: int, low_first: bool) -> None:
    """Begin a flow in a place of the table."""
    flow, tally = carried.flows[at], carried.tally[0]
    flow.number = tally.flows
    tally.flows += 1
    flow.packets = flow.bytes = 0
    flow.client = flow.client_length = flow.client_batch = _NONE
    flow.version, flow.settled = tally.version, 0
    flow.low_first = low_first
    for way in range(2):
        side = carried.sides[2 * at + way]
        side.packets = side.bytes = side.received = side.need = side.stored = 0
        side.reached = side.expected = _NONE
        side.head = side.tail = side.early = side.alias = _NONE
        side.early_bytes = side.early_count = side.lost = 0


@inner
def _end(carried: Carried, at: int) -> None:
    """Release the chunks and early segments of a flow."""
    tally = carried.tally[0]
    release(carried, carried.flows[at].client)
    for way in range(2):
        side = carried.sides[2 * at + way]
        release(carried, side.head)
        forget(carried, 2 * at + way)
        while side.early >= 0:
            segment = carried.segments[side.early]
            release(carried, segment.head)
            following = segment.next
            segment.next = tally.free_segment
            tally.free_segment = side.early
            side.early = following


@inner
def open_again(carried: Carried, at: int, seq: int, low_first: bool) -> None:
    """Begin a new flow in the place of the old one if a SYN has a new sequence number."""
    flow = carried.flows[at]
    if flow.opened == seq:
        return
    if flow.packets > 0:
        _end(carried, at)
        _start(carried, at, low_first)
    flow.opened = seq


@inner
def _room(carried: Carried) -> int:
    """Return an unused place in the table, or else the place of the flow that was silent for the longest time."""
    tally = carried.tally[0]
    if tally.used_flows < len(carried.flows):
        tally.used_flows += 1
        return int(tally.used_flows - 1)
    at = int(tally.oldest)
    _unlink(carried, at)
    _end(carried, at)
    flow = carried.flows[at]
    before = int(carried.buckets[flow.bucket])
    if before == at:
        carried.buckets[flow.bucket] = flow.chain
    else:
        while carried.flows[before].chain != at:
            before = int(carried.flows[before].chain)
        carried.flows[before].chain = flow.chain
    tally.forgotten_flows += 1
    return at


@inner
def _touch(carried: Carried, at: int) -> None:
    """Move a flow to the front of the order of use, unless it was moved within the last eighth of the table's uses."""
    if carried.tally[0].uses - carried.flows[at].used > len(carried.flows) >> 3:
        _unlink(carried, at)
        _link(carried, at)


@inner
def _unlink(carried: Carried, at: int) -> None:
    flow, tally = carried.flows[at], carried.tally[0]
    if flow.before >= 0:
        carried.flows[flow.before].after = flow.after
    else:
        tally.oldest = flow.after
    if flow.after >= 0:
        carried.flows[flow.after].before = flow.before
    else:
        tally.newest = flow.before


@inner
def _link(carried: Carried, at: int) -> None:
    flow, tally = carried.flows[at], carried.tally[0]
    flow.before, flow.after = tally.newest, _NONE
    if tally.newest >= 0:
        carried.flows[tally.newest].after = at
    else:
        tally.oldest = at
    tally.newest = at
    flow.used = tally.uses


@inner
def features(carried: Carried, at: int, way: int, time_ns: int, length: int, rows: Rows, row: int) -> int:
    """Write the flow columns of a packet, and return bits of Has.

    Args:
        carried: the state.
        at: place of its flow.
        way: 1 for the direction of the flow's first packet, else 0.
        time_ns: time of the packet, in ns.
        length: length of its frame on the wire, in bytes.
        rows: the columns.
        row: position of the frame.
    """
    flow, side, other = carried.flows[at], carried.sides[2 * at + way], carried.sides[2 * at + 1 - way]
    f64 = rows.f64
    bits: int = Has.FLOW
    if flow.packets == 0:
        flow.first_ns = time_ns
    else:
        f64[F64.FLOW_IAT, row] = (time_ns - flow.last_ns) / SECOND
        bits |= Has.BEFORE
    if side.packets > 0:
        f64[F64.DIR_IAT, row] = (time_ns - side.last_ns) / SECOND
        bits |= Has.BEFORE_SAME
    if other.packets > 0:
        f64[F64.REPLY_S, row] = (time_ns - other.last_ns) / SECOND
        bits |= Has.BEFORE_OTHER
    flow.packets += 1
    side.packets += 1
    flow.bytes += length
    side.bytes += length
    flow.last_ns = side.last_ns = time_ns
    rows.i64[I64.FLOW, row] = flow.number
    f64[F64.FLOW_PACKETS, row] = flow.packets
    f64[F64.FLOW_BYTES, row] = flow.bytes
    f64[F64.FLOW_MEAN_BYTES, row] = flow.bytes / flow.packets
    f64[F64.FLOW_DURATION, row] = (time_ns - flow.first_ns) / SECOND
    f64[F64.DIR_PACKETS, row] = side.packets
    f64[F64.DIR_MEAN_BYTES, row] = side.bytes / side.packets
    return bits


@inner
def sequence(carried: Carried, side_at: int, seq: int, length: int, syn: int, rows: Rows, row: int) -> None:
    """Write whether a segment carries only bytes sent before, and whether it starts past the next byte expected.

    Args:
        carried: the state.
        side_at: place of its direction.
        seq: raw sequence number.
        length: length of the payload, in bytes.
        syn: 1 for a SYN, which counts as one byte.
        rows: the columns.
        row: position of the frame.
    """
    side = carried.sides[side_at]
    start = (seq + syn) & 0xFFFFFFFF
    end = (start + length) & 0xFFFFFFFF
    reached = int(side.reached)
    comparable = reached >= 0 and length > 0
    rows.i8[I8.TCP_RETRANSMISSION, row] = comparable and ahead(end, reached) <= 0
    rows.i8[I8.TCP_GAP, row] = comparable and ahead(start, reached) > 0
    if reached < 0 or ahead(end, reached) > 0:
        side.reached = end
