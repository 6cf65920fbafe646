"""IP datagrams put together from their fragments (RFC 791, 3.2; RFC 8200, 4.5).

The frame that brings the last missing fragment has the columns of transport and of MQTT; the other fragments have none.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import reordering
from coldaisle_analysis.decoding.arrays import NO_TIME, Rows
from coldaisle_analysis.decoding.fields import i64, u16, u32
from coldaisle_analysis.decoding.flows import is_equal
from coldaisle_analysis.decoding.layout import I8, I16, I32
from coldaisle_analysis.decoding.network import V4, V6, extensions, ipv4, ipv6
from coldaisle_analysis.decoding.pool import BLOCK, DATAGRAM, fetch
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import DATAGRAMS, Carried
from coldaisle_analysis.decoding.tunnels import IPV4, IPV6
from coldaisle_contracts.clock import SECOND

_NONE = -1
_LONGEST = 0xFFFF
_LIFE = 30 * SECOND
"""How long fragments wait for others, in ns: as long as Linux keeps them (net.ipv4.ipfrag_time)."""


@inner
def packet(
    data: Bytes,
    kind: int,
    at: int,
    end: int,
    wire_end: int,
    mac: int,
    net: int,
    time_ns: int,
    shard: int,
    rows: Rows,
    row: int,
    carried: Carried,
) -> tuple[int, int, int, int, int]:
    """Decode an IP header, and put fragments together.

    Returns:
        Protocol of what follows (-1 for nothing), its offset, the end of its captured bytes, its end on the wire, and bits of Has.
    """
    version = V4 if kind == IPV4 else V6
    if kind == IPV4:
        proto, behind, packet_end, bits = ipv4(data, at, end, wire_end, mac, rows, row, carried)
    elif kind == IPV6:
        proto, behind, packet_end, bits = ipv6(data, at, end, wire_end, mac, rows, row, carried)
    else:
        return _NONE, at, end, wire_end, 0
    if proto < 0 or not (rows.i8[I8.IP_MF, row] or rows.i32[I32.IP_FRAG, row]):
        return proto, behind, end, packet_end, bits
    if at < BLOCK:  # in a datagram that was itself put together: there is no room for another
        carried.tally[0].fragments += 1
        return _NONE, behind, end, packet_end, bits
    proto, behind, end, packet_end = _put_together(
        data, at, version, proto, behind, end, packet_end, net, time_ns, shard, rows, row, carried
    )
    return proto, behind, end, packet_end, bits


@inner
def _put_together(
    data: Bytes,
    ip_at: int,
    version: int,
    proto: int,
    at: int,
    end: int,
    packet_end: int,
    net: int,
    time_ns: int,
    shard: int,
    rows: Rows,
    row: int,
    carried: Carried,
) -> tuple[int, int, int, int]:
    """Add a fragment to its datagram.

    Args:
        data: the array.
        ip_at: start of the IP header.
        version: 4 or 6.
        proto: protocol of the datagram.
        at: start of the fragment's payload.
        end: end of the captured bytes of the frame.
        packet_end: end of the fragment on the wire.
        net: number of the tunnel's network.
        time_ns: time of the frame, in ns.
        shard: number of the shard.
        rows: the columns.
        row: position of the frame.
        carried: the state.

    Returns:
        Protocol of the whole datagram's payload (-1 when it is not whole), its offset, the end of its captured bytes, and its end on the wire.
    """
    offset, more = int(rows.i32[I32.IP_FRAG, row]), rows.i8[I8.IP_MF, row]
    length = packet_end - at
    if length <= 0 or (more and length % 8) or offset + length > _LONGEST:
        note(carried, Reason.IP_FRAGMENT, ip_at)
        return _NONE, at, end, packet_end
    place = _place(data, ip_at, version, proto, at, net, time_ns, shard, carried)
    side_at = len(carried.sides) - DATAGRAMS + place
    if reordering.is_full(carried, side_at, length):
        carried.tally[0].fragments += 1
        return _NONE, at, end, packet_end
    if not more:
        carried.datagrams[place].total = offset + length
    stop = max(at, min(end, packet_end))
    reordering.put_away(data, offset, at, stop, packet_end - stop, 0, side_at, carried)
    total = int(carried.datagrams[place].total)
    if total < 0 or not _is_whole(side_at, total, carried):
        return _NONE, at, end, packet_end
    captured = _copy(data, side_at, total, carried)
    carried.datagrams[place].used = 0
    end, packet_end = DATAGRAM + captured, DATAGRAM + total
    behind = DATAGRAM
    if version == V6:
        proto, behind = extensions(data, proto, DATAGRAM, end, rows, row, carried)
        rows.i16[I16.IP_PROTO, row] = proto
    return (proto if behind >= 0 else _NONE), behind, end, packet_end


@inner
def _place(
    data: Bytes,
    ip_at: int,
    version: int,
    proto: int,
    at: int,
    net: int,
    time_ns: int,
    shard: int,
    carried: Carried,
) -> int:
    """Return the place of a fragment's datagram, a new one if there is none or it is too old."""
    tally, datagrams, free = carried.tally[0], carried.datagrams, _NONE
    _write_key(data, ip_at, version, proto, at, net, shard, carried)
    for place in range(DATAGRAMS):
        if not datagrams[place].used:
            free = place if free < 0 else free
        elif is_equal(datagrams[place].key, datagrams[DATAGRAMS].key):
            first_ns = datagrams[place].first_ns
            if NO_TIME in (time_ns, first_ns) or time_ns - first_ns <= _LIFE:
                return place
            free = place
            break
    if free < 0:
        free = int(tally.next_datagram)
        tally.next_datagram = (free + 1) % DATAGRAMS
    side_at = len(carried.sides) - DATAGRAMS + free
    tally.fragments += _release(side_at, carried)
    carried.sides[side_at].early = _NONE
    for part in range(5):
        datagrams[free].key[part] = datagrams[DATAGRAMS].key[part]
    datagrams[free].first_ns, datagrams[free].total, datagrams[free].used = time_ns, _NONE, 1
    return free


@inner
def _write_key(
    data: Bytes, ip_at: int, version: int, proto: int, at: int, net: int, shard: int, carried: Carried
) -> None:
    """Write what names a fragment's datagram behind those of the other datagrams."""
    key = carried.datagrams[DATAGRAMS].key
    if version == V4:
        key[0], key[1], key[2], key[3] = net, u32(data, ip_at + 12), net, u32(data, ip_at + 16)
        number = u16(data, ip_at + 4) << 8 | proto
    else:
        key[0], key[1] = i64(data, ip_at + 8) ^ net, i64(data, ip_at + 16)
        key[2], key[3] = i64(data, ip_at + 24), i64(data, ip_at + 32)
        number = u32(data, at - 4) << 8
    key[4] = number << 16 | shard << 1 | (version == V6)


@inner
def _release(side_at: int, carried: Carried) -> int:
    """Drop all fragments of a datagram and return their number."""
    count = int(carried.sides[side_at].early_count)
    for _ in range(count):
        reordering.drop(carried, side_at, _NONE, int(carried.sides[side_at].early))
    return count


@inner
def _is_whole(side_at: int, total: int, carried: Carried) -> bool:
    """Tell whether fragments cover a datagram."""
    reached, at = 0, int(carried.sides[side_at].early)
    while at >= 0 and carried.segments[at].seq <= reached < total:
        fragment = carried.segments[at]
        reached = max(reached, int(fragment.seq + fragment.length + fragment.absent))
        at = int(fragment.next)
    return reached >= total


@inner
def _copy(data: Bytes, side_at: int, total: int, carried: Carried) -> int:
    """Put a datagram together, drop its fragments, and return how many bytes there are before the first that was not captured."""
    captured, at = total, int(carried.sides[side_at].early)
    while at >= 0:
        fragment = carried.segments[at]
        fetch(carried, data, fragment.head, fragment.length, DATAGRAM + fragment.seq)
        if fragment.absent:
            captured = min(captured, int(fragment.seq + fragment.length))
        at = int(fragment.next)
    _release(side_at, carried)
    return captured
