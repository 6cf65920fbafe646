"""The raw frames of captures in memory, for joining journals with them. Decoding does not use this module."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.decoding import files as capture_files
from coldaisle_analysis.decoding.arrays import NO_TIME
from coldaisle_contracts.errors import InputError

_PAD = 256
"""Zero bytes behind the last frame, so that reading a header of a short frame stays within the array."""


@dataclass(frozen=True)
class Frames:
    """The frames of one or more captures, in the order of the files.

    Attributes:
        data: the bytes of all blocks, one after the other.
        start: offset of each frame in ``data``.
        length: captured length of each frame, in bytes.
        wire_length: length of each frame on the wire, in bytes.
        time_ns: time of each frame, in ns since the epoch.
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
    """Return the frames of each shard sorted by time; frames of equal time keep their order.

    Args:
        frames: the frames in the order of the files.
        shard: number of each frame's shard, which must not decrease.
    """
    order = np.lexsort((frames.time_ns, shard))
    columns = ("start", "length", "wire_length", "time_ns", "file", "number")
    return replace(frames, **{name: getattr(frames, name)[order] for name in columns})


def require_times(path: Path | str, before: int, time_ns: Ints) -> None:
    """Refuse a capture with a frame that has no time.

    Args:
        path: the capture.
        before: how many of its frames came before.
        time_ns: times of frames, in ns since the epoch.

    Raises:
        InputError: if a time is missing, with the number of the first such frame.
    """
    missing = np.flatnonzero(time_ns == NO_TIME)
    if len(missing):
        place = f"{path}: frame {before + int(missing[0]) + 1}"
        raise InputError(
            place,
            "capture again with times, such as with tcpdump",
            "a Simple Packet Block, which has no time",
        )


def read(files: Sequence[Path]) -> Frames:
    """Read captures.

    Raises:
        InputError: if a file is missing, is no capture, is cut short (with frame and offset), or has a frame without a time.
    """
    room = capture_files.new_room()
    pieces, tables, base = [], [np.empty((0, 6), np.int64)], 0
    for number, path in enumerate(files):
        before = 0
        for count in capture_files.blocks(path, room):
            start, length, wire, time_ns = (part[:count].astype(np.int64) for part in room.index[:4])
            require_times(path, before, room.index.time_ns[:count])
            first, end = int(start[0]), int(start[-1] + length[-1])
            pieces.append(room.data[first:end].copy())
            order = np.arange(before + 1, before + count + 1)
            place = np.full(count, number)
            tables.append(np.column_stack([start - first + base, length, wire, time_ns, place, order]))
            before, base = before + count, base + end - first
    start, length, wire, time_ns, file, order = (
        np.ascontiguousarray(part) for part in np.concatenate(tables).T
    )
    data = np.concatenate([*pieces, np.zeros(_PAD, np.uint8)])
    return Frames(data, start, length, wire, time_ns, tuple(files), file, order)
