"""The files of a table, and their rows as one table."""

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from coldaisle_analysis.audit.foreign.rows import Rows, chunk
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import refuse_odd

REMEDY = "give a run, or a readable table with a label column: CSV, Parquet, Zeek log or ARFF"
_TABLE = re.compile(
    r"\.(csv|tsv|parquet|log|log.labeled|labeled|arff|binetflow)(\.(gz|zst|bz2|xz))?$", re.IGNORECASE
)
"""Names of the files in a folder that are read as tables."""
_ROWS = 1 << 20
"""Rows of a Parquet file that are read at once."""
_NAMED = 5

Chunk = np.ndarray | pd.Categorical


def is_table(place: Path) -> bool:
    """Tell whether a place is a file, a pattern of files, or a folder with tables."""
    return (
        place.is_file()
        or bool(_matches(place))
        or (place.is_dir() and any(map(_is_named_so, place.iterdir())))
    )


def files_of(places: Sequence[Path], remarks: list[str]) -> list[Path]:
    """Return the files that are meant by files, folders and patterns such as ``Day*.csv``, each once, in natural order.

    Raises:
        InputError: if a place holds no table.
    """
    files: list[Path] = []
    for place in places:
        inside = _matches(place)
        if place.is_dir():
            inside = sorted((path for path in place.iterdir() if _is_named_so(path)), key=_natural)
            left = sorted(path.name for path in place.iterdir() if path not in inside)
            if left:
                remarks.append(
                    f"{place.name}: {len(left)} entries of the folder were not read, such as {', '.join(left[:_NAMED])}."
                )
        files += inside or [place]
    for path in files:
        refuse_odd(path, REMEDY)
    if len(files) > 1:
        remarks.append(
            f"{len(files)} files were read as one table, from {files[0].name} to {files[-1].name}."
        )
    return list(dict.fromkeys(files))


def read(paths: Sequence[Path], remarks: list[str]) -> pd.DataFrame:
    """Return the rows of files as one table: columns of numbers, times, or text as categories.

    Args:
        paths: files with the same columns.
        remarks: what a reader should know is added here.

    Raises:
        InputError: if a file cannot be read, or has other columns than the first.
    """
    rows = Rows(remarks=remarks)
    columns: dict[str, list[Chunk]] = {}
    for path in paths:
        for table in _tables(path, rows):
            for name in table.column_names:
                columns.setdefault(name, []).append(chunk(table[name]))
    late = [
        name
        for name, chunks in columns.items()
        if len({isinstance(part, pd.Categorical) for part in chunks}) > 1
    ]
    if late:
        _again(paths, rows, columns, late)
    for noun, count in rows.removed.items():
        remarks.append(f"{count:,} {noun} were left out.")
    frame = {name: _joined(columns.pop(name)) for name in list(columns)}
    return pd.DataFrame(frame, columns=list(rows.names), copy=False)


def _again(paths: Sequence[Path], rows: Rows, columns: dict[str, list[Chunk]], late: Sequence[str]) -> None:
    """Read columns again as text, in which text came after numbers."""
    again = Rows(names=rows.names, texts=set(rows.texts) | set(late))
    for name in late:
        columns[name] = []
    for path in paths:
        for table in _tables(path, again, late):
            for name in late:
                columns[name].append(chunk(table[name]))


def _tables(path: Path, rows: Rows, names: Sequence[str] = ()) -> Iterator[pa.Table]:
    """Yield the rows of a file in parts, whatever form it has."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror}): {REMEDY}") from error
    if not is_parquet and path.suffix.lower() == ".parquet":
        raise InputError(path, f"is no Parquet file: {REMEDY}")
    yield from _parquet(path, rows, names) if is_parquet else rows.tables(path, names)


def _parquet(path: Path, rows: Rows, names: Sequence[str]) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            rows.expect(tuple(name for name in schema.names if not name.startswith("__index_level_")), path)
            for batch in file.iter_batches(_ROWS, columns=list(names or rows.names)):
                batch.validate(full=True)  # text that is no UTF-8 would fail later
                yield _plain(pa.Table.from_batches([batch]), rows.texts)
    except (OSError, pa.ArrowException) as error:
        raise InputError(path, f"cannot be read ({error}): {REMEDY}") from error


def _plain(table: pa.Table, texts: set[str]) -> pa.Table:
    """Return a table with numbers, times and text only: everything else is written as text."""
    for number, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        if pa.types.is_dictionary(kind):
            table = table.set_column(number, name, table[name].cast(kind.value_type))
            kind = kind.value_type
        if name in texts or not (_is_number(kind) or pa.types.is_timestamp(kind)):
            texts.add(name)
            column = (
                table[name]
                if pa.types.is_string(kind) or pa.types.is_large_string(kind)
                else _written(table[name])
            )
            table = table.set_column(number, name, column.cast(pa.string()).dictionary_encode())
    return table


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        return pa.chunked_array(
            [pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())]
        )


def _joined(chunks: list[Chunk]) -> Chunk:
    """Return the parts of a column as one array; the parts are let go."""
    texts = [part for part in chunks if isinstance(part, pd.Categorical)]
    whole: Chunk = pd.api.types.union_categoricals(texts) if texts else np.concatenate(chunks)
    chunks.clear()
    return whole


def _matches(place: Path) -> list[Path]:
    """Return the files of a pattern; a file of just this name comes first."""
    if place.exists() or not glob.has_magic(str(place)):
        return []
    names = glob.glob(str(place), recursive=True)  # noqa: PTH207 - a pattern may be absolute
    return sorted((path for path in map(Path, names) if path.is_file()), key=_natural)


def _is_named_so(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and bool(_TABLE.search(path.name))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Return a key that puts ``Day2`` before ``Day10``."""
    return [
        (int(part), "") if part.isdigit() else (-1, part.lower()) for part in re.split(r"(\d+)", str(path))
    ]
