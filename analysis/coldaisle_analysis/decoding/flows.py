"""The table of flows, and the causal features of a flow at each of its packets.

A flow starts at the first packet of its pair of addresses and ports, or at a SYN, see :mod:`connections`.
"""

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.aliases import forget
from coldaisle_analysis.decoding.arrays import NO_TIME, Rows
from coldaisle_analysis.decoding.dictionaries import spread
from coldaisle_analysis.decoding.layout import F64, I64, Has
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
            touch(carried, at)
            return at, low_first
        at = int(flow.chain)
    at = free_place(carried)
    flow = carried.flows[at]
    flow.key[0], flow.key[1], flow.key[2], flow.key[3], flow.key[4] = a_high, a_low, b_high, b_low, ports
    put(carried, at, bucket, low_first)
    return at, low_first


@inner
def is_equal(key: Ints, other: Ints) -> bool:
    """Tell whether two keys of five numbers are equal."""
    different = 0
    for part in range(5):
        different |= key[part] ^ other[part]
    return bool(different == 0)


@inner
def put(carried: Carried, at: int, bucket: int, low_first: bool) -> None:
    """Put a flow, whose key is written, in front of its bucket and of the order of use, and begin it."""
    flow = carried.flows[at]
    flow.chain, flow.bucket = carried.buckets[bucket], bucket
    carried.buckets[bucket] = at
    begin(carried, at, low_first)
    _link(carried, at)


@inner
def begin(carried: Carried, at: int, low_first: bool) -> None:
    """Begin a flow in a place of the table."""
    flow, tally = carried.flows[at], carried.tally[0]
    flow.number = tally.flows
    tally.flows += 1
    flow.packets = flow.bytes = 0
    flow.first_ns = flow.last_ns = NO_TIME
    flow.opened = _NONE
    flow.unproven = 0
    flow.client = flow.client_length = flow.client_batch = _NONE
    flow.version, flow.settled, flow.client_way = tally.version, 0, 0
    flow.low_first = low_first
    for way in range(2):
        side = carried.sides[2 * at + way]
        side.packets = side.bytes = side.received = side.need = side.stored = 0
        side.last_ns = NO_TIME
        side.first = side.reached = side.acked = side.expected = _NONE
        side.hole_count = side.empty = side.settled = 0
        side.head = side.tail = side.early = side.alias = _NONE
        side.early_bytes = side.early_count = side.lost = side.stage = side.unsure = side.compressed = 0


@inner
def finish(carried: Carried, at: int) -> None:
    """Release the chunks and early segments of a flow."""
    tally = carried.tally[0]
    release(carried, carried.flows[at].client)
    for way in range(2):
        side = carried.sides[2 * at + way]
        release(carried, side.head)
        forget(carried, 2 * at + way)
        tally.unread += side.early_count
        side.early_count = 0
        while side.early >= 0:
            segment = carried.segments[side.early]
            release(carried, segment.head)
            following = segment.next
            segment.next = tally.free_segment
            tally.free_segment = side.early
            side.early = following


@inner
def free_place(carried: Carried) -> int:
    """Return an unused place in the table, or else the place of the flow that was silent for the longest time."""
    tally = carried.tally[0]
    if tally.free_flow < 0 and tally.used_flows < len(carried.flows):
        tally.used_flows += 1
        return int(tally.used_flows - 1)
    if tally.free_flow < 0:
        retire(carried, int(tally.oldest))
        tally.forgotten_flows += 1
    at = int(tally.free_flow)
    tally.free_flow = carried.flows[at].chain
    return at


@inner
def retire(carried: Carried, at: int) -> None:
    """Take a flow out of the table; its place is unused from now on."""
    _unlink(carried, at)
    finish(carried, at)
    flow = carried.flows[at]
    before = int(carried.buckets[flow.bucket])
    if before == at:
        carried.buckets[flow.bucket] = flow.chain
    else:
        while carried.flows[before].chain != at:
            before = int(carried.flows[before].chain)
        carried.flows[before].chain = flow.chain
    flow.chain = carried.tally[0].free_flow
    carried.tally[0].free_flow = at


@inner
def touch(carried: Carried, at: int) -> None:
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
        time_ns: time of the packet, in ns. One before that of the flow's last packet counts as that one. A packet without a time
            has no time since another, and the duration of the flow until the packet before.
        length: length of its frame on the wire, in bytes.
        rows: the columns.
        row: position of the frame.
    """
    flow, side, other = carried.flows[at], carried.sides[2 * at + way], carried.sides[2 * at + 1 - way]
    f64 = rows.f64
    bits: int = Has.FLOW
    if time_ns == NO_TIME:
        carried.tally[0].untimed += 1
    else:
        if flow.last_ns == NO_TIME:
            flow.first_ns = time_ns
        else:
            if time_ns < flow.last_ns:
                carried.tally[0].set_back += 1
                time_ns = int(flow.last_ns)
            f64[F64.FLOW_IAT, row] = (time_ns - flow.last_ns) / SECOND
            bits |= Has.BEFORE
        if side.last_ns != NO_TIME:
            f64[F64.DIR_IAT, row] = (time_ns - side.last_ns) / SECOND
            bits |= Has.BEFORE_SAME
        if other.last_ns != NO_TIME:
            f64[F64.REPLY_S, row] = (time_ns - other.last_ns) / SECOND
            bits |= Has.BEFORE_OTHER
        flow.last_ns = side.last_ns = time_ns
    flow.packets += 1
    side.packets += 1
    flow.bytes += length
    side.bytes += length
    rows.i64[I64.FLOW, row] = flow.number
    f64[F64.FLOW_PACKETS, row] = flow.packets
    f64[F64.FLOW_BYTES, row] = flow.bytes
    f64[F64.FLOW_MEAN_BYTES, row] = flow.bytes / flow.packets
    f64[F64.FLOW_DURATION, row] = (flow.last_ns - flow.first_ns) / SECOND
    f64[F64.DIR_PACKETS, row] = side.packets
    f64[F64.DIR_MEAN_BYTES, row] = side.bytes / side.packets
    return bits
