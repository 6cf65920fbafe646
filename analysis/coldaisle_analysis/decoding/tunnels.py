"""What stands between a link layer and a network layer (LLC, PPPoE, PPP, MPLS), and tunnels in IP (GRE, VXLAN, Geneve, GTP-U, IP in IP).

References: IEEE 802.2 and RFC 1042 (LLC and SNAP), 2516 (PPPoE), 1661 and 1662 (PPP), 3032 and 4448 (MPLS), 2784, 2890 and 2637
(GRE), 7348 (VXLAN), 8926 (Geneve), draft-foschiano-erspan (mirrored traffic in GRE), 3GPP TS 29.281 (GTP-U), 2003 and 4213 (IP in IP).
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import u8, u16, u32
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.unread import Unread, skip

IPV4, IPV6, ARP, BRIDGED = 0x0800, 0x86DD, 0x0806, 0x6558
"""EtherTypes that are read; that of a whole Ethernet frame is the last."""
NOTHING, LLC, PPP = -1, 1, 0x880B
"""Instead of an EtherType: nothing that is read; and what follows is an LLC or PPP header."""
DEEPEST = 8
"""The most headers of this module in a row that are read."""
_LONGEST = 1500
"""The greatest number in the place of an EtherType that is a length."""
_PPPOE, _MPLS = 0x8864, (0x8847, 0x8848)
_SNAP, _SNAP_IP, _IP_POINT = 0xAAAA, (0, 0xF8), 0x06
_PPP_PROTOCOLS = (0x21, 0x57, 0x281)
_PLAUSIBLE = (IPV4, IPV6, ARP, 0x8100)
_IN_IP, _IPV6_IN_IP, _UDP, _GRE = 4, 41, 17, 47
_VXLAN, _GENEVE, _GTP = (4789, 8472), 6081, 2152
"""UDP ports; Linux used 8472 for VXLAN before 4789 was assigned."""
_GTP_1, _GTP_PACKET = 3, 255
"""Version of GTP-U with its kind of protocol, and the type of a message that holds a packet."""
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGED = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
_ERSPAN, _ERSPAN_3 = 0x88BE, 0x22EB


@inner
def unwrap(data: Bytes, kind: int, at: int, end: int, carried: Carried) -> tuple[int, int]:
    """Step over headers up to a network layer or an Ethernet frame; return its EtherType (:data:`NOTHING` for another) and offset."""
    for _ in range(DEEPEST):
        if kind in (IPV4, IPV6, ARP, BRIDGED, NOTHING):
            return kind, at
        if kind <= _LONGEST:
            kind, at = _behind_llc(data, at, end, carried)
        elif kind == _PPPOE:
            if end - at < 6:
                break
            kind, at = _behind_ppp(data, at + 6, end, carried)
        elif kind == PPP:
            kind, at = _behind_ppp(data, at, end, carried)
        elif kind in _MPLS:
            kind, at = _behind_labels(data, at, end, carried)
        else:
            skip(carried, Unread.ETHERTYPE, kind)
            return NOTHING, at
    note(carried, Reason.INNER_CUT, at)
    return NOTHING, at


@inner
def _cut(carried: Carried, at: int) -> tuple[int, int]:
    note(carried, Reason.INNER_CUT, at)
    return NOTHING, at


@inner
def _behind_llc(data: Bytes, at: int, end: int, carried: Carried) -> tuple[int, int]:
    if end - at < 3:
        return _cut(carried, at)
    if u16(data, at) != _SNAP:
        if u8(data, at) == _IP_POINT:
            return IPV4, at + 3
        skip(carried, Unread.LLC, u8(data, at))
        return NOTHING, at
    if end - at < 8:
        return _cut(carried, at)
    organisation, kind = u32(data, at + 2) & 0xFFFFFF, u16(data, at + 6)
    if organisation in _SNAP_IP and kind > _LONGEST:
        return kind, at + 8
    skip(carried, Unread.SNAP, organisation << 16 | kind)
    return NOTHING, at


@inner
def _behind_ppp(data: Bytes, at: int, end: int, carried: Carried) -> tuple[int, int]:
    if end - at >= 2 and u16(data, at) == 0xFF03:
        at += 2
    if end - at < 2:
        return _cut(carried, at)
    size = 1 if u8(data, at) & 1 else 2
    protocol = u8(data, at) if size == 1 else u16(data, at)
    if protocol not in _PPP_PROTOCOLS:
        skip(carried, Unread.PPP, protocol)
        return NOTHING, at
    return (IPV4 if protocol == 0x21 else IPV6 if protocol == 0x57 else _MPLS[0]), at + size


@inner
def _behind_labels(data: Bytes, at: int, end: int, carried: Carried) -> tuple[int, int]:
    """Step over a stack of MPLS labels. What is below them is no number's say: IP, or a frame with or without a control word."""
    while end - at >= 4 and not u8(data, at + 2) & 1:
        at += 4
    at += 4
    if end - at < 1:
        return _cut(carried, end)
    half = u8(data, at) >> 4
    if half in (4, 6):
        return (IPV4 if half == 4 else IPV6), at
    for word in (4, 0):
        if end - at >= word + 14 and u16(data, at + word + 12) in _PLAUSIBLE:
            return BRIDGED, at + word
    skip(carried, Unread.MPLS, half)
    return NOTHING, at


@inner
def enter(data: Bytes, proto: int, at: int, end: int, carried: Carried) -> tuple[int, int, int]:
    """Look into a tunnel.

    Args:
        data: the block.
        proto: protocol in the IP header.
        at: offset behind the IP header.
        end: end of the captured bytes of the packet.
        carried: the state.

    Returns:
        What :func:`unwrap` takes: EtherType (:data:`NOTHING` where this is no tunnel) and offset; and the number of the network.
    """
    if proto == _IN_IP:
        return IPV4, at, 0
    if proto == _IPV6_IN_IP:
        return IPV6, at, 0
    if proto == _GRE:
        return _generic(data, at, end, carried)
    if proto != _UDP or end - at < 16:
        return NOTHING, at, 0
    port = u16(data, at + 2)
    if port in _VXLAN and u8(data, at + 8) & 0xF7 == 0 and u8(data, at + 8) & 8 and u8(data, at + 15) == 0:
        return BRIDGED, at + 16, u32(data, at + 12) >> 8
    if port == _GENEVE and u8(data, at + 8) >> 6 == 0:
        behind = at + 16 + 4 * (u8(data, at + 8) & 63)
        if behind < end:
            return u16(data, at + 10), behind, u32(data, at + 12) >> 8
    if port == _GTP and u8(data, at + 8) >> 4 == _GTP_1 and u8(data, at + 9) == _GTP_PACKET:
        return _behind_gtp(data, at + 8, end)
    return NOTHING, at, 0


@inner
def _behind_gtp(data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """Step over a GTP-U header and its extensions to the IP packet behind them."""
    flags, behind = u8(data, at), at + 8
    if flags & 7:
        behind += 4
        while flags & 4 and behind < end and u8(data, behind - 1) and u8(data, behind):
            behind += 4 * u8(data, behind)
    if behind >= end or u8(data, behind) >> 4 not in (4, 6):
        return NOTHING, at, 0
    return (IPV4 if u8(data, behind) >> 4 == 4 else IPV6), behind, 0


@inner
def _generic(data: Bytes, at: int, end: int, carried: Carried) -> tuple[int, int, int]:
    """Step over a GRE header of version 0, or of version 1, in which PPTP carries PPP."""
    if end - at < 4:
        note(carried, Reason.TUNNEL_CUT, at)
        return NOTHING, at, 0
    flags, kind = u16(data, at), u16(data, at + 2)
    behind, number = at + 4, 0
    if flags & 7 or flags & _CHECKSUM:
        behind += 4
    if flags & _KEY and not flags & 7:
        if (
            kind == BRIDGED and behind + 4 <= end
        ):  # of an IP tunnel, both directions may have a key of their own
            number = u32(data, behind)
        behind += 4
    behind += (4 if flags & _SEQUENCE else 0) + (4 if flags & 7 and flags & _ACKNOWLEDGED else 0)
    if kind == _ERSPAN:
        behind, kind = behind + (8 if flags & _SEQUENCE else 0), BRIDGED
    elif kind == _ERSPAN_3:
        behind, kind = behind + (20 if behind + 12 <= end and u8(data, behind + 11) & 1 else 12), BRIDGED
    if flags & _ROUTING or flags & 7 > 1 or (flags & 7 == 1 and kind != PPP):
        skip(carried, Unread.TUNNEL, kind)
        return NOTHING, at, 0
    if kind not in (IPV4, IPV6, BRIDGED, PPP) and kind not in _MPLS:
        skip(carried, Unread.TUNNEL, kind)
        return NOTHING, at, 0
    return kind, behind, number
