"""From the kernel's arrays to Arrow record batches: no row passes through Python, nulls stand in one bitmap a layer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import WIRE, Level, columns
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
    Int64s,
    Kind,
    MCode,
    Messages,
    Rows,
)  # fmt: skip
from coldaisle_analysis.decoding.network import V4
from coldaisle_analysis.decoding.reasons import WORDS, Reason
from coldaisle_analysis.decoding.state import Carried

TEXT = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("ns", "UTC")
_TYPES = {
    "category": TEXT,
    "object": pa.binary(),
    "float64": pa.float64(),
    "datetime64[ns, UTC]": TIME,
    **{
        name: pa.type_for_alias(name.lower())
        for name in ("int8", "Int8", "int16", "Int16", "int32", "Int32", "int64", "Int64")
    },
}
"""pandas dtype of a column → Arrow type."""
_REMEMBERED = 1 << 16
"""Addresses whose text is kept from batch to batch."""
_ADDED = frozenset({"shard", "day", "wall_ns", "time_ns", "weekday", "hour", "publish_iat", "publish_late"})
"""Columns that a run adds, that say again what ``time`` says, or that compare a sensor's readings."""


def _schema(level: Level) -> pa.Schema:
    """Return names, types and order of what a capture decodes to."""
    chosen = [
        column
        for column in columns(level)
        if column.group not in ("value", "label") and column.name not in _ADDED
    ]
    return pa.schema(
        [
            pa.field(
                column.name, _TYPES[column.dtype], nullable=not column.dtype.startswith(("int", "datetime"))
            )
            for column in chosen
        ]
    )


SCHEMAS: dict[Level, pa.Schema] = {level: _schema(level) for level in WIRE}
"""Names, types and order of the wire columns of both levels."""
_PRESENT = {
    Has.ETH: (Code.ETH_SRC,),
    Has.ETH_DST: (Code.ETH_DST,),
    Has.VLAN: (I16.VLAN_ID,),
    Has.VLAN_INNER: (I16.VLAN_INNER,),
    Has.ARP: (I32.ARP_OP, Code.ARP_SRC_MAC, Code.ARP_SRC_IP, Code.ARP_DST_IP, I8.ARP_CONFLICT),
    Has.ARP_BEFORE: (F64.ARP_IAT,),
    Has.IP: (
        Code.IP_SRC, Code.IP_DST, I8.IP_VERSION, I16.IP_PROTO, I32.IP_LEN, I16.IP_TTL, I16.IP_DSCP, I8.IP_MF,
        I32.IP_FRAG,
    ),
    Has.IPV4: (I32.IP_ID, I8.IP_DF),
    Has.ICMP: (I16.ICMP_TYPE, I16.ICMP_CODE),
    Has.TCP: (
        I32.TCP_SRCPORT, I32.TCP_DSTPORT, I64.TCP_SEQ, I64.TCP_ACK, I32.TCP_FLAGS, I8.TCP_FIN, I8.TCP_SYN, I8.TCP_RST,
        I8.TCP_PSH, I8.TCP_ACK_FLAG, I8.TCP_URG, I16.TCP_HDR_LEN, I32.TCP_LEN, I32.TCP_WINDOW, I8.TCP_RETRANSMISSION,
        I8.TCP_GAP,
    ),
    Has.STAMP: (I64.TCP_TSVAL, I64.TCP_TSECR),
    Has.UDP: (I32.UDP_SRCPORT, I32.UDP_DSTPORT, I32.UDP_LEN),
    Has.NTP: (I8.NTP_MODE, I16.NTP_STRATUM),
    Has.FLOW: (
        F64.FLOW_PACKETS, F64.FLOW_BYTES, F64.FLOW_MEAN_BYTES, F64.FLOW_DURATION, F64.DIR_PACKETS, F64.DIR_MEAN_BYTES,
    ),
    Has.BEFORE: (F64.FLOW_IAT,),
    Has.BEFORE_SAME: (F64.DIR_IAT,),
    Has.BEFORE_OTHER: (F64.REPLY_S,),
    Has.MQTT: (I16.MQTT_MESSAGES, I8.MQTT_MSGTYPE, I32.MQTT_LEN, M8.MSGTYPE, M32.LEN),
    Has.PUBLISH: (I8.MQTT_QOS, I8.MQTT_DUP, I8.MQTT_RETAIN, M8.QOS, M8.DUP, M8.RETAIN),
    Has.MSGID: (I32.MQTT_MSGID, M32.MSGID),
    Has.TOPIC: (Code.MQTT_TOPIC, MCode.TOPIC),
    Has.PAYLOAD: (M32.PAYLOAD_LEN,),
    Has.CONNECT: (
        I16.MQTT_VERSION, I32.MQTT_KEEPALIVE, I8.MQTT_CLEANSESS, M16.VERSION, M32.KEEPALIVE, M8.CLEANSESS,
    ),
    Has.CLIENTID: (Code.MQTT_CLIENTID, MCode.CLIENTID),
    Has.PROTONAME: (Code.MQTT_PROTONAME, MCode.PROTONAME),
    Has.CONNACK: (I16.MQTT_CONNACK, M16.CONNACK),
    Has.SESSION: (M8.SESSION_PRESENT,),
    Has.REASON: (M16.REASON,),
    Has.LEVEL: (M16.LEVEL,),
    Has.PROPERTIES: (M32.PROPERTIES,),
    Has.CLIENT: (Code.CLIENT, MCode.CLIENT),
}  # fmt: skip
"""Which columns hold something where a frame or message has what."""
_BIT = {column.name: int(bit) for bit, columns in _PRESENT.items() for column in columns}
_KINDS = {
    Kind.MAC: (Code.ETH_SRC, Code.ETH_DST, Code.ARP_SRC_MAC),
    Kind.IP: (Code.IP_SRC, Code.IP_DST, Code.ARP_SRC_IP, Code.ARP_DST_IP),
    Kind.TOPIC: (Code.MQTT_TOPIC, MCode.TOPIC),
    Kind.CLIENTID: (Code.MQTT_CLIENTID, Code.CLIENT, MCode.CLIENTID, MCode.CLIENT),
    Kind.PROTONAME: (Code.MQTT_PROTONAME, MCode.PROTONAME),
}
"""Whose positions the columns of text hold."""
_KIND = {column.name: kind for kind, columns in _KINDS.items() for column in columns}


@dataclass(frozen=True)
class Batch:
    """Some frames, decoded.

    Attributes:
        packets: a row a frame, the wire columns of level ``packets``.
        messages: a row an MQTT control packet they complete, the columns of level ``messages``.
    """

    packets: pa.RecordBatch
    messages: pa.RecordBatch


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
            return _nulls(count, kind)
        if bit is None or self._all & bit:
            return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(buffer)], 0)
        return pa.Array.from_buffers(kind, count, [self.bitmap(bit), pa.py_buffer(buffer)])

    def bitmap(self, bit: int) -> pa.Buffer:
        """Return the bitmap of a bit."""
        if bit not in self._made:
            self._made[bit] = pa.py_buffer(np.packbits(self._has & bit != 0, bitorder="little"))
        return self._made[bit]


def dictionaries(carried: Carried) -> dict[Kind, pa.Array]:
    """Return the dictionaries of a batch as text."""
    tally = carried.tally[0]
    numbers = carried.numbers[: tally["numbers"]]
    kinds = numbers["kind"] & 7
    macs, ips = numbers[kinds == Kind.MAC], numbers[kinds == Kind.IP]
    parts = zip(*(ips[name].tolist() for name in ("high", "low", "kind")), strict=True)
    found = {
        Kind.MAC: _words([_mac(low) for low in macs["low"].tolist()]),
        Kind.IP: _words([_ip(*part) for part in parts]),
    }
    texts = carried.texts[: tally["texts"]]
    for kind in (Kind.TOPIC, Kind.CLIENTID, Kind.PROTONAME):
        chosen = texts[texts["kind"] == kind]
        places = zip(chosen["at"].tolist(), chosen["length"].tolist(), strict=True)
        found[kind] = _words([_text(carried.text_data[at : at + length].tobytes()) for at, length in places])
    return found


@lru_cache(_REMEMBERED)
def _mac(address: int) -> bytes:
    return address.to_bytes(6, "big").hex(":").encode()


@lru_cache(_REMEMBERED)
def _ip(high: int, low: int, kind: int) -> bytes:
    if kind >> 3 == V4:
        return str(IPv4Address(low)).encode()
    return str(IPv6Address((high % (1 << 64)) << 64 | low % (1 << 64))).encode()


def _text(said: bytes) -> bytes:
    """Return bytes as UTF-8, what is none replaced."""
    return said if said.isascii() else said.decode("utf-8", "replace").encode()


@lru_cache(64)
def _nulls(count: int, kind: pa.DataType) -> pa.Array:
    """Return a column of nothing, made once for all batches of a size."""
    return pa.nulls(count, kind)


def packets(
    rows: Rows, count: int, time_ns: Int64s, place: tuple[str, int, int], words: dict[Kind, pa.Array]
) -> pa.RecordBatch:
    """Return the rows of level ``packets``.

    Args:
        rows: what the kernel wrote.
        count: how many rows of it.
        time_ns: times of the frames, ns.
        place: name of the file, number of its frames before these, and number of all frames before.
        words: the dictionaries.
    """
    maps = Bitmaps(rows.has[:count])
    parts = ((I8, rows.i8), (I16, rows.i16), (I32, rows.i32), (I64, rows.i64), (F64, rows.f64))
    found = _columns(maps, count, parts) | _texts(maps, count, Code, rows.code, words)
    name, before, all_before = place
    protocol = rows.i8[I8.PROTOCOL, :count].astype(np.int32)
    found |= {
        "frame": _whole(np.arange(all_before + 1, all_before + count + 1)),
        "file": _coded(np.zeros(count, np.int32), _words([name.encode()])),
        "frame_in_file": _whole(np.arange(before + 1, before + count + 1)),
        "time": _whole(time_ns, TIME),
        "protocol": _coded(protocol, _words([word.encode() for word in PROTOCOLS])),
        "malformed": _flaws(rows.flaw[:count], rows.flaw_at[:count]),
        "mqtt_payload": _strings(maps, pa.string(), rows.text_end[: count + 1], rows.text),
    }
    return _record_batch(found, "packets")


def messages(
    out: Messages, count: int, first: int, time_ns: Int64s, words: dict[Kind, pa.Array]
) -> pa.RecordBatch:
    """Return the rows of level ``messages``.

    Args:
        out: what the kernel wrote.
        count: how many rows of it.
        first: number of the batch's first frame.
        time_ns: times of the batch's frames, ns.
        words: the dictionaries.
    """
    maps = Bitmaps(out.has[:count])
    row = out.i32[M32.ROW, :count]
    found = _columns(maps, count, ((M8, out.i8), (M16, out.i16), (M32, out.i32)))
    found |= _texts(maps, count, MCode, out.code, words)
    found |= {
        "frame": _whole(row.astype(np.int64) + first),
        "time": _whole(time_ns[row], TIME),
        "flow": _whole(out.flow[:count]),
        "payload": _strings(maps, pa.binary(), out.payload_end[: count + 1], out.payload),
        "malformed": _flaws(out.flaw[:count]),
    }
    return _record_batch(found, "messages")


def _record_batch(found: dict[str, pa.Array], level: Level) -> pa.RecordBatch:
    schema = SCHEMAS[level]
    return pa.RecordBatch.from_arrays([found[name] for name in schema.names], schema=schema)


def _columns(maps: Bitmaps, count: int, parts: Iterable[tuple[Any, npt.NDArray[Any]]]) -> dict[str, pa.Array]:
    return {
        column.name.lower(): maps.array(
            pa.from_numpy_dtype(array.dtype), array[column, :count], _BIT.get(column.name)
        )
        for names, array in parts
        for column in names
    }


def _texts(
    maps: Bitmaps, count: int, names: Any, codes: npt.NDArray[np.int32], words: dict[Kind, pa.Array]
) -> dict[str, pa.Array]:
    found = {}
    for column in names:
        values = words[_KIND[column.name]]
        if len(values) == 0:
            found[column.name.lower()] = _nulls(count, TEXT)
            continue
        indices = maps.array(pa.int32(), codes[column, :count], _BIT.get(column.name))
        found[column.name.lower()] = pa.DictionaryArray.from_arrays(indices, values, safe=False)
    return found


def _whole(values: npt.NDArray[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return an array without nulls; unlike ``pa.array`` this does not load pandas, which takes a third of a second."""
    return pa.Array.from_buffers(
        kind or pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)], 0
    )


def _words(texts: Sequence[bytes]) -> pa.Array:
    """Return texts, as UTF-8, as an array."""
    ends = np.zeros(len(texts) + 1, np.int32)
    np.cumsum([len(text) for text in texts], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers, 0)


def _coded(codes: npt.NDArray[np.int32], words: pa.Array) -> pa.Array:
    """Return a text column of positions in a dictionary, -1 for nothing."""
    bitmap = pa.py_buffer(np.packbits(codes >= 0, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [bitmap, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, words, safe=False)


def _strings(
    maps: Bitmaps, kind: pa.DataType, ends: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]
) -> pa.Array:
    buffers = [maps.bitmap(Has.PAYLOAD), pa.py_buffer(ends), pa.py_buffer(data[: ends[-1]])]
    return pa.Array.from_buffers(kind, len(ends) - 1, buffers)


def _flaws(numbers: npt.NDArray[np.int8], at: npt.NDArray[np.int32] | None = None) -> pa.Array:
    """Return in words what is wrong with the rows, with the offset in the frame where there is one."""
    wrong = np.flatnonzero(numbers)
    if not len(wrong):
        return _nulls(len(numbers), TEXT)
    pairs = np.column_stack([numbers[wrong], np.zeros(len(wrong), np.int32) if at is None else at[wrong]])
    unique, places = np.unique(pairs, axis=0, return_inverse=True)
    said = [
        WORDS[Reason(int(number))] + ("" if at is None else f" at byte {offset}") for number, offset in unique
    ]
    codes = np.full(len(numbers), -1, np.int32)
    codes[wrong] = places.ravel()
    return _coded(codes, _words([words.encode() for words in said]))
