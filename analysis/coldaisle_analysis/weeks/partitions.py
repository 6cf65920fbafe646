"""The rows of a week as Parquet files, one per level and day, in folders named as Hive names partitions."""

from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_analysis.evaluation.groups import together
from coldaisle_analysis.weeks.schema import TEXT, pandas_notes
from coldaisle_contracts.campaign import Role

GROUPS = "groups"
"""A column that the files have beside those of the level: what a split must not divide, such as ``week-3/e07``."""
COMPRESSION = 9
"""Level of zstd: beyond it files shrink by less than a hundredth and take twice the time."""
_MANY = 8
"""A column of floating-point numbers has many values if there are more than one for so many rows."""


def write(table: pa.Table, folder: Path, level: Level, subset: Role, week: str) -> None:
    """Write ``LEVEL/subset=…/week=…/day=N/part.parquet`` for each day that has rows.

    The folders alone hold subset, week and day; DuckDB, Polars and pandas restore them as columns. Readers that look at files
    only have the column :data:`GROUPS`.

    Args:
        table: the rows of a level of one week, with the level's schema.
        folder: folder of the data set.
        level: the level.
        subset: the subset of the week.
        week: its name.

    Raises:
        OSError: if the folder cannot be written to.
    """
    days = table.column("day")
    whole = table.drop_columns(["day"]).append_column(GROUPS, _groups(table, week))
    whole = whole.replace_schema_metadata(pandas_notes(level))
    encodings = _encodings(whole)
    plain = [name for name in whole.column_names if name not in encodings]
    for day in sorted(pc.unique(days).to_pylist()):
        place = folder / level / f"subset={subset}" / f"week={week}" / f"day={day}"
        place.mkdir(parents=True)
        pq.write_table(
            whole.filter(pc.equal(days, day)),
            place / "part.parquet",
            compression="zstd",
            compression_level=COMPRESSION,
            use_dictionary=plain,
            column_encoding=encodings,
        )


def _groups(table: pa.Table, week: str) -> pa.Array:
    """Return the group of each row, as ``load_campaign`` has it."""
    frame = table.select(["day", "hour", "episode"]).to_pandas()
    groups = np.char.add(f"{week}/", together(frame))
    return pa.array(groups).dictionary_encode().cast(TEXT)


def _encodings(table: pa.Table) -> dict[str, str]:
    """Return the encoding of the columns that Parquet's default, a dictionary of values, makes larger than need be.

    Times and counters become differences (DELTA_BINARY_PACKED). Measurements of which hardly two are equal become streams of their
    first bytes, second bytes and so on (BYTE_STREAM_SPLIT), which compress better.
    """
    encodings: dict[str, str] = {}
    for field in table.schema:
        if pa.types.is_int64(field.type) or pa.types.is_timestamp(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(field.type):
            values = pc.count_distinct(table.column(field.name), mode="only_valid").as_py()
            if values * _MANY > table.num_rows:
                encodings[field.name] = "BYTE_STREAM_SPLIT"
    return encodings
