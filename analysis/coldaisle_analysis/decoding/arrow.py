"""Arrow arrays that share the memory of NumPy arrays. Unlike ``pa.array``, this does not load pandas, which takes 0.3 s."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]


class Bitmaps:
    """Validity bitmaps of a batch, each made once.

    Args:
        bits: bits of Has, one number per row.
    """

    def __init__(self, bits: npt.NDArray[np.int64]) -> None:
        self._bits = bits
        self._any = int(np.bitwise_or.reduce(bits)) if len(bits) else 0
        self._all = int(np.bitwise_and.reduce(bits)) if len(bits) else 0
        self._bitmaps: dict[int, pa.Buffer] = {}

    def array(self, kind: pa.DataType, buffer: npt.NDArray[Any], bit: int | None) -> pa.Array:
        """Return a column that holds a value where the bit is set, or in every row when ``bit`` is ``None``."""
        count = len(self._bits)
        if bit is not None and not self._any & bit:
            return nulls(count, kind)
        if bit is None or self._all & bit:
            return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(buffer)], 0)
        return pa.Array.from_buffers(kind, count, [self.bitmap(bit), pa.py_buffer(buffer)])

    def bitmap(self, bit: int) -> pa.Buffer:
        """Return the bitmap of a bit."""
        if bit not in self._bitmaps:
            self._bitmaps[bit] = pa.py_buffer(np.packbits(self._bits & bit != 0, bitorder="little"))
        return self._bitmaps[bit]


@lru_cache(64)
def nulls(count: int, kind: pa.DataType) -> pa.Array:
    """Return a column of nulls, made once for all batches of a size."""
    return pa.nulls(count, kind)


def whole(values: npt.NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return an array without nulls."""
    return pa.Array.from_buffers(
        kind or pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)], 0
    )


def texts(strings: Sequence[bytes]) -> pa.Array:
    """Return UTF-8 strings as an array."""
    ends = np.zeros(len(strings) + 1, np.int32)
    np.cumsum([len(text) for text in strings], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(strings))]
    return pa.Array.from_buffers(pa.string(), len(strings), buffers, 0)


def coded(codes: npt.NDArray[np.int32], dictionary: pa.Array) -> pa.Array:
    """Return a text column from positions in a dictionary, where -1 is missing."""
    bitmap = pa.py_buffer(np.packbits(codes >= 0, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [bitmap, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)


def copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a copy of a record batch that takes no more memory than its rows need."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return pa.ipc.open_stream(sink.getvalue()).read_next_batch()
