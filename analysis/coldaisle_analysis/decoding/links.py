"""Link layers: Ethernet with VLAN tags, 802.11, PPP, Linux cooked v1 and v2, loopback and raw IP.

Numbers and layouts are those of https://www.tcpdump.org/linktypes.html and IEEE 802.1Q.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import wireless
from coldaisle_analysis.decoding.arrays import Rows
from coldaisle_analysis.decoding.dictionaries import number
from coldaisle_analysis.decoding.fields import u8, u16, u48
from coldaisle_analysis.decoding.layout import I16, I32, Code, Has, Kind
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.tunnels import IPV4, IPV6, LLC, PPP
from coldaisle_analysis.decoding.unread import Unread, skip

NULL, ETHERNET, PPP_LINK, RAW_BSD, RAW_OPENBSD, RAW, WIFI, LOOP, COOKED, RADIOTAP, IPV4_ONLY, IPV6_ONLY, COOKED_2 = (
    0, 1, 9, 12, 14, 101, 105, 108, 113, 127, 228, 229, 276,
)  # fmt: skip
KNOWN = (
    NULL, ETHERNET, PPP_LINK, RAW_BSD, RAW_OPENBSD, RAW, WIFI, LOOP, COOKED, RADIOTAP, IPV4_ONLY, IPV6_ONLY, COOKED_2,
)  # fmt: skip
"""Link types that are decoded."""

_TAGS = (0x8100, 0x88A8, 0x9100)
_MAC_BYTES = 6
_NOTHING = -1


@inner
def link(
    data: Bytes, link_type: int, at: int, end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Decode the link layer of a frame.

    Returns:
        EtherType of what follows (-1 for nothing), its offset, the source MAC address (-1 for none), and bits of Has.
    """
    rows.i32[I32.ETH_TYPE, row] = 0
    if link_type == ETHERNET:
        return _ethernet(data, at, end, rows, row, carried)
    if link_type == COOKED:
        return _cooked(data, at, end, rows, row, carried, (16, 14, 4, 6))
    if link_type == COOKED_2:
        return _cooked(data, at, end, rows, row, carried, (20, 0, 10, 12))
    if link_type in (NULL, LOOP):
        if end - at < 5:
            note(carried, Reason.LOOPBACK_CUT, at)
            return _NOTHING, at, _NOTHING, 0
        return _by_version(data, at + 4), at + 4, _NOTHING, 0
    if link_type in (RAW, RAW_BSD, RAW_OPENBSD, IPV4_ONLY, IPV6_ONLY) and end > at:
        return _by_version(data, at), at, _NOTHING, 0
    if link_type in (WIFI, RADIOTAP):
        return _wireless(data, link_type, at, end, rows, row, carried)
    if link_type == PPP_LINK:
        return PPP, at, _NOTHING, 0
    note(carried, Reason.LINK, at)
    skip(carried, Unread.LINK, link_type)
    return _NOTHING, at, _NOTHING, 0


@inner
def _wireless(
    data: Bytes, link_type: int, at: int, end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int, int]:
    padded = False
    if link_type == RADIOTAP:
        at, padded = wireless.behind_radiotap(data, at, end, carried)
        if at < 0:
            return _NOTHING, at, _NOTHING, 0
    behind, source_at, target_at = wireless.header(data, at, end, padded, carried)
    if source_at < 0:
        return _NOTHING, at, _NOTHING, 0
    source = u48(data, source_at)
    rows.code[Code.ETH_DST, row] = carried.numbers[number(carried, Kind.MAC, 0, u48(data, target_at))].code
    rows.code[Code.ETH_SRC, row] = carried.numbers[number(carried, Kind.MAC, 0, source)].code
    return (LLC if behind >= 0 else _NOTHING), behind, source, Has.ETH | Has.ETH_DST


@inner
def _by_version(data: Bytes, at: int) -> int:
    """Return the EtherType of an IP packet without a link layer, by the version in its first half byte."""
    return IPV6 if u8(data, at) >> 4 == 6 else IPV4


@inner
def _ethernet(
    data: Bytes, at: int, end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int, int]:
    if end - at < 14:
        note(carried, Reason.ETHERNET_CUT, at)
        return _NOTHING, at, _NOTHING, 0
    source = u48(data, at + 6)
    rows.code[Code.ETH_DST, row] = carried.numbers[number(carried, Kind.MAC, 0, u48(data, at))].code
    rows.code[Code.ETH_SRC, row] = carried.numbers[number(carried, Kind.MAC, 0, source)].code
    kind = u16(data, at + 12)
    rows.i32[I32.ETH_TYPE, row] = kind
    kind, at, bits = _tags(data, kind, at + 14, end, rows, row, carried)
    return kind, at, source, bits | Has.ETH | Has.ETH_DST


@inner
def _tags(
    data: Bytes, kind: int, at: int, end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int]:
    """Step over VLAN tags and write the ids of the first two."""
    bits = 0
    while kind in _TAGS:
        if end - at < 4:
            note(carried, Reason.VLAN_CUT, at)
            return _NOTHING, at, bits
        if bits & Has.VLAN == 0:
            rows.i16[I16.VLAN_ID, row] = u16(data, at) & 0xFFF
            bits |= Has.VLAN
        elif bits & Has.VLAN_INNER == 0:
            rows.i16[I16.VLAN_INNER, row] = u16(data, at) & 0xFFF
            bits |= Has.VLAN_INNER
        kind = u16(data, at + 2)
        at += 4
    return kind, at, bits


@inner
def _cooked(
    data: Bytes, at: int, end: int, rows: Rows, row: int, carried: Carried, places: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """Decode a cooked header; ``places`` holds its length and the offsets of protocol, address length (its last byte) and address."""
    length, protocol, size, address = places
    if end - at < length:
        note(carried, Reason.COOKED_CUT, at)
        return _NOTHING, at, _NOTHING, 0
    source, bits = _NOTHING, 0
    if u16(data, at + size) & 0xFF == _MAC_BYTES:
        source, bits = u48(data, at + address), Has.ETH
        rows.code[Code.ETH_SRC, row] = carried.numbers[number(carried, Kind.MAC, 0, source)].code
    kind = u16(data, at + protocol)
    rows.i32[I32.ETH_TYPE, row] = kind
    kind, at, tags = _tags(data, kind, at + length, end, rows, row, carried)
    return kind, at, source, bits | tags
