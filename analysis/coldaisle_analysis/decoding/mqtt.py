"""The fixed header of MQTT 3.1, 3.1.1 and 5, and the search for one in a stream (OASIS 2014 and 2019, chapter 2)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import properties
from coldaisle_analysis.decoding.fields import u8, u16, u32

(
    CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK,
    PINGREQ, PINGRESP, DISCONNECT, AUTH,
) = range(1, 16)  # fmt: skip
NAMES = (
    "reserved", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback",
    "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth",
)  # fmt: skip
"""Names of the control packets, by their number."""
V3_1, V3_1_1, V5 = 3, 4, 5
"""Protocol levels."""
BRIDGE = 128
"""What a bridge of Mosquitto adds to its protocol level, 3 or 4, to say that it is one (its option ``try_private``)."""
_LAST_REASON = 0xA2
_NAMES, _NAMED = (0x4D515454, 0x4D514973), 12
"""Four bytes of the protocol's names, MQTT and MQIsdp, and the fewest bytes of a CONNECT up to its flags."""
MORE, _LONGEST = 128, 5
"""The bit for "another byte of the length follows", and the length of the longest fixed header, in bytes."""


@inner
def size(data: Bytes, at: int, end: int) -> int:
    """Return the length of the control packet that starts here, in bytes; 0 while it is unknown, -1 when it is invalid (2.2.3)."""
    length = 0
    for index in range(1, _LONGEST):
        if at + index >= end:
            return 0
        byte = u8(data, at + index)
        length |= (byte & 127) << 7 * (index - 1)
        if byte < MORE:
            return length + index + 1
    return -1


@inner
def is_reserved(first: int, version: int) -> bool:
    """Tell whether the type in a first byte is reserved: type 0, and type 15 before version 5."""
    kind = first >> 4
    return kind == 0 or (kind == AUTH and version != V5)


@inner
def has_right_flags(first: int) -> bool:
    """Tell whether the flags in a first byte are those that its type must have (table 2.2 of version 3.1.1)."""
    kind, flags = first >> 4, first & 15
    if kind == PUBLISH:
        return flags & 6 != 6
    return flags == (2 if kind in (PUBREL, SUBSCRIBE, UNSUBSCRIBE) else 0)


@inner
def is_connect(data: Bytes, at: int, end: int) -> bool:
    """Tell whether bytes begin with a CONNECT, the protocol's name included."""
    if end - at < _NAMED or u8(data, at) != CONNECT << 4:
        return False
    body = at + (2 if u8(data, at + 1) < MORE else 3)
    return u16(data, body) in (4, 6) and u32(data, body + 2) in _NAMES


@inner
def is_start(data: Bytes, at: int, end: int, version: int) -> bool:
    """Tell whether bytes look like a sequence of control packets, where it is not known that one starts here.

    Every fixed header must be valid, every length must fit its type, and only the last packet may continue in the next segment.
    """
    while at < end:
        first = u8(data, at)
        if is_reserved(first, version) or not has_right_flags(first):
            return False
        total = size(data, at, end)
        if total < 0:
            return False
        if total == 0:
            return True
        if not _has_fit_length(data, at, end, total, version):
            return False
        at += total
    return True


@inner
def _has_fit_length(data: Bytes, at: int, end: int, total: int, version: int) -> bool:
    kind, body = u8(data, at) >> 4, at + 2
    while u8(data, body - 1) >= MORE:
        body += 1
    length = at + total - body
    if kind == PUBLISH:
        return length >= 3 and (body + 2 > end or 1 <= u16(data, body) <= length - 2)
    if kind == CONNECT:
        return length >= 10 and (body + 2 > end or u16(data, body) in (4, 6))
    if kind in (PINGREQ, PINGRESP):
        return length == 0
    if kind in (DISCONNECT, AUTH):
        if length == 0 or version == V5:
            return True
    elif length == 2 or (length > 2 and (version == V5 or kind in (SUBACK, SUBSCRIBE, UNSUBSCRIBE))):
        return True
    return version == 0 and at + total <= end and is_reasoned(data, kind, body, at + total)


@inner
def is_reasoned(data: Bytes, kind: int, at: int, end: int) -> bool:
    """Tell whether a packet, stored whole, that answers or ends something is one of version 5 for sure: it has a reason or properties.

    Args:
        data: the array that holds it.
        kind: its type.
        at: offset behind its fixed header.
        end: offset behind its last byte.
    """
    if kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        at += 2
    elif kind == CONNACK:
        at += 1
    elif kind == UNSUBACK:
        return end - at > 2 and properties.extent(data, at + 2, end)[1] >= 0
    elif kind != DISCONNECT:
        return False
    if at >= end or not _is_reason(u8(data, at)):
        return False
    if at + 1 == end:
        return kind != CONNACK
    return properties.extent(data, at + 1, end)[1] == end


@inner
def _is_reason(code: int) -> bool:
    """Tell whether version 5 has such a reason code (table 2-6)."""
    return code in (0, 4, 0x10, 0x18, 0x19) or 0x80 <= code <= _LAST_REASON
