"""Format ``csv``: every level as text; missing values are empty."""

from pathlib import Path

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.export.source import Source


def write(source: Source, folder: Path) -> None:
    """Write ``LEVEL.csv`` for each level."""
    for level in LEVELS:
        tables.write(source.level(level), folder / level, ("csv",))
