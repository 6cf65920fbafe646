"""The tables of a decoded capture as Parquet: written batch by batch, and renamed into place when they are whole.

A batch is a row group. While the kernel decodes one, threads write the one before, one thread a table: neither holds Python's lock.

The encoding and compression of each column were measured on a million small MQTT packets. LZ4 takes a fifth less of a processor's
time than zstd, and the files are 12 % larger. Columns that hardly change from row to row are fastest when stored plain, counting
columns are smallest as differences, and fractions split by bytes. On the last digits of a time compression gains little and costs
much, so it is left out there.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
        "frame", "frame_in_file", "time", "flow", "ip_id", "tcp_srcport", "tcp_dstport", "tcp_seq", "tcp_ack", "tcp_tsval",
    }
)  # fmt: skip
"""Columns of whole numbers that differ little from the row before."""
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
"""Columns that compression hardly makes smaller."""


@dataclass(frozen=True)
class Written:
    """The files of a decoded capture.

    Attributes:
        files: ``packets.parquet`` and ``messages.parquet``.
        frames: rows of packets.
        messages: rows of messages.
        remarks: sentences on flaws and limits, see :meth:`Decoder.remarks`.
    """

    files: tuple[Path, ...]
    frames: int
    messages: int
    remarks: tuple[str, ...]


def write(paths: Sequence[Path], folder: Path, decoder: Decoder | None = None) -> Written:
    """Decode captures into ``packets.parquet`` and ``messages.parquet`` in a folder, which is made if it is missing.

    Args:
        paths: the captures, in order of time.
        folder: folder of the tables; after an error nothing of them is left there.
        decoder: the decoder to use, a new one by default.

    Raises:
        InputError: if a capture cannot be read or the folder cannot be written to.

    Examples:
        >>> written = write([Path("site.pcapng")], Path("tables"))
        >>> [path.name for path in written.files], written.frames
        (['packets.parquet', 'messages.parquet'], 271)
    """
    decoder = decoder or Decoder()
    new_folders = [path for path in (folder, *folder.parents) if not path.exists()]
    files = tuple(folder / f"{level}.parquet" for level in WIRE)
    unfinished = tuple(path.with_name(f".{path.name}") for path in files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = _fill(paths, decoder, unfinished)
        for hidden, path in zip(unfinished, files, strict=True):
            hidden.replace(path)
    except BaseException as error:
        _undo(unfinished, new_folders)
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
        threads = stack.enter_context(ThreadPoolExecutor(len(writers)))  # ends first, whatever the error
        frames = messages = 0
        writing = list[Future[None]]()
        for batch in decoder.decode(paths, reuse=True):
            _finish(writing)
            writing = [
                threads.submit(writer.write_batch, rows)
                for writer, rows in zip(writers, (batch.packets, batch.messages), strict=True)
            ]
            frames, messages = frames + batch.packets.num_rows, messages + batch.messages.num_rows
        _finish(writing)
    return frames, messages


def _finish(writing: Sequence[Future[None]]) -> None:
    """Wait until a batch is written, or raise the error that prevented it."""
    for future in writing:
        future.result()


def _undo(files: Sequence[Path], folders: Sequence[Path]) -> None:
    """Remove unfinished files and new folders."""
    for path in files:
        with suppress(OSError):
            path.unlink()
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _options(schema: pa.Schema) -> dict[str, Any]:
    """Return the encoding and compression of the columns, as arguments of the writer."""
    words = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    encodings = {field.name: _encoding(field) for field in schema if field.name not in words}
    return {
        "use_dictionary": words,
        "column_encoding": encodings,
        "compression": {name: "none" if name in _RANDOM else "lz4" for name in schema.names},
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
