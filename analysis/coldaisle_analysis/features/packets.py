"""Packets and messages of captures as pandas tables: the decoder's columns, times, shards and derived columns.

Where several messages end in one frame, its row has the fields of the first message and the number of messages; ``messages`` of
:class:`Trace` has all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_analysis.decoding import SCHEMAS, Decoder, MqttOptions
from coldaisle_analysis.decoding.captures import Frames, read
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features.derived import Derivation
from coldaisle_analysis.features.within_tls import open_up
from coldaisle_analysis.local_time import local_time
from coldaisle_analysis.series.names import publisher
from coldaisle_analysis.series.published import Reader, Sent

BYTES = "latin-1"
"""Encoding that turns a payload into text: one character per byte."""


@dataclass(frozen=True)
class Trace:
    """Decoded captures.

    Attributes:
        frames: the frames as read.
        packets: one row per frame, with every column of level ``packets`` except the labels, ``day`` and ``wall_ns``.
        messages: one row per MQTT control packet: the columns of level ``messages``, the payload as text (one character per byte),
            ``row`` (position of its frame in packets) and ``time_ns`` (time of its frame).
        said: what a frame carries within TLS, by its position; empty where the captures have no key log.
        gaps: number of holes in TCP streams that were never filled.
        remarks: sentences on flaws, limits and what was not read, see :meth:`Decoder.remarks`.
    """

    frames: Frames
    packets: pd.DataFrame
    messages: pd.DataFrame
    gaps: int
    remarks: tuple[str, ...] = ()
    said: Mapping[int, bytes] = field(default_factory=dict)


def decode(files: Sequence[Path], utc_offset_s: int = 0) -> pd.DataFrame:
    """Return one row per frame of captures, see :class:`Trace`.

    Args:
        files: captures in order of time.
        utc_offset_s: offset of local time from UTC, in s, for weekday and hour.

    Raises:
        InputError: if a file cannot be read, see :mod:`decoding.files`.
    """
    return trace(files, utc_offset_s=utc_offset_s).packets


def trace(
    files: Sequence[Path],
    shards: Sequence[str] | None = None,
    utc_offset_s: int = 0,
    chosen: Sequence[str] = (),
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
    keys: Path | None = None,
) -> Trace:
    """Decode captures into packets and messages.

    Args:
        files: captures in order of time.
        shards: name of each file's shard; when omitted, all files are of one shard. Connections never cross shards.
        utc_offset_s: offset of local time from UTC, in s.
        chosen: patterns of the names of series whose values are read; without any, all are.
        mqtt: ports and version of MQTT.
        keys: key log with which MQTT within TLS is decrypted; without it only plaintext is read. Packets then have the columns of
            :mod:`within_tls`, too. What is derived for each frame follows from what the wire shows, with or without it.

    Raises:
        InputError: if a file cannot be read.
    """
    frames = read(files)
    of_file, names = pd.factorize(pd.Index(list(shards or [""] * len(files)), dtype="str"))
    packets, messages, gaps, remarks = _decoded(files, of_file.tolist(), mqtt)
    said = dict[int, bytes]()
    shown = messages
    if keys is not None:
        with TemporaryDirectory() as folder:
            within = open_up(frames, packets, of_file[frames.file], keys, Path(folder))
            messages = _decoded(within.files, of_file.tolist(), mqtt)[1]
        packets, said = packets.join(within.columns), within.said
    packets["shard"] = pd.Categorical.from_codes(of_file[frames.file], names)
    packets = packets.assign(time_ns=frames.time_ns, **local_time(frames.time_ns, utc_offset_s))
    messages, shown = _placed(messages, frames), _placed(shown, frames)
    packets = packets.assign(**_derived(packets, shown, chosen))
    return Trace(frames, packets, messages, gaps, remarks, said)


def _placed(messages: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """Return messages with position and time of their frames."""
    messages = messages.rename(columns={"frame": "row", "time": "time_ns"})
    messages["row"] -= 1
    return messages.assign(time_ns=frames.time_ns[messages["row"]])


def sent_in(packets: pd.DataFrame, messages: pd.DataFrame) -> Sent:
    """Return messages that are a PUBLISH from a publisher; what a broker delivers to subscribers is left out.

    Args:
        packets: one row per frame, see :class:`Trace`.
        messages: messages, see :class:`Trace`.
    """
    upward = packets["to_server"].to_numpy()[messages["row"]] == 1
    sent = messages[(messages["msgtype"] == PUBLISH).to_numpy(bool, na_value=False) & upward]
    ends = packets.iloc[sent["row"].to_numpy()]
    named = zip(sent["client"].astype("object"), ends["ip_src"], ends["tcp_srcport"], strict=True)
    words = [word.encode(BYTES) for word in sent["payload"].cat.categories]
    return Sent(
        sent["row"].to_numpy(np.intp),
        [publisher(*name) for name in named],
        ends["ip_src"].tolist(),
        sent["time_ns"].to_numpy(np.int64),
        sent["topic"].astype("object").fillna(""),
        [words[code] if code >= 0 else b"" for code in sent["payload"].cat.codes],
        sent["msgid"].fillna(0).to_numpy(np.int64),
    )


def _derived(packets: pd.DataFrame, messages: pd.DataFrame, chosen: Sequence[str]) -> dict[str, Any]:
    """Return the columns of frames that are derived from the frames before, see :mod:`derived`, and the name of their series."""
    is_publish = (messages["msgtype"] == PUBLISH).to_numpy(bool, na_value=False)
    first = messages[is_publish].drop_duplicates("row")
    has_publish = np.zeros(len(packets), np.bool_)
    has_publish[first["row"]] = True
    published = Reader(chosen).first(sent_in(packets, first))
    series = np.full(len(packets), None, object)
    series[published.row] = published.series
    syn, rst = (packets[name].to_numpy(np.float64, na_value=np.nan) for name in ("tcp_syn", "tcp_rst"))
    protocol, time_ns = packets["protocol"].to_numpy(object), packets["time_ns"].to_numpy()
    columns = Derivation().follow(
        time_ns, packets["flow"].to_numpy(), protocol, syn, rst, has_publish, published
    )
    return {"series": pd.Categorical(series), **columns}


def _decoded(
    files: Sequence[Path], shards: Sequence[int], mqtt: MqttOptions
) -> tuple[pd.DataFrame, pd.DataFrame, int, tuple[str, ...]]:
    """Return packets, messages, the number of holes, and remarks; the decoder's memory is freed before the tables are made."""
    decoder = Decoder(mqtt.ports, version=mqtt.version)
    batches = list(decoder.decode(files, shards))
    gaps, remarks = decoder.gaps, tuple(decoder.remarks())
    del decoder
    messages = _pandas([batch.messages for batch in batches], "messages")
    return _pandas([batch.packets for batch in batches], "packets"), messages, gaps, remarks


def _pandas(batches: list[pa.RecordBatch], level: Level) -> pd.DataFrame:
    """Return record batches as one table: numbers have 64 bits, text becomes categories."""
    table = pa.Table.from_batches(batches, SCHEMAS[level])
    return pd.DataFrame({field.name: _series(table[field.name], field) for field in table.schema})


def _series(column: pa.ChunkedArray, field: pa.Field) -> Any:
    if pa.types.is_integer(field.type) and field.nullable:
        filled = column.fill_null(0).to_numpy().astype(np.int64)
        return pd.arrays.IntegerArray(filled, column.is_null().to_numpy())
    if pa.types.is_integer(field.type):
        return column.to_numpy().astype(np.int64)
    if pa.types.is_floating(field.type):
        return column.to_numpy()
    if pa.types.is_timestamp(field.type):
        return pd.to_datetime(column.cast(pa.int64()).to_numpy(), utc=True)
    return _category(column)


def _category(column: pa.ChunkedArray) -> pd.Categorical:
    """Return text as categories in the order of their appearance; bytes become text, one character per byte."""
    plain = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    coded = column.cast(plain).dictionary_encode().combine_chunks()
    words = [word.decode(BYTES) if isinstance(word, bytes) else word for word in coded.dictionary.to_pylist()]
    unique = pd.Index(list(dict.fromkeys(words)), dtype="str")
    codes = coded.indices.fill_null(-1).to_numpy().astype(np.int64)
    places = np.append(unique.get_indexer(pd.Index(words, dtype="str")), -1)
    return pd.Categorical.from_codes(places[codes], unique)
