"""Scans that find the frames in the bytes of a pcap (draft-ietf-opsawg-pcap) or pcapng (draft-ietf-opsawg-pcapng) file."""

from functools import cache
from typing import Protocol

import numpy as np

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import entry, inner
from coldaisle_analysis.decoding import arrays
from coldaisle_analysis.decoding.arrays import NO_TIME, Index, Int64s
from coldaisle_analysis.decoding.fields import u8
from coldaisle_contracts.clock import SECOND

LARGEST = 1 << 18
"""Length of the longest frame, in bytes: the limit of tcpdump and Wireshark."""
DONE, TOO_LONG, BROKEN, SPECIAL = 0, 1, 2, 3
"""Why a scan ended: end of data or room; a frame that is too long; a malformed block; a block that Python has to read."""
SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
"""Types of pcapng blocks."""
_LINK, _SHIFT, _FACTOR, _DIVISOR, _ADDED, _SNAP = range(6)
"""Columns of the table of interfaces: link type, bits of a binary fraction (-1 for a decimal one), ns per unit of
time, units per ns where the resolution is finer, ns to add, length of the longest captured frame (0 for any)."""
_HALF = 1 << 31


class Scan(Protocol):
    """The compiled scan that :func:`load` returns for either format."""

    def __call__(
        self, data: Bytes, at: int, end: int, big: bool, interfaces: Int64s, index: Index
    ) -> tuple[int, int, int]:
        """Find frames.

        Args:
            data: the array.
            at: offset of a record.
            end: offset behind the bytes read so far.
            big: whether numbers are big-endian.
            interfaces: one row per interface.
            index: room for the positions of the frames.

        Returns:
            The number of frames found, the offset of the next record, and why the scan ended.
        """


@cache
def load(scan: str) -> Scan:
    """Return the compiled scan of ``pcap`` or ``pcapng``."""
    example = (np.empty(1, np.uint8), 0, 0, False, np.empty((1, 6), np.int64), arrays.new_index(1))
    return entry(SCANS[scan], 3, *example)


@inner
def number(data: Bytes, at: int, big: bool) -> int:
    """Return a 32-bit number of either byte order."""
    if big:
        return u8(data, at) << 24 | u8(data, at + 1) << 16 | u8(data, at + 2) << 8 | u8(data, at + 3)
    return u8(data, at + 3) << 24 | u8(data, at + 2) << 16 | u8(data, at + 1) << 8 | u8(data, at)


def _pcap(
    data: Bytes, at: int, end: int, big: bool, interfaces: Int64s, index: Index
) -> tuple[int, int, int]:
    count = 0
    link, factor = interfaces[0, _LINK], interfaces[0, _FACTOR]
    while count < len(index.time_ns) and at + 16 <= end:
        captured = number(data, at + 8, big)
        if captured > LARGEST:
            return count, at, TOO_LONG
        if at + 16 + captured > end:
            break
        index.start[count] = at + 16
        index.length[count] = captured
        index.wire[count] = _bounded(number(data, at + 12, big))
        index.time_ns[count] = number(data, at, big) * SECOND + number(data, at + 4, big) * factor
        index.link[count] = link
        index.record[count] = at
        count += 1
        at += 16 + captured
    return count, at, DONE


@inner
def _bounded(length: int) -> int:
    """Return a length on the wire, limited to 31 bits."""
    return min(length, 0x7FFFFFFF)


def _pcapng(
    data: Bytes, at: int, end: int, big: bool, interfaces: Int64s, index: Index
) -> tuple[int, int, int]:
    count = 0
    while count < len(index.time_ns) and at + 12 <= end:
        kind, size = number(data, at, big), number(data, at + 4, big)
        if kind in (SECTION, INTERFACE):
            return count, at, SPECIAL
        if size < 12 or size % 4:
            return count, at, BROKEN
        if kind not in (ENHANCED, SIMPLE, OLD_PACKET):
            if at + size > end:
                return count, at, SPECIAL  # perhaps too long for the room: Python steps over it
            at += size
            continue
        if size > LARGEST + 4096:
            return count, at, TOO_LONG
        if at + size > end:
            break
        if not _packet(data, at, kind, size, big, interfaces, index, count):
            return count, at, BROKEN
        count += 1
        at += size
    return count, at, DONE


@inner
def _packet(
    data: Bytes, at: int, kind: int, size: int, big: bool, interfaces: Int64s, index: Index, count: int
) -> bool:
    """Write the position of a packet block's frame; return False when the block is malformed."""
    if len(interfaces) == 0 or size < 16:
        return False
    if kind == SIMPLE:
        interface, ticks, start, wire = 0, 0, at + 12, number(data, at + 8, big)
        captured = min(wire, size - 16)
        if interfaces[0, _SNAP]:
            captured = min(captured, interfaces[0, _SNAP])
    else:
        if size < 32:
            return False
        interface = number(data, at + 8, big)
        if kind == OLD_PACKET:
            interface = (interface >> 16 if big else interface) & 0xFFFF
        ticks = number(data, at + 12, big) << 32 | number(data, at + 16, big)
        start, captured, wire = at + 28, number(data, at + 20, big), number(data, at + 24, big)
    if (
        interface >= len(interfaces)
        or interfaces[interface, _FACTOR] == 0
        or start + captured + 4 > at + size
    ):
        return False
    index.start[count] = start
    index.length[count] = captured
    index.wire[count] = _bounded(wire)
    index.time_ns[count] = NO_TIME if kind == SIMPLE else _nanoseconds(ticks, interfaces, interface)
    index.link[count] = interfaces[interface, _LINK]
    index.record[count] = at
    return True


@inner
def _nanoseconds(ticks: int, interfaces: Int64s, interface: int) -> int:
    """Return a time in ns, whatever the resolution of its interface."""
    shift, added = int(interfaces[interface, _SHIFT]), int(interfaces[interface, _ADDED])
    if shift < 0:
        factor, divisor = int(interfaces[interface, _FACTOR]), int(interfaces[interface, _DIVISOR])
        return ticks // divisor * factor + added
    whole, part = ticks >> shift, ticks & ((1 << shift) - 1)
    if shift > 32:
        part, shift = part >> (shift - 32), 32
    return whole * SECOND + (part * SECOND >> shift) + added


SCANS = {"pcap": _pcap, "pcapng": _pcapng}
"""The scans, by format."""
