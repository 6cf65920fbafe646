"""Reader of capture files in blocks of fixed size: pcap and pcapng, of either byte order and any resolution of time."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.decoding import arrays, outlook, records
from coldaisle_analysis.decoding.arrays import Index
from coldaisle_analysis.decoding.links import ETHERNET, KNOWN
from coldaisle_analysis.decoding.pool import BLOCK
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import opened

FRAMES = 1 << 17
"""The most frames in a block."""
BYTES = 1 << 25
"""The most bytes in a block."""
_PAD = 64
"""Spare bytes behind the block, so that a header may be read before its length is checked."""
_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""Byte order and unit of the fraction of a second, in ns, by the magic number of a pcap file."""
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER = 0x1A2B3C4D
_RESOLUTION, _OFFSET = 9, 14
"""Options of a pcapng interface: resolution of its times, and an offset to add to them, in s."""
_LEAST_INTERFACE = 20
"""Bytes of an interface block without options."""
_FARTHEST = (1 << 63) // SECOND // 2
"""The largest offset of an interface, in s: the sum with the time itself fits into 64 bits of ns."""
_FINEST = 62
"""The most bits in the fraction of a second: more would leave no room for the seconds."""
_OTHER = {
    b"\x1f\x8b": "is compressed: unpack it with gunzip",
    b"\x28\xb5": "is compressed: unpack it with zstd -d",
    b"\x04\x22": "is compressed: unpack it with lz4 -d",
}


@dataclass
class Room:
    """The arrays that blocks are read into, made once.

    Attributes:
        data: pool and scratch room, then the block, see :mod:`pool`.
        index: positions of its frames.
        horizon: what is behind its frames, see :mod:`outlook`.
        left: how many of its last frames were left, to come again at the front of the next block.
    """

    data: Bytes
    index: Index
    horizon: int = outlook.OPEN
    left: int = 0


def new_room(frames: int = FRAMES, size: int = BYTES) -> Room:
    """Return room for blocks of ``frames`` frames, those to look at behind them, and ``size`` bytes, at least for the longest frame."""
    size = max(size, 2 * records.LARGEST)
    return Room(
        arrays.room(BLOCK + size + _PAD, np.dtype(np.uint8)), arrays.new_index(frames + outlook.AHEAD)
    )


def fill(room: Room, frames: Sequence[tuple[int, bytes]]) -> int:
    """Put Ethernet frames, each with its time in ns since the epoch, into the room; return how many.

    Raises:
        ValueError: if there is no room for all of them.
    """
    data, index, count = b"".join(frame for _, frame in frames), room.index, len(frames)
    if count > len(index.start) - outlook.AHEAD or len(data) > len(room.data) - _PAD - BLOCK:
        raise ValueError(f"no room for {count} frames of {len(data)} bytes at once")
    length = np.fromiter((len(frame) for _, frame in frames), np.int32, count)
    room.data[BLOCK : BLOCK + len(data)] = np.frombuffer(data, np.uint8)
    index.length[:count] = index.wire[:count] = length
    index.start[:count] = BLOCK + np.cumsum(length) - length
    index.time_ns[:count] = np.fromiter((time_ns for time_ns, _ in frames), np.int64, count)
    index.link[:count] = ETHERNET
    room.horizon, room.left = outlook.OPEN, 0
    return count


def blocks(path: Path, room: Room, *, is_last: bool = True) -> Iterator[int]:
    """Read a capture block by block into the room, and yield the number of frames of each block.

    Args:
        path: the capture.
        room: the room.
        is_last: whether no other capture goes on where this one ends.

    Raises:
        InputError: if the file is missing, is no capture, or is cut short (with frame and offset).
    """
    try:
        with opened(path) as file:
            yield from _Reader(path, file, room, is_last).blocks()
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(path, f"cannot be read ({why}): name a readable capture file") from error


class _Reader:
    """A capture file that is being read.

    Attributes:
        path: path of the file.
        file: the open file.
        room: the arrays it is read into.
        at: offset in the room of the next record.
        end: offset in the room behind the bytes read so far.
        base: offset in the file of the room's first byte.
        frames: frames found so far.
        big: whether numbers are big-endian.
        interfaces: see :mod:`records`.
        is_last: whether no other capture follows.
        is_all: whether no more bytes fit into the room, or there are none.
    """

    def __init__(self, path: Path, file: BufferedReader, room: Room, is_last: bool) -> None:
        self.path, self.file, self.room = path, file, room
        self.is_last, self.is_all = is_last, False
        room.left = 0
        self.at = self.end = BLOCK
        self.base = -BLOCK
        self.frames = 0
        self.big = False
        self.interfaces = np.zeros((0, 6), np.int64)
        self._table = self.interfaces

    def blocks(self) -> Iterator[int]:
        """Yield the number of frames of each block."""
        self._fill()
        magic = self._bytes(self.at, 4)
        if magic in _PCAP:
            self._read_pcap_header(magic)
            scan = records.load("pcap")
        elif magic == _PCAPNG:
            scan = records.load("pcapng")
        else:
            other = "is no capture: give pcap or pcapng, and convert others with `editcap -F pcapng`"
            raise InputError(self.path, _OTHER.get(magic[:2], other) if magic else "is empty: give a capture")
        while True:
            before = self.at
            count, self.at, why = scan(
                self.room.data, self.at, self.end, self.big, self.interfaces, self.room.index
            )
            self.frames += count
            if count:
                self._look_behind(why)
                yield count
            if self.room.left:
                self._leave(count, before)
            elif why == records.SPECIAL:
                self._read_special()
            elif why != records.DONE:
                raise self._broken(why)
            elif self._is_due(before) and not self._fill() and not count:
                break
        if self.at < self.end:
            raise self._cut_short()

    def _is_due(self, before: int) -> bool:
        """Tell whether to read more: nothing was scanned since an offset, or less is left, so that the next block would be small."""
        scanned = self.at - before
        return scanned == 0 or self.end - self.at < scanned

    def _look_behind(self, why: int) -> None:
        """Write into the room what is behind its frames, given why the scan ended."""
        room, kind = self.room, self._number(self.at)
        room.left, room.horizon = 0, outlook.ASK
        if why == records.SPECIAL and self._bytes(self.at, 4) != _PCAPNG and kind != records.INTERFACE:
            why = records.DONE  # a block that is stepped over once it is there whole
        if why != records.DONE or (self.is_all and self.end == len(room.data) - _PAD):
            room.horizon = outlook.OPEN
        elif self.is_all:
            room.horizon = outlook.END if self.is_last else outlook.OPEN

    def _leave(self, count: int, before: int) -> None:
        """Go back to the first of the frames that were left, and see that there are more behind them."""
        self.at = int(self.room.index.record[count - self.room.left])
        self.frames -= self.room.left
        self.room.left = 0
        if self._is_due(before):
            self._fill()

    def _bytes(self, at: int, size: int) -> bytes:
        return self.room.data[at : min(at + size, self.end)].tobytes()

    def _fill(self) -> bool:
        """Move the unread bytes to the front and read more; tell whether there were more."""
        data, left = self.room.data, self.end - self.at
        data[BLOCK : BLOCK + left] = data[self.at : self.end]
        self.base += self.at - BLOCK
        self.at, self.end = BLOCK, BLOCK + left
        read = self.file.readinto(data[self.end : len(data) - _PAD].data)
        self.end += read
        self.is_all = not read
        return bool(read)

    def _read_pcap_header(self, magic: bytes) -> None:
        order, factor = _PCAP[magic]
        header = self._bytes(self.at, 24)
        if len(header) < 24:
            raise self._cut_short()
        link = struct.unpack_from(f"{order}I", header, 20)[0] & 0xFFFF
        if link not in KNOWN:
            raise InputError(
                self.path,
                "give a capture of Ethernet, 802.11, PPP, Linux cooked, loopback or raw IP",
                f"link type {link}",
            )
        self.big = order == ">"
        self.interfaces = np.array([[link, -1, factor, 1, 0, 0]], np.int64)
        self.at += 24

    def _read_special(self) -> None:
        """Read a section or interface block of a pcapng file, or step over a block longer than the room."""
        while self.end - self.at < 12:
            if not self._fill():
                raise self._cut_short()
        kind = self._bytes(self.at, 4)
        if kind == _PCAPNG:
            self._read_byte_order()
        size = self._number(self.at + 4)
        if size < 12 or size % 4:
            raise self._broken(records.BROKEN)
        if self.end - self.at < size and (not self._fill() or self.end - self.at < size):
            self._step_over(size)
            return
        if kind != _PCAPNG and self._number(self.at) == records.INTERFACE:
            self._add(self._interface(self._bytes(self.at, size)))
        self.at += size

    def _read_byte_order(self) -> None:
        order = self._bytes(self.at + 8, 4)
        for big in (False, True):
            if int.from_bytes(order, "big" if big else "little") == _BYTE_ORDER:
                self.big, self.interfaces = big, self._table[:0]
                return
        raise self._broken(records.BROKEN)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._bytes(at, 4), "big" if self.big else "little")

    def _step_over(self, size: int) -> None:
        """Step over a block that does not fit into the room; fail if the file ends within it."""
        remaining = size - (self.end - self.at)
        if self.end - self.at < len(self.room.data) - _PAD - BLOCK or len(self.file.read(1)) == 0:
            raise self._cut_short()
        remaining -= 1
        while remaining:
            read = len(self.file.read(min(remaining, BYTES)))
            if not read:
                raise self._cut_short()
            remaining -= read
        self.base += size
        self.end = self.at
        self._fill()

    def _add(self, interface: list[int]) -> None:
        """Add a row to the table of interfaces, which doubles when full because a file may have any number of them."""
        count = len(self.interfaces)
        if count == len(self._table):
            self._table = np.zeros((max(4, 2 * count), 6), np.int64)
            self._table[:count] = self.interfaces
        self._table[count] = interface
        self.interfaces = self._table[: count + 1]

    def _interface(self, block: bytes) -> list[int]:
        """Return a row of the table of interfaces; the unit of time is µs unless an option says otherwise."""
        if len(block) < _LEAST_INTERFACE:
            raise self._broken(records.BROKEN)
        order = ">" if self.big else "<"
        link, _, snap = struct.unpack_from(f"{order}HHI", block, 8)
        options = self._options(block[16:-4], order)
        resolution = options.get(_RESOLUTION, b"\x06")[:1] or b"\x06"
        exponent = resolution[0] & 127
        offset = options.get(_OFFSET, b"")
        added = (
            int.from_bytes(offset, "big" if self.big else "little", signed=True) if len(offset) == 8 else 0
        )
        if abs(added) > _FARTHEST or (resolution[0] & 128 and exponent > _FINEST):
            raise self._broken(records.BROKEN)
        if resolution[0] & 128:
            return [link, exponent, 1, 1, added * SECOND, snap]
        factor, divisor = 10 ** max(9 - exponent, 0), 10 ** min(max(exponent - 9, 0), 18)
        return [link, -1, factor, divisor, added * SECOND, snap]

    @staticmethod
    def _options(data: bytes, order: str) -> dict[int, bytes]:
        options, at = {}, 0
        while at + 4 <= len(data):
            code, size = struct.unpack_from(f"{order}HH", data, at)
            if code == 0:
                break
            options[code] = data[at + 4 : at + 4 + size]
            at += 4 + (size + 3) // 4 * 4
        return options

    def _cut_short(self) -> InputError:
        keep = f"keep the {self.frames} whole frames with `editcap -r {self.path.name} OUT 1-{self.frames}`"
        remedy = f"the capture was cut short; {keep if self.frames else 'there is no whole frame in it'}"
        return InputError(self._place(), remedy)

    def _broken(self, why: int) -> InputError:
        problem = "a frame longer than any" if why == records.TOO_LONG else "a malformed block"
        keep = f"keep the {self.frames} frames before with `editcap -r {self.path.name} OUT 1-{self.frames}`"
        remedy = f"holds {problem}, so the file is damaged; {keep if self.frames else 'make it again'}"
        return InputError(self._place(), remedy)

    def _place(self) -> str:
        return f"{self.path}: frame {self.frames + 1}, offset {self.base + self.at}"
