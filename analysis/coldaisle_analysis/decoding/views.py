"""The kernel's raw NumPy arrays, for latency-critical callers that cannot wait for Arrow's eighty columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Floats, Texts
from coldaisle_analysis.decoding.arrays import Int32s, Int64s, Messages, Rows
from coldaisle_analysis.decoding.layout import (
    F64,
    I8,
    I16,
    I32,
    I64,
    M8,
    M32,
    PROTOCOLS,
    Code,
    Has,
    Kind,
    MCode,
)
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.decoding.schema import BIT, KIND

NUMBERS: dict[str, tuple[str, int]] = {
    column.name.lower(): (array, column)
    for array, columns in (("i8", I8), ("i16", I16), ("i32", I32), ("i64", I64), ("f64", F64))
    for column in columns
    if column is not I8.PROTOCOL
}
"""Array and row in it, for each column of numbers."""


@dataclass(frozen=True)
class Published:
    """The first PUBLISH of each frame that completes one.

    Attributes:
        row: position of its frame, shape (n,).
        flow: number of its flow, shape (n,).
        client: client id of the connection, ``None`` until its CONNECT was seen, shape (n,).
        topic: its topic, shape (n,).
        payload: the bytes as sent, n of them.
    """

    row: npt.NDArray[np.intp]
    flow: Int64s
    client: Texts
    topic: Texts
    payload: list[bytes]


@dataclass(frozen=True)
class View:
    """Decoded frames in the kernel's own arrays, which the decoder overwrites with the frames after the next ones.

    Attributes:
        rows: columns of the frames.
        messages: columns of the MQTT control packets they complete.
        frames: how many of the rows are filled.
        message_count: how many of the messages are filled.
        time_ns: times of the frames, in ns since the epoch.
        place: name of the file, number of its frames before these, and number of all frames before.
        words: the dictionaries of the columns of text.
    """

    rows: Rows
    messages: Messages
    frames: int
    message_count: int
    time_ns: Int64s
    place: tuple[str, int, int]
    words: dict[Kind, list[bytes]]

    @property
    def frame(self) -> Int64s:
        """Return the numbers of the frames, from 1."""
        return np.arange(1, self.frames + 1, dtype=np.int64) + self.place[2]

    def numbers(self, name: str) -> Floats:
        """Return a column of numbers, shape (frames,); a missing value is NaN.

        Raises:
            KeyError: if the kernel writes no such column.
        """
        array, column = NUMBERS[name]
        values = getattr(self.rows, array)[column, : self.frames].astype(np.float64)
        bit = BIT.get(name.upper())
        if bit is not None and self._always & bit != bit:
            values[~self.has(bit)] = np.nan
        return np.asarray(values, np.float64)

    def has(self, bit: int) -> npt.NDArray[np.bool_]:
        """Return which frames have a bit of :class:`Has` set, shape (frames,)."""
        return np.asarray(self.rows.bits[: self.frames] & bit != 0)

    def texts(self, name: str) -> Texts:
        """Return a column of text, shape (frames,); a missing value is ``None``."""
        if name == "protocol":
            return np.array(PROTOCOLS, object)[self.rows.i8[I8.PROTOCOL, : self.frames]]
        codes = self.rows.code[Code[name.upper()], : self.frames]
        return self._texts(name.upper(), codes, self.rows.bits[: self.frames])

    @property
    def published(self) -> Published:
        """Return the first PUBLISH of each frame that completes one."""
        out = self.messages
        sent = np.flatnonzero(out.i8[M8.MSGTYPE, : self.message_count] == PUBLISH)
        row, first = np.unique(out.i32[M32.ROW, sent], return_index=True)
        sent = sent[first]
        client, topic = (
            self._texts(name, out.code[MCode[name], sent], out.bits[sent]) for name in ("CLIENT", "TOPIC")
        )
        ends = (out.payload_end[sent].tolist(), out.payload_end[sent + 1].tolist())
        has_payload = (out.bits[sent] & int(Has.PAYLOAD) != 0).tolist()
        payload = [
            out.payload[start:end].tobytes() if present else b""
            for start, end, present in zip(*ends, has_payload, strict=True)
        ]
        return Published(row.astype(np.intp), out.flow[sent], client, topic, payload)

    @cached_property
    def _always(self) -> int:
        return int(np.bitwise_and.reduce(self.rows.bits[: self.frames])) if self.frames else 0

    def _texts(self, name: str, codes: Int32s, bits: Int64s) -> Texts:
        words = np.array([*_decoded(self.words[KIND[name]]), None], object)
        return np.asarray(words[np.where(bits & BIT[name] != 0, codes, len(words) - 1)])


def _decoded(words: list[bytes]) -> Iterator[Any]:
    return (word.decode() for word in words)
