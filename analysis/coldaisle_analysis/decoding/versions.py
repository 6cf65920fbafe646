"""The version of MQTT of a connection whose CONNECT is not in the capture, as far as its control packets show it.

MQTT 5 puts properties and reason codes where 3.1.1 has none, so most packets can be read in one of the two ways only.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import mqtt, properties, utf8
from coldaisle_analysis.decoding.fields import u8, u16
from coldaisle_analysis.decoding.state import Carried

OPEN, COUNTED, OLDER = 0, 1, 2
"""What is known of a flow without a version: nothing yet; nothing, and that is counted; that it is not 5."""
_SPACE, _DELETE, _ASCII, _BLANKS = 0x20, 0x7F, 0x80, (0x09, 0x0A, 0x0D)
_EITHER = 0


@inner
def settle(data: Bytes, first: int, at: int, end: int, place: int, carried: Carried) -> None:
    """Set the version of a flow to 5 if this control packet shows it, and count the flow while nothing does.

    Args:
        data: the array that holds the packet.
        first: its first byte.
        at: offset behind its fixed header.
        end: offset behind its last byte.
        place: place of the flow.
        carried: the state.
    """
    flow, kind = carried.flows[place], first >> 4
    if flow.settled == OLDER or kind == mqtt.CONNECT:
        return
    shown = _EITHER
    if kind == mqtt.PUBLISH:
        shown = _of_publish(data, first, at, end)
    elif kind in (mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE):
        shown = _of_filters(data, kind, at, end)
    elif mqtt.is_reasoned(data, kind, at, end):
        shown = mqtt.V5
    if shown == mqtt.V5:
        flow.version = shown
    elif shown != _EITHER:
        carried.tally[0].unversioned -= flow.settled == COUNTED
        flow.settled = OLDER
    elif flow.settled == OPEN and kind == mqtt.PUBLISH:
        carried.tally[0].unversioned += 1
        flow.settled = COUNTED


@inner
def _of_publish(data: Bytes, first: int, at: int, end: int) -> int:
    """Return the version that a PUBLISH shows: 5, 3 for any other, or 0.

    In version 5, properties stand before the payload, or their length alone, 0. A text behind such a 0 is a sign of version 5.
    """
    if at + 2 > end:
        return _EITHER
    behind = at + 2 + u16(data, at) + (2 if first >> 1 & 3 else 0)
    start, stop = properties.extent(data, behind, end)
    if stop < 0 or properties.find(data, start, stop, properties.TOPIC_ALIAS) == properties.WRONG:
        return mqtt.V3_1
    if stop > start:
        return mqtt.V5
    if end - stop < 2:
        return _EITHER
    return mqtt.V5 if _is_text(data, stop, end) else _EITHER


@inner
def _is_text(data: Bytes, at: int, end: int) -> bool:
    """Tell whether bytes are UTF-8 without control characters, but for those between words and lines."""
    while at < end:
        byte = u8(data, at)
        if byte >= _ASCII:
            size = utf8.sequence(data, at, end)
            if size < 0:
                return False
            at += size
        elif byte in _BLANKS or _SPACE <= byte < _DELETE:
            at += 1
        else:
            return False
    return True


@inner
def _of_filters(data: Bytes, kind: int, at: int, end: int) -> int:
    """Return the version that a SUBSCRIBE or UNSUBSCRIBE shows: the filters end where the packet ends in one way of reading alone."""
    start = at + 2
    if _are_filters(data, kind, start, end):
        return mqtt.V3_1
    _, stop = properties.extent(data, start, end)
    return mqtt.V5 if stop >= 0 and _are_filters(data, kind, stop, end) else _EITHER


@inner
def _are_filters(data: Bytes, kind: int, at: int, end: int) -> bool:
    if at >= end:
        return False
    while at < end:
        if at + 2 > end or u16(data, at) == 0:
            return False
        at += 2 + u16(data, at) + (kind == mqtt.SUBSCRIBE)
    return at == end
