"""Tables as files: Parquet (zstd) and CSV, each renamed into place when it is whole."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv  # type: ignore[import-untyped]
import pyarrow.dataset  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.unforeseen import refused

FORMS = ("parquet", "csv")
"""Forms of a table; the first is that of every dataset."""


def write(frame: pd.DataFrame, stem: Path, forms: Sequence[str] = FORMS) -> list[Path]:
    """Write a table as ``stem.parquet`` and ``stem.csv`` and return their paths.

    Args:
        frame: the table.
        stem: path of the files without suffix; its folder is made if it is missing.
        forms: which of :data:`FORMS` to write.

    Raises:
        InputError: if the folder cannot be written to.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    paths = [stem.with_suffix(f".{form}") for form in forms]
    try:
        path = stem.parent
        path.mkdir(parents=True, exist_ok=True)
        for path in paths:
            _WRITERS[path.suffix](table, _unfinished(path))
        for path in paths:
            _unfinished(path).replace(path)
    except OSError as error:
        for path in paths:
            with suppress(OSError):
                _unfinished(path).unlink()
        raise refused(error, error.filename or path) from error
    return paths


def partition(frame: pd.DataFrame, folder: Path, column: str) -> None:
    """Write a table as Parquet (zstd), one folder ``column=value`` per value of the column, as Hive names them.

    Only the names of the folders hold the column itself. Readers (DuckDB, Polars, pandas, Spark) restore it from them.

    Args:
        frame: the table.
        folder: folder of the partitions; it is made if it is missing.
        column: the column to divide the table by.

    Raises:
        OSError: if the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    form = pa.dataset.ParquetFileFormat()
    pa.dataset.write_dataset(
        pa.Table.from_pandas(frame, preserve_index=False),
        folder,
        format=form,
        file_options=form.make_write_options(compression="zstd"),
        partitioning=[column],
        partitioning_flavor="hive",
        max_partitions=max(frame[column].nunique(), 1),
        use_threads=False,  # keeps the rows in order
    )


def read(path: Path) -> pd.DataFrame:
    """Read a Parquet table.

    Raises:
        InputError: if it is missing or is not Parquet.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, "name the Parquet file of a finished run, in its dataset folder") from error


def rows_of(path: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer.

    Raises:
        InputError: if it is missing or is not Parquet.
    """
    try:
        return int(pa.parquet.read_metadata(path).num_rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(path, "name the Parquet file of a finished run, in its dataset folder") from error


def as_csv(table: pa.Table) -> bytes:
    """Return a table as the bytes of a CSV file."""
    out = pa.BufferOutputStream()
    pa.csv.write_csv(_plain(table), out)
    return bytes(out.getvalue())


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionary columns and bytes as plain text for CSV; invalid UTF-8 becomes escapes."""
    for index, field in enumerate(table.schema):
        column = table.column(index)
        if pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, column.cast(pa.string()))
        elif pa.types.is_binary(field.type):
            table = table.set_column(index, field.name, pa.array(map(_text, column.to_pylist()), pa.string()))
    return table


def _text(content: bytes | None) -> str | None:
    return content if content is None else content.decode("utf-8", "backslashreplace")


def _write_parquet(table: pa.Table, path: Path) -> None:
    pa.parquet.write_table(table, path, compression="zstd")


def _write_csv(table: pa.Table, path: Path) -> None:
    pa.csv.write_csv(_plain(table), path)


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {".parquet": _write_parquet, ".csv": _write_csv}


def read_level(run: Path, level: Level) -> pd.DataFrame:
    """Read one level of a finished run.

    Raises:
        InputError: if the run does not have the level, or not as Parquet.
    """
    path = run / "dataset" / f"{level}.parquet"
    if not path.exists():
        remedy = "is missing: a run made before coldaisle wrote this level has to be played again with `coldaisle up`"
        raise InputError(path, remedy)
    rows = read(path)
    if (
        level in {"packets", "readings"} and "series" not in rows
    ):  # coldaisle 0.2.0 had no such column: a client was a sensor
        rows["series"] = (
            rows["client"].where(rows["mqtt_value"].notna()) if level == "packets" else rows["client_id"]
        )
    return rows
