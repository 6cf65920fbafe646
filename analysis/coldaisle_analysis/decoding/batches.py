"""Arrow record batches from the kernel's arrays: no row passes through Python, and each layer has one bitmap of nulls."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_analysis.decoding.arrays import NO_TIME
from coldaisle_analysis.decoding.arrow import Bitmaps, coded, nulls, texts, whole
from coldaisle_analysis.decoding.layout import (
    F64,
    I8,
    I16,
    I32,
    I64,
    M8,
    M16,
    M32,
    PROTOCOLS,
    Code,
    Has,
    Kind,
    MCode,
)
from coldaisle_analysis.decoding.network import V4
from coldaisle_analysis.decoding.reasons import WORDS, Reason
from coldaisle_analysis.decoding.schema import BIT, KIND, SCHEMAS, TEXT, TIME
from coldaisle_analysis.decoding.state import Carried
from coldaisle_analysis.decoding.views import View

_REMEMBERED = 1 << 16
"""How many addresses keep their text from batch to batch."""


@dataclass(frozen=True)
class Batch:
    """Decoded frames and their MQTT control packets.

    Attributes:
        packets: one row per frame, with the wire columns of level ``packets``.
        messages: one row per MQTT control packet they complete, with the columns of level ``messages``.
    """

    packets: pa.RecordBatch
    messages: pa.RecordBatch


def dictionaries(carried: Carried) -> dict[Kind, list[bytes]]:
    """Return the dictionaries of a batch, as UTF-8."""
    tally = carried.tally[0]
    numbers = carried.numbers[: tally["numbers"]]
    kinds = numbers["kind"] & 7
    macs, ips = numbers[kinds == Kind.MAC], numbers[kinds == Kind.IP]
    parts = zip(*(ips[name].tolist() for name in ("high", "low", "kind")), strict=True)
    words = {
        Kind.MAC: [_mac(low) for low in macs["low"].tolist()],
        Kind.IP: [_ip(*part) for part in parts],
    }
    entries = carried.texts[: tally["texts"]]
    for kind in (Kind.TOPIC, Kind.CLIENTID, Kind.PROTONAME, Kind.FILTERS, Kind.CODES):
        chosen = entries[entries["kind"] & 7 == kind]
        places = zip(chosen["at"].tolist(), chosen["length"].tolist(), strict=True)
        words[kind] = [carried.text_data[at : at + length].tobytes() for at, length in places]
        if kind == Kind.FILTERS:
            with_options = (chosen["kind"] >> 3).tolist()
    filters = list(map(_filters, words[Kind.FILTERS], with_options))
    words[Kind.FILTERS] = [_json([name for name, _ in pairs]) for pairs in filters]
    words[Kind.ASKED] = [_json([qos for _, qos in pairs if qos is not None]) for pairs in filters]
    words[Kind.CODES] = [_json(list(codes)) for codes in words[Kind.CODES]]
    for kind in (Kind.TOPIC, Kind.CLIENTID, Kind.PROTONAME):
        words[kind] = list(map(_text, words[kind]))
    return words


def _filters(content: bytes, with_options: int) -> list[tuple[str, int | None]]:
    """Return the topic filters of a SUBSCRIBE or UNSUBSCRIBE, and the QoS asked for with each of a SUBSCRIBE."""
    filters, at = list[tuple[str, int | None]](), 0
    while at < len(content):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        name = content[at + 2 : end].decode("utf-8", "replace")
        filters.append((name, content[end] & 3 if with_options else None))
        at = end + with_options
    return filters


def _json(values: list[str] | list[int]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(_REMEMBERED)
def _mac(address: int) -> bytes:
    return address.to_bytes(6, "big").hex(":").encode()


@lru_cache(_REMEMBERED)
def _ip(high: int, low: int, kind: int) -> bytes:
    if kind >> 3 == V4:
        return str(IPv4Address(low)).encode()
    return str(IPv6Address((high % (1 << 64)) << 64 | low % (1 << 64))).encode()


def _text(content: bytes) -> bytes:
    """Return bytes as UTF-8, with invalid sequences replaced."""
    return content if content.isascii() else content.decode("utf-8", "replace").encode()


def batch(view: View) -> Batch:
    """Return a view as record batches, which share the kernel's memory."""
    words = {kind: texts(strings) for kind, strings in view.words.items()}
    return Batch(_packets(view, words), _messages(view, words))


def _packets(view: View, words: dict[Kind, pa.Array]) -> pa.RecordBatch:
    """Return the rows of level ``packets``."""
    rows, count = view.rows, view.frames
    maps = Bitmaps(rows.bits[:count])
    parts = ((I8, rows.i8), (I16, rows.i16), (I32, rows.i32), (I64, rows.i64), (F64, rows.f64))
    columns = _columns(maps, count, parts) | _texts(maps, count, Code, rows.code, words)
    name, before, _ = view.place
    protocol = rows.i8[I8.PROTOCOL, :count].astype(np.int32)
    columns |= {
        "frame": whole(view.frame),
        "file": coded(np.zeros(count, np.int32), texts([name.encode()])),
        "frame_in_file": whole(np.arange(before + 1, before + count + 1)),
        "time": _times(view.time_ns),
        "protocol": coded(protocol, texts([word.encode() for word in PROTOCOLS])),
        "malformed": _flaws(rows.flaw[:count], rows.flaw_at[:count]),
        "mqtt_payload": _strings(maps, pa.string(), rows.text_end[: count + 1], rows.text),
    }
    return _record_batch(columns, "packets")


def _messages(view: View, words: dict[Kind, pa.Array]) -> pa.RecordBatch:
    """Return the rows of level ``messages``."""
    out, count = view.messages, view.message_count
    maps = Bitmaps(out.bits[:count])
    row = out.i32[M32.ROW, :count]
    columns = _columns(maps, count, ((M8, out.i8), (M16, out.i16), (M32, out.i32)))
    columns |= _texts(maps, count, MCode, out.code, words)
    columns |= {
        "frame": whole(view.frame[row]),
        "time": _times(view.time_ns[row]),
        "flow": whole(out.flow[:count]),
        "payload": _strings(maps, pa.binary(), out.payload_end[: count + 1], out.payload),
        "malformed": _flaws(out.flaw[:count]),
    }
    return _record_batch(columns, "messages")


def _record_batch(columns: dict[str, pa.Array], level: Level) -> pa.RecordBatch:
    schema = SCHEMAS[level]
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _columns(maps: Bitmaps, count: int, parts: Iterable[tuple[Any, npt.NDArray[Any]]]) -> dict[str, pa.Array]:
    return {
        column.name.lower(): maps.array(
            pa.from_numpy_dtype(array.dtype), array[column, :count], BIT.get(column.name)
        )
        for names, array in parts
        for column in names
    }


def _texts(
    maps: Bitmaps, count: int, names: Any, codes: npt.NDArray[np.int32], words: dict[Kind, pa.Array]
) -> dict[str, pa.Array]:
    columns = {}
    for column in names:
        values = words[KIND[column.name]]
        if len(values) == 0:
            columns[column.name.lower()] = nulls(count, TEXT)
            continue
        indices = maps.array(pa.int32(), codes[column, :count], BIT.get(column.name))
        columns[column.name.lower()] = pa.DictionaryArray.from_arrays(indices, values, safe=False)
    return columns


def _times(time_ns: npt.NDArray[np.int64]) -> pa.Array:
    """Return times; one that a frame does not have is null."""
    if len(time_ns) == 0 or time_ns.min() != NO_TIME:
        return whole(time_ns, TIME)
    bitmap = pa.py_buffer(np.packbits(time_ns != NO_TIME, bitorder="little"))
    return pa.Array.from_buffers(TIME, len(time_ns), [bitmap, pa.py_buffer(time_ns)])


def _strings(
    maps: Bitmaps, kind: pa.DataType, ends: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]
) -> pa.Array:
    buffers = [maps.bitmap(Has.PAYLOAD), pa.py_buffer(ends), pa.py_buffer(data[: ends[-1]])]
    return pa.Array.from_buffers(kind, len(ends) - 1, buffers)


def _flaws(numbers: npt.NDArray[np.int8], at: npt.NDArray[np.int32] | None = None) -> pa.Array:
    """Return the flaw of each row in words, with its offset in the frame where there is one."""
    wrong = np.flatnonzero(numbers)
    if not len(wrong):
        return nulls(len(numbers), TEXT)
    pairs = np.column_stack([numbers[wrong], np.zeros(len(wrong), np.int32) if at is None else at[wrong]])
    unique, places = np.unique(pairs, axis=0, return_inverse=True)
    sentences = [
        WORDS[Reason(int(number))] + ("" if at is None else f" at byte {offset}") for number, offset in unique
    ]
    codes = np.full(len(numbers), -1, np.int32)
    codes[wrong] = places.ravel()
    return coded(codes, texts([sentence.encode() for sentence in sentences]))
