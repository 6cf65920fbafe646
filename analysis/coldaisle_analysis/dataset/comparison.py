"""Comparison of a table that was derived again with the one on disk: columns, rows, then values.

Floating-point numbers may differ by one part in 10⁹, because another processor may add them up in another order.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

from coldaisle_analysis import tables

CLOSE = 1e-9
"""Largest relative difference between floating-point numbers that count as equal."""
_FEW = 5
"""Most columns that a sentence names."""


def differences(
    frame: pd.DataFrame, run: Path, name: str, version: str = "", *, has_csv: bool = True
) -> Iterator[str]:
    """Yield a sentence for each file of a table, Parquet and CSV, that differs from the derived table.

    Args:
        frame: the table that was derived again.
        run: the run's folder.
        name: path of the table in that folder, without suffix, such as ``dataset/packets``.
        version: version that made the run, if it is not this one; the sentences name it.
        has_csv: whether the run has the table as CSV, too.
    """
    derived = pa.Table.from_pandas(frame, preserve_index=False)
    file = f"{name}.parquet"
    try:
        stored = pa.parquet.read_table(run / file, memory_map=True)
    except (OSError, pa.ArrowInvalid) as error:
        yield f"{file}: cannot be read ({str(error).splitlines()[0]})"
    else:
        yield from _table(file, stored, derived, version)
    if has_csv:
        yield from _as_text(derived, run, f"{name}.csv", version)


def _as_text(derived: pa.Table, run: Path, file: str, version: str) -> Iterator[str]:
    """Yield how the CSV of a table differs from the derived table."""
    try:
        text = (run / file).read_bytes()
    except OSError as error:
        yield f"{file}: cannot be read ({error.strerror})"
        return
    if text != (fresh := tables.as_csv(derived)):
        yield from _csv(file, text.decode("utf-8", "replace"), fresh.decode(), version)


def _table(file: str, stored: Any, derived: Any, version: str) -> Iterator[str]:
    """Yield how a Parquet table differs from the derived one."""
    was = {field.name: _plain(field.type) for field in stored.schema}
    now = {field.name: _plain(field.type) for field in derived.schema}
    common = [name for name in now if was.get(name) == now[name]]
    if list(was.items()) != list(now.items()):
        yield _columns(
            file,
            [name for name in was if name not in common],
            [name for name in now if name not in common],
            version,
        )
    if stored.num_rows != derived.num_rows:
        yield f"{file}: has {stored.num_rows:,} rows, captures and journals give {derived.num_rows:,}"
        return
    masks = {name: _differ(stored.column(name), derived.column(name)) for name in common}
    rows = {name: np.flatnonzero(mask) for name, mask in masks.items() if mask.any()}
    if rows:
        first = min(rows, key=lambda name: rows[name][0])
        row = int(rows[first][0])
        yield _values(
            file,
            rows,
            row,
            first,
            stored.column(first)[row].as_py(),
            derived.column(first)[row].as_py(),
            version,
        )


def _plain(kind: Any) -> str:
    """Return the name of a type; how Arrow encodes texts is ignored."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return str(plain).removeprefix("large_")


def _differ(stored: Any, derived: Any) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return in which rows two columns of one type differ."""
    left, right = (column.combine_chunks() for column in (stored, derived))
    if pa.types.is_floating(right.type):
        a, b = (np.asarray(column.to_numpy(zero_copy_only=False), np.float64) for column in (left, right))
        return ~np.isclose(a, b, rtol=CLOSE, atol=0.0, equal_nan=True)
    plain = right.type.value_type if pa.types.is_dictionary(right.type) else right.type
    if pa.types.is_null(plain):  # a column without a single value
        return np.zeros(len(right), np.bool_)
    left, right = (column.cast(plain) for column in (left, right))
    missing = pc.xor(left.is_null(), right.is_null())
    other = pc.fill_null(pc.not_equal(left, right), fill_value=False)
    return np.asarray(pc.or_(missing, other).to_numpy(zero_copy_only=False), np.bool_)


def _csv(file: str, text: str, fresh: str, version: str) -> Iterator[str]:
    """Yield how a CSV table differs from the derived one."""
    stored, derived = (list(csv.reader(io.StringIO(whole))) for whole in (text, fresh))
    was, now = (rows[0] if rows else [] for rows in (stored, derived))
    if was != now:
        yield _columns(
            file,
            [name for name in was if name not in now],
            [name for name in now if name not in was],
            version,
        )
    if len(stored) != len(derived):
        yield f"{file}: has {len(stored) - 1:,} rows, captures and journals give {len(derived) - 1:,}"
        return
    at = [(was.index(name), now.index(name), name) for name in now if name in was]
    rows: dict[str, list[int]] = {}
    for number, (stored_row, derived_row) in enumerate(zip(stored[1:], derived[1:], strict=True)):
        for left, right, name in at:
            if left >= len(stored_row) or (
                stored_row[left] != derived_row[right] and not _close(stored_row[left], derived_row[right])
            ):
                rows.setdefault(name, []).append(number)
    if rows:
        first = min(rows, key=lambda name: rows[name][0])
        row = rows[first][0]
        stored_row, derived_row = stored[row + 1], derived[row + 1]
        left, right = was.index(first), now.index(first)
        was_value = stored_row[left] if left < len(stored_row) else None
        yield _values(file, rows, row, first, was_value, derived_row[right], version)


def _close(left: str, right: str) -> bool:
    """Return whether two texts are nearly the same floating-point number."""
    try:
        return "." in left + right and bool(np.isclose(float(left), float(right), rtol=CLOSE, atol=0.0))
    except ValueError:
        return False


def _columns(file: str, gone: Sequence[str], fresh: Sequence[str], version: str) -> str:
    """Return a sentence on columns that changed."""
    parts = [
        f"{verb} {', '.join(names[:_FEW])}{' and others' if len(names) > _FEW else ''}"
        for verb, names in (("has the column", gone), ("lacks or has otherwise", fresh))
        if names
    ]
    return f"{file}: {' and '.join(parts) or 'has its columns in another order'}{_because(version, 'has other columns')}"


def _because(version: str, change: str) -> str:
    """Return the end of a sentence about a run of another version; empty for a run of this version."""
    return f" ({version}; this version may be what {change}: verify it with that one)" if version else ""


def _values(
    file: str, rows: dict[str, Any], row: int, column: str, stored: object, derived: object, version: str
) -> str:
    """Return a sentence on values that differ."""
    every = len(set[int]().union(*(map(int, numbers) for numbers in rows.values())))
    names = [column, *(name for name in rows if name != column)]
    also = (
        f" (and {', '.join(names[1:_FEW])}{' and others' if len(names) > _FEW else ''} differ)"
        if names[1:]
        else ""
    )
    return (
        f"{file}: {every:,} rows are not what captures and journals give, the first is row {row + 1}: "
        f"{column} is {stored!r} instead of {derived!r}{also}{_because(version, 'computes them otherwise')}"
    )
