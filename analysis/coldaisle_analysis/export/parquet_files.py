"""Format ``parquet``: every level, typed and compressed (zstd), one folder per day as Hive names them."""

from pathlib import Path

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.export.source import Source


def write(source: Source, folder: Path) -> None:
    """Write ``LEVEL/day=N/part-0.parquet`` for each level and day."""
    for level in LEVELS:
        tables.partition(source.level(level), folder / level, "day")
