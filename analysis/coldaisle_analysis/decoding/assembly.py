"""From the bytes of a stream to whole control packets: an incomplete one is kept until its last byte comes."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding import mqtt
from coldaisle_analysis.decoding.fields import u8
from coldaisle_analysis.decoding.pool import SCRATCH, fetch, release, take
from coldaisle_analysis.decoding.reasons import Reason, note
from coldaisle_analysis.decoding.state import CHUNK, LONGEST, Carried

_NONE = -1


@inner
def lose(carried: Carried, side_at: int) -> None:
    """Drop the incomplete message, if there is one; the start of the next one has to be found."""
    clear(carried, side_at)
    carried.sides[side_at].lost = carried.sides[side_at].unsure = 1


@inner
def clear(carried: Carried, side_at: int) -> None:
    """Drop the incomplete message of a direction."""
    side = carried.sides[side_at]
    release(carried, side.head)
    side.head = side.tail = _NONE
    side.received = side.need = side.stored = 0


@inner
def absorb(
    data: Bytes, at: int, end: int, whole: int, place: int, side_at: int, carried: Carried
) -> tuple[int, int, int, int]:
    """Read a stream up to the end of the next control packet.

    Args:
        data: the array.
        at: where to read.
        end: end of the bytes that were captured.
        whole: end of the segment's bytes; those from ``end`` on were not captured. They are counted, as far as a control packet reaches.
        place: place of the flow.
        side_at: the direction.
        carried: the state.

    Returns:
        Offset where reading continues; offset of a whole control packet (-1 for none); its stored bytes; its full length, in bytes.
    """
    side, version = carried.sides[side_at], int(carried.flows[place].version)
    if at >= end and side.need == 0:  # a fixed header that was not captured
        lose(carried, side_at)
        return whole, _NONE, 0, 0
    if side.lost:
        if not mqtt.is_start(data, at, end, version):
            note(carried, Reason.MQTT_START, at)
            side.unsure = 1
            return whole, _NONE, 0, 0
        side.lost = 0
    if side.received == 0:
        total = mqtt.size(data, at, end)
        if 0 < total <= whole - at and not mqtt.is_reserved(u8(data, at), version):
            return at + total, at, min(total, end - at), total
        part = (whole if total else end) - at
    elif side.need == 0:
        part = 1  # the fixed header is not yet whole
    else:
        part = min(whole - at, side.need - side.received)
    if not _append(data, at, at + part, end, side_at, carried):
        lose(carried, side_at)
        return whole, _NONE, 0, 0
    if side.need == 0 and _misfits(data, at, version, side_at, carried):
        return whole, _NONE, 0, 0
    at += part
    if side.need == 0 or side.received < side.need:
        return at, _NONE, 0, 0
    stored, total = int(side.stored), int(side.need)
    fetch(carried, data, side.head, stored, SCRATCH)
    carried.tally[0].cut_messages += LONGEST == stored < total
    clear(carried, side_at)
    return at, SCRATCH, stored, total


@inner
def _misfits(data: Bytes, at: int, version: int, side_at: int, carried: Carried) -> bool:
    """Read the length of the incomplete message once its fixed header is whole; tell whether it is no control packet."""
    side = carried.sides[side_at]
    head = side.head * CHUNK
    side.need = mqtt.size(data, head, head + min(side.stored, CHUNK))
    if side.need >= 0 and not mqtt.is_reserved(u8(data, head), version):
        return False
    note(carried, Reason.MQTT_LENGTH if side.need < 0 else Reason.MQTT_TYPE, at)
    lose(carried, side_at)
    return True


@inner
def _append(data: Bytes, at: int, end: int, captured: int, side_at: int, carried: Carried) -> bool:
    """Add bytes to the incomplete message; return False when the pool is full.

    Those beyond its bound, those from ``captured`` on, and those behind bytes that are not stored are only counted.
    """
    side = carried.sides[side_at]
    last = min(end, captured) if side.stored == side.received else at
    side.received += end - at
    while at < last and side.stored < LONGEST:
        used = side.stored % CHUNK
        if used == 0:
            chunk = take(carried)
            if chunk < 0:
                carried.tally[0].overflows += 1
                return False
            if side.head < 0:
                side.head = chunk
            else:
                carried.chunk_next[side.tail] = chunk
            side.tail = chunk
        part = min(CHUNK - used, last - at)
        to = side.tail * CHUNK + used
        for index in range(part):
            data[to + index] = data[at + index]
        side.stored += part
        at += part
    return True
