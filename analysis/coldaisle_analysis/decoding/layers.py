"""Link and network layer of a frame, through tunnels to the innermost packet, and the flow of that packet."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import tunnels
from coldaisle_analysis.decoding.arrays import Rows
from coldaisle_analysis.decoding.fields import i64, u16, u32
from coldaisle_analysis.decoding.flows import find
from coldaisle_analysis.decoding.fragments import packet
from coldaisle_analysis.decoding.links import ETHERNET, link
from coldaisle_analysis.decoding.network import TCP, V4, V6, arp
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.tunnels import ARP, BRIDGED, IPV4, NOTHING


@inner
def network(
    data: Bytes,
    link_type: int,
    at: int,
    end: int,
    wire_end: int,
    time_ns: int,
    shard: int,
    rows: Rows,
    row: int,
    carried: Carried,
) -> tuple[int, int, int, int, int, int, int, int]:
    """Decode link and network layer, and those within tunnels: the columns hold the innermost ones.

    Returns:
        EtherType and protocol of the IP packet (-1 for none that is read further), offsets of its header and of what follows, the end of
        its captured bytes and its end on the wire, the number of its network, and bits of Has.
    """
    kind, mac, net, bits, link_bits = BRIDGED, -1, 0, 0, 0
    proto, behind = -1, at
    for _ in range(tunnels.DEEPEST):
        if kind == BRIDGED:
            kind, at, mac, link_bits = link(data, link_type, at, end, rows, row, carried)
            link_type = ETHERNET
        kind, at = tunnels.unwrap(data, kind, at, end, carried)
        bits = link_bits
        if kind == BRIDGED:
            continue
        if kind == ARP:
            return kind, -1, at, at, at, at, net, bits | arp(data, at, end, time_ns, rows, row, carried)
        proto, behind, end, packet_end, more = packet(
            data, kind, at, end, wire_end, mac, net, time_ns, shard, rows, row, carried
        )
        bits |= more
        if proto == TCP or proto < 0:
            return kind, proto, at, behind, end, packet_end, net, bits
        inside, start, number = tunnels.enter(data, proto, behind, min(end, packet_end), carried)
        if inside == NOTHING:
            return kind, proto, at, behind, end, packet_end, net, bits
        kind, at, net, mac = inside, start, number, -1
        end, wire_end = min(end, packet_end), packet_end
    note(carried, Reason.TUNNEL_CUT, at)
    return kind, -1, at, at, at, at, net, bits


@inner
def flow_of(
    data: Bytes, at: int, behind: int, kind: int, proto: int, shard: int, net: int, carried: Carried
) -> tuple[int, bool]:
    """Return the place of a packet's flow, and whether its source is the lower end; IP header at ``at``, ports at ``behind``.

    The number of a tunnel's network tells flows of equal addresses apart.
    """
    source, target = u16(data, behind), u16(data, behind + 2)
    key = shard << 12 | proto << 4
    if kind == IPV4:
        return find(carried, net, u32(data, at + 12), net, u32(data, at + 16), source, target, key | V4)
    halves = (i64(data, at + 8) ^ net, i64(data, at + 16), i64(data, at + 24) ^ net, i64(data, at + 32))
    return find(carried, halves[0], halves[1], halves[2], halves[3], source, target, key | V6)
