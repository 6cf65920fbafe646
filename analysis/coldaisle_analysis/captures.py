"""Reading capture files: pcap of microseconds or nanoseconds, either byte order, link type Ethernet."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coldaisle_contracts.errors import InputError

Ints = npt.NDArray[np.int64]
_ETHERNET = 1
_GLOBAL_HEADER, _RECORD_HEADER = 24, 16
_PAD = 256
"""Zero bytes kept behind the last frame, so that a header may be read where a short frame has none."""

_FORMATS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""Magic number → byte order and nanoseconds a unit of the fraction."""


@dataclass(frozen=True)
class Frames:
    """The frames of one or more captures, in the order of the files.

    Attributes:
        data: all files one behind the other, bytes.
        start: where each frame starts in ``data``.
        length: bytes captured of each frame.
        wire_length: bytes each frame had on the wire.
        time_ns: time of each frame, ns since the epoch.
        files: the capture files.
        file: index into ``files`` of each frame.
        number: number of each frame in its file, from 1.
    """

    data: npt.NDArray[np.uint8]
    start: Ints
    length: Ints
    wire_length: Ints
    time_ns: Ints
    files: tuple[Path, ...]
    file: Ints
    number: Ints

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.start)

    def frame(self, index: int) -> bytes:
        """Return the bytes of one frame."""
        start = int(self.start[index])
        return self.data[start : start + int(self.length[index])].tobytes()


def in_order(frames: Frames, shard: Ints) -> Frames:
    """Return the frames of each shard in the order of their times; equal times keep theirs.

    Args:
        frames: what was read.
        shard: number of each frame's shard, never falling.
    """
    order = np.lexsort((frames.time_ns, shard))
    columns = ("start", "length", "wire_length", "time_ns", "file", "number")
    return replace(frames, **{name: getattr(frames, name)[order] for name in columns})


def read(files: Sequence[Path]) -> Frames:
    """Read captures.

    Raises:
        InputError: if a file is missing, not pcap, not Ethernet, or cut short (with frame and offset).
    """
    blocks: list[bytes] = []
    tables: list[Ints] = []
    base = 0
    for number, path in enumerate(files):
        data, table = _read_one(path)
        table[:, 0] += base
        tables.append(np.column_stack([table, np.full(len(table), number), np.arange(1, len(table) + 1)]))
        blocks.append(data)
        base += len(data)
    rows = np.concatenate(tables) if tables else np.empty((0, 6), np.int64)
    joined = np.frombuffer(b"".join([*blocks, bytes(_PAD)]), np.uint8)
    start, length, wire, time_ns, file, index = (np.ascontiguousarray(column) for column in rows.T)
    return Frames(joined, start, length, wire, time_ns, tuple(files), file, index)


def _read_one(path: Path) -> tuple[bytes, Ints]:
    """Return a file's bytes and a row (start, captured, wire length, ns) for each of its frames."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, "name a readable capture file") from error
    if data[:4] not in _FORMATS:
        raise InputError(
            path, "not a pcap file; convert other captures with `editcap -F pcap`", data[:4].hex()
        )
    order, scale = _FORMATS[data[:4]]
    header = struct.Struct(f"{order}IIII")
    if len(data) < _GLOBAL_HEADER or struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF != _ETHERNET:
        raise InputError(path, "its link type is not Ethernet: capture on an Ethernet interface")
    rows: list[tuple[int, int, int, int]] = []
    offset, size = _GLOBAL_HEADER, len(data)
    while offset < size:
        if offset + _RECORD_HEADER > size:
            raise _cut_short(path, len(rows) + 1, offset)
        second, fraction, captured, wire = header.unpack_from(data, offset)
        if offset + _RECORD_HEADER + captured > size:
            raise _cut_short(path, len(rows) + 1, offset)
        rows.append((offset + _RECORD_HEADER, captured, wire, second * 1_000_000_000 + fraction * scale))
        offset += _RECORD_HEADER + captured
    return data, np.array(rows, np.int64).reshape(-1, 4)


def _cut_short(path: Path, frame: int, offset: int) -> InputError:
    remedy = f"the capture was cut short; keep the {frame - 1} whole frames with `editcap -r {path.name} OUT 1-{frame - 1}`"
    return InputError(f"{path}: frame {frame}, offset {offset}", remedy)
