"""ARP (RFC 826), IPv4 (791), IPv6 with its extension headers (8200), ICMP (792) and ICMPv6 (4443)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.arrays import NO_TIME, Rows
from coldaisle_analysis.decoding.dictionaries import claim, number
from coldaisle_analysis.decoding.fields import i64, u8, u16, u32, u48
from coldaisle_analysis.decoding.layout import F64, I8, I16, I32, Code, Has, Kind, Protocol
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.unread import Unread, skip
from coldaisle_contracts.clock import SECOND

V4, V6 = 4, 6
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_NOTHING = -1
_ARP, _ETHERNET_IPV4, _SIZES = 0x0806, 0x0001_0800, 0x0604
"""EtherType of ARP; hardware and protocol type of the ARP frames that are decoded, and the lengths of their addresses, in bytes."""
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _OPTIONS, _MOBILITY, _HIP, _SHIM6 = (
    0, 43, 44, 51, 60, 135, 139, 140,
)  # fmt: skip
_EXTENSIONS = (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _OPTIONS, _MOBILITY, _HIP, _SHIM6)


@inner
def address_kind(version: int) -> int:
    """Return the kind of dictionary entry of an IP address."""
    return Kind.IP | version << 3


@inner
def arp(data: Bytes, at: int, end: int, time_ns: int, rows: Rows, row: int, carried: Carried) -> int:
    """Decode an ARP frame for IPv4 over Ethernet and return bits of Has; other ARP frames have no columns."""
    if end - at < 8:
        note(carried, Reason.ARP_CUT, at)
        return 0
    if u32(data, at) != _ETHERNET_IPV4 or u16(data, at + 4) != _SIZES:
        skip(carried, Unread.ETHERTYPE, _ARP)
        return 0
    if end - at < 28:
        note(carried, Reason.ARP_CUT, at)
        return 0
    mac = u48(data, at + 8)
    sender = number(carried, address_kind(V4), 0, u32(data, at + 14))
    target = number(carried, address_kind(V4), 0, u32(data, at + 24))
    rows.i8[I8.PROTOCOL, row] = Protocol.ARP
    rows.i32[I32.ARP_OP, row] = u16(data, at + 6)
    rows.code[Code.ARP_SRC_MAC, row] = carried.numbers[number(carried, Kind.MAC, 0, mac)].code
    rows.code[Code.ARP_SRC_IP, row] = carried.numbers[sender].code
    rows.code[Code.ARP_DST_IP, row] = carried.numbers[target].code
    rows.i8[I8.ARP_CONFLICT, row] = claim(carried, sender, mac)
    if time_ns == NO_TIME:
        return Has.ARP
    tally = carried.tally[0]
    bits: int = Has.ARP
    if tally.arp_ns != NO_TIME:
        time_ns = max(time_ns, int(tally.arp_ns))
        rows.f64[F64.ARP_IAT, row] = (time_ns - tally.arp_ns) / SECOND
        bits |= Has.ARP_BEFORE
    tally.arp_ns = time_ns
    return bits


@inner
def ipv4(
    data: Bytes, at: int, end: int, wire_end: int, mac: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Decode an IPv4 header.

    Args:
        data: the block.
        at: start of the header.
        end: end of the captured bytes of the frame.
        wire_end: end of the frame on the wire.
        mac: source MAC address, -1 for none.
        rows: the columns.
        row: position of the frame.
        carried: the state.

    Returns:
        Protocol of what follows (-1 when it cannot be read), its offset, the end of the packet on the wire, and bits of Has.
    """
    if end - at < 20:
        note(carried, Reason.IPV4_CUT, at)
        return _NOTHING, at, at, 0
    if u8(data, at) >> 4 != V4:
        note(carried, Reason.IPV4_VERSION, at)
        return _NOTHING, at, at, 0
    header, total = (u8(data, at) & 15) * 4, u16(data, at + 2)
    if header < 20:
        note(carried, Reason.IPV4_HEADER, at)
        return _NOTHING, at, at, 0
    _addresses(0, u32(data, at + 12), 0, u32(data, at + 16), V4, mac, rows, row, carried)
    fragment, proto = u16(data, at + 6), u8(data, at + 9)
    total = total or wire_end - at  # 0 where the network card cuts it into segments only after the capture
    rows.i8[I8.PROTOCOL, row] = Protocol.IPV4
    rows.i16[I16.IP_PROTO, row] = proto
    rows.i32[I32.IP_LEN, row] = total
    rows.i16[I16.IP_TTL, row] = u8(data, at + 8)
    rows.i32[I32.IP_ID, row] = u16(data, at + 4)
    rows.i16[I16.IP_DSCP, row] = u8(data, at + 1) >> 2
    rows.i8[I8.IP_DF, row] = fragment >> 14 & 1
    rows.i8[I8.IP_MF, row] = fragment >> 13 & 1
    rows.i32[I32.IP_FRAG, row] = (fragment & 0x1FFF) * 8
    bits = Has.IP | Has.IPV4
    if total < header:
        note(carried, Reason.IPV4_SHORT, at + 2)
        return _NOTHING, at, at, bits
    if at + total > wire_end:
        note(carried, Reason.IPV4_LONG, at + 2)
        total = wire_end - at
    if at + header > end:
        note(carried, Reason.IPV4_HEADER, at)
        return _NOTHING, at, at, bits
    return proto, at + header, at + total, bits


@inner
def ipv6(
    data: Bytes, at: int, end: int, wire_end: int, mac: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Decode an IPv6 header and its extension headers; arguments and result are those of :func:`ipv4`."""
    if end - at < 40:
        note(carried, Reason.IPV6_CUT, at)
        return _NOTHING, at, at, 0
    if u8(data, at) >> 4 != V6:
        note(carried, Reason.IPV6_VERSION, at)
        return _NOTHING, at, at, 0
    target_high, target_low = i64(data, at + 24), i64(data, at + 32)
    _addresses(i64(data, at + 8), i64(data, at + 16), target_high, target_low, V6, mac, rows, row, carried)
    total = u16(data, at + 4) + 40 if u16(data, at + 4) else wire_end - at
    rows.i8[I8.PROTOCOL, row] = Protocol.IPV6
    rows.i32[I32.IP_LEN, row] = total
    rows.i16[I16.IP_TTL, row] = u8(data, at + 7)
    rows.i16[I16.IP_DSCP, row] = u16(data, at) >> 6 & 63
    rows.i8[I8.IP_MF, row] = 0
    rows.i32[I32.IP_FRAG, row] = 0
    if at + total > wire_end:
        note(carried, Reason.IPV6_LONG, at + 4)
        total = wire_end - at
    following, behind = extensions(data, u8(data, at + 6), at + 40, min(end, at + total), rows, row, carried)
    rows.i16[I16.IP_PROTO, row] = following
    return (_NOTHING if behind < 0 else following), behind, at + total, Has.IP


@inner
def extensions(
    data: Bytes, following: int, at: int, end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int]:
    """Step over extension headers, up to the one of a fragment; return the protocol behind them and its offset, -1 when they are cut off."""
    while following in _EXTENSIONS:
        if end - at < 8:
            note(carried, Reason.IPV6_EXTENSION, at)
            return following, _NOTHING
        size = (u8(data, at + 1) + 1) * 8
        if following == _FRAGMENT:
            size = 8
            rows.i32[I32.IP_FRAG, row] = u16(data, at + 2) & 0xFFF8
            rows.i8[I8.IP_MF, row] = u16(data, at + 2) & 1
        elif following == _AUTHENTICATION:
            size = (u8(data, at + 1) + 2) * 4
        following, at = u8(data, at), at + size
        if rows.i32[I32.IP_FRAG, row] or rows.i8[I8.IP_MF, row]:
            break
    return following, at


@inner
def _addresses(
    source_high: int,
    source_low: int,
    target_high: int,
    target_low: int,
    version: int,
    mac: int,
    rows: Rows,
    row: int,
    carried: Carried,
) -> None:
    source = number(carried, address_kind(version), source_high, source_low)
    target = number(carried, address_kind(version), target_high, target_low)
    rows.i8[I8.IP_VERSION, row] = version
    rows.code[Code.IP_SRC, row] = carried.numbers[source].code
    rows.code[Code.IP_DST, row] = carried.numbers[target].code
    rows.i8[I8.ETH_SRC_CHANGED, row] = mac >= 0 and claim(carried, source, mac)


@inner
def icmp(data: Bytes, at: int, end: int, name: int, rows: Rows, row: int, carried: Carried) -> int:
    """Decode type and code of an ICMP or ICMPv6 message, set ``name`` as its protocol, and return bits of Has."""
    rows.i8[I8.PROTOCOL, row] = name
    if end - at < 4:
        note(carried, Reason.ICMP_CUT, at)
        return 0
    rows.i16[I16.ICMP_TYPE, row] = u8(data, at)
    rows.i16[I16.ICMP_CODE, row] = u8(data, at + 1)
    return Has.ICMP
