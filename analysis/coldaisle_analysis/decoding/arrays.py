"""The arrays of a block: the index of its frames, and room for the columns that the kernel fills."""

import mmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Bytes, Floats
from coldaisle_analysis.decoding.layout import F64, I8, I16, I32, I64, M8, M16, M32, Code, MCode

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

NO_TIME = -(1 << 63)
"""Time of a frame whose record holds none: a Simple Packet Block."""


class Index(NamedTuple):
    """Positions, lengths and times of the frames of a block.

    Attributes:
        start: offset of each frame's first byte in the block's bytes.
        length: captured length, in bytes.
        wire: length on the wire, in bytes.
        time_ns: time of capture, in ns since the epoch; NO_TIME where the record holds none.
        link: link type of the interface, see :mod:`links`.
        record: offset of the record or block that holds the frame.
    """

    start: Int32s
    length: Int32s
    wire: Int32s
    time_ns: Int64s
    link: Int32s
    record: Int32s


class Rows(NamedTuple):
    """The columns of level ``packets``, see :mod:`layout`.

    Attributes:
        bits: bits of :class:`Has`.
        flaw: number of the :class:`reasons.Reason` for which a frame is malformed, 0 for none.
        flaw_at: offset of the flaw in the frame, in bytes.
        text_end: end of the text of each frame's first payload in ``text``.
        text: the payloads as UTF-8.
    """

    i8: Int8s
    i16: Int16s
    i32: Int32s
    code: Int32s
    i64: Int64s
    f64: Floats
    bits: Int64s
    flaw: Int8s
    flaw_at: Int32s
    text_end: Int32s
    text: Bytes


class Messages(NamedTuple):
    """The columns of level ``messages``, see :mod:`layout`.

    Attributes:
        flow: number of the connection.
        bits: bits of :class:`Has`.
        flaw: number of the reason for which a message is malformed, 0 for none.
        payload_end: end of each message's payload in ``payload``.
        payload: the payloads, one after the other.
    """

    i8: Int8s
    i16: Int16s
    i32: Int32s
    code: Int32s
    flow: Int64s
    bits: Int64s
    flaw: Int8s
    payload_end: Int32s
    payload: Bytes


_PAD = 192
"""Spare entries per row, so that the same frame of different columns does not compete for the same cache lines."""


def room(shape: int | tuple[int, int], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of zeros that takes memory only where it is touched, a page at a time.

    numpy would ask for pages of 2 MiB, and a small capture would touch 300 MiB of them.
    """
    size = int(np.prod(shape)) * kind.itemsize
    pages = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, kind).reshape(shape)


def new_index(frames: int) -> Index:
    """Return room for the index of a block of ``frames`` frames."""
    start, length, wire, link, record = (room(frames, np.dtype(np.int32)) for _ in range(5))
    return Index(start, length, wire, room(frames, np.dtype(np.int64)), link, record)


def new_rows(frames: int, text: int) -> Rows:
    """Return room for the columns of ``frames`` frames and for ``text`` bytes of text."""
    wide = frames + _PAD
    return Rows(
        np.empty((len(I8), wide), np.int8),
        np.empty((len(I16), wide), np.int16),
        np.empty((len(I32), wide), np.int32),
        np.empty((len(Code), wide), np.int32),
        np.empty((len(I64), wide), np.int64),
        np.empty((len(F64), wide), np.float64),
        np.empty(frames, np.int64),
        np.empty(frames, np.int8),
        np.empty(frames, np.int32),
        np.empty(frames + 1, np.int32),
        room(text, np.dtype(np.uint8)),
    )


def new_messages(count: int, payload: int) -> Messages:
    """Return room for the columns of ``count`` messages and for ``payload`` bytes of payload."""
    wide = count + _PAD
    return Messages(
        room((len(M8), wide), np.dtype(np.int8)),
        room((len(M16), wide), np.dtype(np.int16)),
        room((len(M32), wide), np.dtype(np.int32)),
        room((len(MCode), wide), np.dtype(np.int32)),
        room(count, np.dtype(np.int64)),
        room(count, np.dtype(np.int64)),
        room(count, np.dtype(np.int8)),
        room(count + 1, np.dtype(np.int32)),
        room(payload, np.dtype(np.uint8)),
    )
