"""The Arrow schema of a level: the same for every week, whatever its texts and numbers are."""

import json
from functools import cache

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Column, Level, columns
from coldaisle_contracts.errors import InputError

TEXT = pa.dictionary(pa.int32(), pa.string())
"""Type of columns with text: a week's own files number their texts with as few bits as that week needs."""
_TYPES = {"category": TEXT, "datetime64[ns, UTC]": pa.timestamp("ns", "UTC"), "binary[pyarrow]": pa.binary()}

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.binary(): pd.ArrowDtype(pa.binary()),
}
"""Types of pandas that lose nothing on the way, missing values included."""


def _type(column: Column) -> pa.DataType:
    """Return the Arrow type of a column; capital ``Int`` types of pandas are those of Arrow, which may be missing anyway."""
    return _TYPES.get(column.dtype) or pa.type_for_alias(column.dtype.lower())


@cache
def schema_of(level: Level) -> pa.Schema:
    """Return the schema of a level, its columns in the order of the files."""
    return pa.schema([(column.name, _type(column)) for column in columns(level)])


@cache
def pandas_notes(level: Level) -> dict[bytes, bytes]:
    """Return the notes for pandas in a file of a level: without them pandas reads whole numbers of which some are missing as floats.

    Only columns that need a note have one, because each file holds them all.

    Args:
        level: the level.
    """
    empty = frame_of(schema_of(level).empty_table(), level)
    notes = json.loads(pa.Schema.from_pandas(empty, preserve_index=False).metadata[b"pandas"])
    notes["columns"] = [column for column in notes["columns"] if column["numpy_type"].startswith("Int")]
    return {b"pandas": json.dumps(notes, separators=(",", ":")).encode()}


def conformed(table: pa.Table, level: Level, place: object) -> pa.Table:
    """Return a table with exactly the columns of a level, in their order and of their types.

    Args:
        table: rows of the level, with more columns or in another order.
        level: the level.
        place: the table's file, for the sentence of the error.

    Raises:
        InputError: if a column is missing or has values that its type cannot hold.
    """
    schema = schema_of(level)
    for name in schema.names:
        if name not in table.column_names:
            remedy = f"column {name} is missing: play the week again with this version of coldaisle"
            raise InputError(str(place), remedy)
    try:
        arrays = [_cast(table.column(field.name), field.type) for field in schema]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        remedy = (
            f"its columns are not those of level {level} in this version of coldaisle: play the week again"
        )
        raise InputError(str(place), remedy) from error
    return pa.table(arrays, schema=schema)


def frame_of(table: pa.Table, level: Level) -> pd.DataFrame:
    """Return rows of a level as pandas has them of a run: whole numbers stay whole where some are missing, text is categories.

    Args:
        table: rows with columns of the level, and perhaps others.
        level: the level.
    """
    dtypes = {column.name: column.dtype for column in columns(level) if column.name in table.column_names}
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get)
    return frame.astype(dtypes)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    if kind == TEXT:  # by way of plain text: where all are missing a dictionary holds no text at all
        return column.cast(pa.string()).dictionary_encode()
    return column.cast(kind)
