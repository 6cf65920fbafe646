"""The dictionaries of a batch: each address and text is stored once, and rows hold its position.

They are emptied before each batch, so they never hold more than one batch names. Of the tables that find their entries, only the
first places are in use, at least twice as many as there are entries: a few addresses scattered over a large table would each take a
line of the processor's cache.
"""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import i64, u8
from coldaisle_analysis.decoding.layout import Kind
from coldaisle_analysis.decoding.state import Carried

_MIX_HIGH, _MIX_LOW, _MIX = 0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB
"""Odd multipliers that spread neighbouring addresses over a table."""
_WORD = 8
"""Bytes of a text that are hashed or compared at a time."""


@inner
def spread(high: int, low: int, more: int) -> int:
    """Return a hash of three numbers."""
    mixed = (high * _MIX_HIGH) ^ (low * _MIX_LOW) ^ (more * _MIX)
    mixed = (mixed ^ (mixed >> 31)) * _MIX
    return mixed ^ (mixed >> 29)


@inner
def number(carried: Carried, kind: int, high: int, low: int) -> int:
    """Return the entry of an address, new if need be.

    Args:
        carried: the state.
        kind: kind of the dictionary; for an IP address, 8 times its version is added.
        high: upper half of an IPv6 address, else 0.
        low: lower half of an IPv6 address, or the whole of a shorter one.
    """
    tally = carried.tally[0]
    mask = tally.number_mask
    slot = spread(high, low, kind) & mask
    while carried.number_slots[slot] >= 0:
        entry = carried.numbers[carried.number_slots[slot]]
        if entry.low == low and entry.high == high and entry.kind == kind:
            return int(carried.number_slots[slot])
        slot = (slot + 1) & mask
    at = tally.numbers
    tally.numbers = at + 1
    carried.number_slots[slot] = at
    entry = carried.numbers[at]
    entry.high, entry.low, entry.kind, entry.slot = high, low, kind, slot
    entry.code = tally.codes[kind & 7]
    tally.codes[kind & 7] += 1
    entry.mac = _first_mac(carried, high, low, kind) if (kind & 7) == Kind.IP else -1
    return int(at)


@inner
def make_room(carried: Carried, numbers: int) -> None:
    """See to it that so many more addresses leave half of the places in use free; there are four times as many then."""
    tally = carried.tally[0]
    if 2 * (tally.numbers + numbers) <= tally.number_mask:
        return
    for at in range(tally.numbers):
        carried.number_slots[carried.numbers[at].slot] = -1
    tally.number_mask = min(4 * tally.number_mask + 3, len(carried.number_slots) - 1)
    for at in range(tally.numbers):
        entry = carried.numbers[at]
        entry.slot = spread(entry.high, entry.low, entry.kind) & tally.number_mask
        while carried.number_slots[entry.slot] >= 0:
            entry.slot = (entry.slot + 1) & tally.number_mask
        carried.number_slots[entry.slot] = at


@inner
def _host_slot(carried: Carried, high: int, low: int, version: int) -> int:
    """Return the slot of an IP address whose first MAC address is remembered, or else the empty slot for it."""
    mask = len(carried.host_slots) - 1
    slot = spread(high, low, version) & mask
    while carried.host_slots[slot] >= 0:
        host = carried.hosts[carried.host_slots[slot]]
        if host.low == low and host.high == high and host.version == version:
            break
        slot = (slot + 1) & mask
    return slot


@inner
def _first_mac(carried: Carried, high: int, low: int, version: int) -> int:
    at = carried.host_slots[_host_slot(carried, high, low, version)]
    return int(carried.hosts[at].mac) if at >= 0 else -1


@inner
def claim(carried: Carried, at: int, mac: int) -> bool:
    """Note that a MAC address sends for an IP address, and tell whether another one did so first.

    Args:
        carried: the state.
        at: entry of the IP address.
        mac: the MAC address.
    """
    entry = carried.numbers[at]
    if entry.mac >= 0:
        return bool(entry.mac != mac)
    if entry.high == 0 and entry.low == 0:
        return False  # the unspecified address
    entry.mac = mac
    tally = carried.tally[0]
    if tally.hosts == len(carried.hosts):
        tally.forgotten_hosts += 1
        return False
    slot = _host_slot(carried, entry.high, entry.low, entry.kind)
    carried.host_slots[slot] = tally.hosts
    host = carried.hosts[tally.hosts]
    host.high, host.low, host.version, host.mac = entry.high, entry.low, entry.kind, mac
    tally.hosts += 1
    return False


@inner
def text(carried: Carried, data: Bytes, at: int, end: int, kind: int) -> int:
    """Return the position of a text in its dictionary, new if need be; 8 and more in ``kind`` tell forms of the same kind apart."""
    mixed, index = kind, at
    while index + _WORD <= end:
        mixed = (mixed ^ i64(data, index)) * _MIX
        mixed ^= mixed >> 32
        index += _WORD
    while index < end:
        mixed = (mixed ^ u8(data, index)) * _MIX
        index += 1
    mixed ^= mixed >> 29
    tally = carried.tally[0]
    mask = tally.text_mask
    slot = mixed & mask
    while carried.text_slots[slot] >= 0:
        entry = carried.texts[carried.text_slots[slot]]
        if (
            entry.hash == mixed
            and entry.kind == kind
            and _same(carried, entry.at, entry.length, data, at, end)
        ):
            return int(entry.code)
        slot = (slot + 1) & mask
    carried.text_slots[slot] = tally.texts
    entry = carried.texts[tally.texts]
    entry.hash, entry.kind, entry.slot, entry.at, entry.length = mixed, kind, slot, tally.text_bytes, end - at
    entry.code = tally.codes[kind & 7]
    for index in range(at, end):
        carried.text_data[tally.text_bytes + index - at] = data[index]
    tally.texts += 1
    tally.text_bytes += end - at
    tally.codes[kind & 7] += 1
    if 2 * tally.texts > mask:
        _spread_texts(carried)
    return int(entry.code)


@inner
def _spread_texts(carried: Carried) -> None:
    """Find the texts in four times as many places."""
    tally = carried.tally[0]
    for at in range(tally.texts):
        carried.text_slots[carried.texts[at].slot] = -1
    tally.text_mask = min(4 * tally.text_mask + 3, len(carried.text_slots) - 1)
    for at in range(tally.texts):
        entry = carried.texts[at]
        entry.slot = entry.hash & tally.text_mask
        while carried.text_slots[entry.slot] >= 0:
            entry.slot = (entry.slot + 1) & tally.text_mask
        carried.text_slots[entry.slot] = at


@inner
def _same(carried: Carried, stored_at: int, length: int, data: Bytes, at: int, end: int) -> bool:
    if length != end - at:
        return False
    index = 0
    while index + _WORD <= length:
        if i64(carried.text_data, stored_at + index) != i64(data, at + index):
            return False
        index += _WORD
    while index < length:
        if carried.text_data[stored_at + index] != data[at + index]:
            return False
        index += 1
    return True
