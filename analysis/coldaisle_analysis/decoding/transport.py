"""Headers of TCP (RFC 9293, timestamps 7323), UDP (768) and NTP (5905)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.arrays import Rows
from coldaisle_analysis.decoding.fields import u8, u16, u32
from coldaisle_analysis.decoding.layout import I8, I16, I32, I64, Has, Protocol
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried

NTP_PORT = 123
_CONTROL, _SHORTEST_NTP = 6, 8
"""The first of NTP's modes for control, and the fewest bytes of a packet of one: the header of mode 7."""
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_TIMESTAMP_FIRST = 0x0101_080A
"""Two NOPs and the timestamp option with its length, as Linux writes them."""
_END, _NOP, _TIMESTAMP = 0, 1, 8
"""Kinds of TCP options."""


@inner
def tcp(
    data: Bytes, at: int, end: int, packet_end: int, rows: Rows, row: int, carried: Carried
) -> tuple[int, int, int]:
    """Decode a TCP header.

    Args:
        data: the block.
        at: start of the header.
        end: end of the captured bytes of the frame.
        packet_end: end of the IP packet on the wire.
        rows: the columns.
        row: position of the frame.
        carried: the state.

    Returns:
        Offset of the payload, its length on the wire in bytes, and bits of Has, 0 when the header is not whole.
    """
    if end - at < 20:
        note(carried, Reason.TCP_CUT, at)
        return at, 0, 0
    flags, header = u16(data, at + 12) & 0xFFF, (u8(data, at + 12) >> 4) * 4
    length = packet_end - at - header
    if header < 20 or length < 0:
        note(carried, Reason.TCP_HEADER, at + 12)
        length = 0
    rows.i8[I8.PROTOCOL, row] = Protocol.TCP
    rows.i32[I32.TCP_SRCPORT, row] = u16(data, at)
    rows.i32[I32.TCP_DSTPORT, row] = u16(data, at + 2)
    rows.i64[I64.TCP_SEQ, row] = u32(data, at + 4)
    rows.i64[I64.TCP_ACK, row] = u32(data, at + 8)
    rows.i32[I32.TCP_FLAGS, row] = flags
    rows.i8[I8.TCP_FIN, row] = flags & 1
    rows.i8[I8.TCP_SYN, row] = flags >> 1 & 1
    rows.i8[I8.TCP_RST, row] = flags >> 2 & 1
    rows.i8[I8.TCP_PSH, row] = flags >> 3 & 1
    rows.i8[I8.TCP_ACK_FLAG, row] = flags >> 4 & 1
    rows.i8[I8.TCP_URG, row] = flags >> 5 & 1
    rows.i16[I16.TCP_HDR_LEN, row] = header
    rows.i32[I32.TCP_LEN, row] = length
    rows.i32[I32.TCP_WINDOW, row] = u16(data, at + 14)
    stamp = _timestamp(data, at + 20, min(at + header, end, packet_end), carried)
    if stamp < 0:
        return at + header, length, Has.TCP
    rows.i64[I64.TCP_TSVAL, row] = u32(data, stamp)
    rows.i64[I64.TCP_TSECR, row] = u32(data, stamp + 4)
    return at + header, length, Has.TCP | Has.STAMP


@inner
def _timestamp(data: Bytes, at: int, end: int, carried: Carried) -> int:
    """Return the offset of the timestamp's value among the options in [at, end), -1 if there is none."""
    if end - at >= 12 and u32(data, at) == _TIMESTAMP_FIRST:
        return at + 4
    value_at = -1
    while at < end and u8(data, at) != _END:
        if u8(data, at) == _NOP:
            at += 1
            continue
        size = u8(data, at + 1) if at + 1 < end else 0
        if size < 2 or at + size > end:
            note(carried, Reason.TCP_OPTIONS, at)
            break
        if u8(data, at) == _TIMESTAMP and size == 10 and value_at < 0:
            value_at = at + 2
        at += size
    return value_at


@inner
def udp(data: Bytes, at: int, end: int, packet_end: int, rows: Rows, row: int, carried: Carried) -> int:
    """Decode a UDP header, and the NTP packet behind it on port 123, and return bits of Has; see :func:`tcp`."""
    if end - at < 8:
        note(carried, Reason.UDP_CUT, at)
        return 0
    source, target, length = u16(data, at), u16(data, at + 2), u16(data, at + 4)
    rows.i8[I8.PROTOCOL, row] = Protocol.UDP
    rows.i32[I32.UDP_SRCPORT, row] = source
    rows.i32[I32.UDP_DSTPORT, row] = target
    rows.i32[I32.UDP_LEN, row] = length
    if length < 8 or (at + length > packet_end and not rows.i8[I8.IP_MF, row]):
        note(carried, Reason.UDP_LENGTH, at + 4)
    if NTP_PORT not in (source, target):
        return Has.UDP
    return Has.UDP | _ntp(data, at + 8, min(end, packet_end), rows, row)


@inner
def _ntp(data: Bytes, at: int, end: int, rows: Rows, row: int) -> int:
    """Decode an NTP packet and return bits of Has; modes 6 and 7 have a shorter header without a stratum (RFC 9327, 2)."""
    if end - at < _SHORTEST_NTP:
        return 0
    mode = u8(data, at) & 7
    if mode < _CONTROL and end - at < 48:
        return 0
    rows.i8[I8.PROTOCOL, row] = Protocol.NTP
    rows.i8[I8.NTP_MODE, row] = mode
    if mode >= _CONTROL:
        return Has.NTP
    rows.i16[I16.NTP_STRATUM, row] = u8(data, at + 1)
    return Has.NTP | Has.STRATUM
