"""Data frames of IEEE 802.11 (9.2 and 9.3.2 of the 2020 edition), with or without a radiotap header (radiotap.org)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import u8
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.unread import Unread, Wifi, skip

CUT = -1
_DATA = 2
_WITHOUT_DATA, _WITH_QOS = 4, 8
"""Bits of the subtype of a data frame."""
_TO_SYSTEM, _FROM_SYSTEM, _PROTECTED, _ORDER = 1, 2, 0x40, 0x80
"""Flags: towards and from the distribution system, encrypted, and with a field for high throughput."""
_AGGREGATE = 0x80
_TIME, _FLAGS, _EXTENDED, _PADDED = 1, 2, 0x80, 0x20
"""Bits of radiotap: a time and flags are present, another word of such bits follows, and the header of 802.11 is padded."""


@inner
def behind_radiotap(data: Bytes, at: int, end: int, carried: Carried) -> tuple[int, bool]:
    """Return the offset behind a radiotap header (:data:`CUT` where it is not whole), and whether the next header is padded."""
    if end - at < 8 or at + (u8(data, at + 3) << 8 | u8(data, at + 2)) > end:
        note(carried, Reason.WIFI_CUT, at)
        return CUT, False
    behind = at + (u8(data, at + 3) << 8 | u8(data, at + 2))
    present, field = u8(data, at + 4), at + 8
    while field + 4 <= behind and u8(data, field - 1) & _EXTENDED:
        field += 4
    if present & _TIME:
        field = at + (field - at + 7) // 8 * 8 + 8
    return behind, bool(present & _FLAGS) and field < behind and bool(u8(data, field) & _PADDED)


@inner
def header(data: Bytes, at: int, end: int, padded: bool, carried: Carried) -> tuple[int, int, int]:
    """Read the header of a data frame.

    Returns:
        Offsets of what follows (an LLC header), of the source and of the target address; :data:`CUT` where there is none. What is
        not read is counted.
    """
    if end - at < 2:
        note(carried, Reason.WIFI_CUT, at)
        return CUT, CUT, CUT
    first, flags = u8(data, at), u8(data, at + 1)
    kind, subtype = first >> 2 & 3, first >> 4
    if kind != _DATA:
        skip(carried, Unread.WIFI, kind)
        return CUT, CUT, CUT
    both = flags & _TO_SYSTEM and flags & _FROM_SYSTEM
    has_qos = subtype & _WITH_QOS
    qos = at + (30 if both else 24)
    behind = qos + (2 if has_qos else 0) + (4 if has_qos and flags & _ORDER else 0)
    if padded:
        behind = at + (behind - at + 3) // 4 * 4
    if end < behind:
        note(carried, Reason.WIFI_CUT, at)
        return CUT, CUT, CUT
    source = at + (24 if both else 16 if flags & _FROM_SYSTEM else 10)
    target = at + (16 if flags & _TO_SYSTEM else 4)
    if subtype & _WITHOUT_DATA:
        return CUT, source, target
    reason = -1
    if flags & _PROTECTED:
        reason = Wifi.ENCRYPTED
    elif u8(data, at + 22) & 15:
        reason = Wifi.FRAGMENT
    elif has_qos and u8(data, qos) & _AGGREGATE:
        reason = Wifi.AGGREGATE
    if reason >= 0:
        skip(carried, Unread.WIFI, reason)
        return CUT, source, target
    return behind, source, target
