"""Arrow arrays out of numpy's without a copy; unlike ``pa.array`` none of this loads pandas, which takes a third of a second."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]


class Bitmaps:
    """Validity bitmaps of a batch, each made once.

    Args:
        has: bits of Has, a number a row.
    """

    def __init__(self, has: npt.NDArray[np.int32]) -> None:
        self._has = has
        self._any = int(np.bitwise_or.reduce(has)) if len(has) else 0
        self._all = int(np.bitwise_and.reduce(has)) if len(has) else 0
        self._made: dict[int, pa.Buffer] = {}

    def array(self, kind: pa.DataType, buffer: npt.NDArray[Any], bit: int | None) -> pa.Array:
        """Return a column that holds something where the bit is set, everywhere when there is none."""
        count = len(self._has)
        if bit is not None and not self._any & bit:
            return nulls(count, kind)
        if bit is None or self._all & bit:
            return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(buffer)], 0)
        return pa.Array.from_buffers(kind, count, [self.bitmap(bit), pa.py_buffer(buffer)])

    def bitmap(self, bit: int) -> pa.Buffer:
        """Return the bitmap of a bit."""
        if bit not in self._made:
            self._made[bit] = pa.py_buffer(np.packbits(self._has & bit != 0, bitorder="little"))
        return self._made[bit]


@lru_cache(64)
def nulls(count: int, kind: pa.DataType) -> pa.Array:
    """Return a column of nothing, made once for all batches of a size."""
    return pa.nulls(count, kind)


def whole(values: npt.NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return an array without nulls."""
    return pa.Array.from_buffers(
        kind or pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)], 0
    )


def texts(said: Sequence[bytes]) -> pa.Array:
    """Return texts, as UTF-8, as an array."""
    ends = np.zeros(len(said) + 1, np.int32)
    np.cumsum([len(text) for text in said], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(said))]
    return pa.Array.from_buffers(pa.string(), len(said), buffers, 0)


def coded(codes: npt.NDArray[np.int32], dictionary: pa.Array) -> pa.Array:
    """Return a text column of positions in a dictionary, -1 for nothing."""
    bitmap = pa.py_buffer(np.packbits(codes >= 0, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [bitmap, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)


def copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a record batch with memory of its own, no more than its rows need."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return pa.ipc.open_stream(sink.getvalue()).read_next_batch()
