"""The tables of a decoded capture as Parquet, written batch by batch, each file appearing whole by rename.

A batch is a row group. Which encoding and compression a column gets was measured on a million small MQTT packets: what
hardly changes from row to row is smallest and quickest plain under zstd, what counts up as differences, a fraction split
by bytes; on the last digits of a time zstd gains 10 % and takes half the time of the whole table, so it is left out there.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from coldaisle_analysis.columns import WIRE
from coldaisle_analysis.decoding.decoder import Decoder
from coldaisle_analysis.decoding.schema import SCHEMAS
from coldaisle_contracts.unforeseen import refused

_COUNTS_UP = frozenset(
    {
        "frame", "frame_in_file", "time", "flow", "frame_len", "ip_len", "ip_id", "tcp_srcport", "tcp_dstport", "tcp_seq",
        "tcp_ack", "tcp_len", "tcp_tsval", "tcp_tsecr",
    }
)  # fmt: skip
"""Whole numbers that differ little from the row before."""
_RANDOM = frozenset(
    {
        "flow_duration",
        "flow_iat",
        "dir_iat",
        "reply_s",
        "flow_mean_bytes",
        "dir_mean_bytes",
        "tcp_seq",
        "tcp_ack",
        "time",
    }
)
"""What compression gains next to nothing on."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: ``packets.parquet`` and ``messages.parquet``.
        frames: rows of packets.
        messages: rows of messages.
        remarks: a sentence for each thing a reader should know.
    """

    files: tuple[Path, ...]
    frames: int
    messages: int
    remarks: tuple[str, ...]


def write(paths: Sequence[Path], folder: Path, decoder: Decoder | None = None) -> Written:
    """Decode captures into ``packets.parquet`` and ``messages.parquet`` in a folder, made if need be.

    Args:
        paths: the captures, in order of time.
        folder: where the tables go; nothing of them is left there when something is wrong.
        decoder: what decodes them.

    Raises:
        InputError: if a capture cannot be read or the folder cannot be written to.
    """
    decoder = decoder or Decoder()
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    files = tuple(folder / f"{level}.parquet" for level in WIRE)
    unfinished = tuple(path.with_name(f".{path.name}") for path in files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = _fill(paths, decoder, unfinished)
        for hidden, path in zip(unfinished, files, strict=True):
            hidden.replace(path)
    except BaseException as error:
        _undo(unfinished, made)
        if isinstance(error, OSError):
            raise refused(error, error.filename or folder) from error
        raise
    return Written(files, *counts, tuple(decoder.remarks()))


def _fill(paths: Sequence[Path], decoder: Decoder, files: Sequence[Path]) -> tuple[int, int]:
    """Write both tables and return their numbers of rows."""
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pq.ParquetWriter(path, SCHEMAS[level], **_options(SCHEMAS[level])))
            for path, level in zip(files, WIRE, strict=True)
        ]
        frames = found = 0
        for batch in decoder.decode(paths, reuse=True):
            for writer, rows in zip(writers, (batch.packets, batch.messages), strict=True):
                writer.write_batch(rows)
            frames, found = frames + batch.packets.num_rows, found + batch.messages.num_rows
    return frames, found


def _undo(files: Sequence[Path], folders: Sequence[Path]) -> None:
    """Take away what was begun."""
    for path in files:
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _options(schema: pa.Schema) -> dict[str, Any]:
    """Return how the columns are encoded and compressed."""
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    encodings = {field.name: _encoding(field) for field in schema if field.name not in words}
    compression = {name: "none" if name in _RANDOM else "zstd" for name in schema.names}
    return {
        "use_dictionary": words,
        "column_encoding": encodings,
        "compression": compression,
        "compression_level": {name: 1 for name, kind in compression.items() if kind == "zstd"},
        "data_page_version": "2.0",
        "write_statistics": ["frame", "time"],
        "write_batch_size": 1 << 17,
    }


def _encoding(field: pa.Field) -> str:
    if field.name in _COUNTS_UP:
        return "DELTA_BINARY_PACKED"
    if pa.types.is_floating(field.type) and field.name not in _RANDOM:
        return "BYTE_STREAM_SPLIT"
    return "PLAIN"
