"""A level of many weeks as one pyarrow dataset, which reads nothing until it is asked: of a campaign's folder, or of its export."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.dataset  # type: ignore[import-untyped]
import pyarrow.fs  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

from coldaisle_analysis.columns import Level
from coldaisle_analysis.weeks.schema import TEXT, frame_of, schema_of
from coldaisle_analysis.weeks.splits import ROLES, SPLITS, SubsetFile
from coldaisle_contracts.campaign import TASKS, CampaignFolder, Role
from coldaisle_contracts.errors import InputError

_REMEDY = "name the folder of a campaign, or what `coldaisle campaign export` made of it"

_UNREADABLE = (OSError, ValueError, pa.ArrowException)
"""What pyarrow and pandas raise for a damaged file."""


class Part(NamedTuple):
    """A file with rows of a level.

    Attributes:
        path: the file.
        subset: the subset of its week.
        week: name of its week.
        day: its day; ``None`` where it has all days of the week, and a column for them.
    """

    path: Path
    subset: Role
    week: str
    day: int | None = None


def parts(place: Path, level: Level, subset: Role | None = None, scenario: str | None = None) -> list[Part]:
    """Return the files of a level, week by week in the order of the campaign.

    Args:
        place: folder of a campaign, or of its export.
        level: the level.
        subset: the subset; all when left out.
        scenario: name of a scenario; all when left out.

    Raises:
        InputError: if the folder is neither, or has no such week.
    """
    listed = _of_campaign if (place / TASKS).exists() else _of_export if (place / SPLITS).is_dir() else None
    if listed is None:
        raise InputError(place, _REMEDY)
    files = list(listed(place, level, subset, scenario))
    if not files:
        wanted = " ".join(filter(None, [subset and f"subset {subset}", scenario and f"scenario {scenario}"]))
        raise InputError(place, f"no week{wanted and f' of {wanted}'} was played: run the campaign first")
    return files


def _of_campaign(place: Path, level: Level, subset: Role | None, scenario: str | None) -> Iterator[Part]:
    folder = CampaignFolder(place)
    for week in folder.done(subset, scenario):
        yield Part(folder.run_of(week) / "dataset" / f"{level}.parquet", week.role, week.name)


def _of_export(place: Path, level: Level, subset: Role | None, scenario: str | None) -> Iterator[Part]:
    for role in ROLES if subset is None else (subset,):
        for member in SubsetFile.load(place, role).weeks:
            if scenario in (None, member.scenario):
                folder = place / level / f"subset={role}" / f"week={member.week}"
                days = ((_day(path), path) for path in folder.glob("day=*/part.parquet"))
                yield from (Part(path, role, member.week, day) for day, path in sorted(days))


def _day(path: Path) -> int:
    number = re.fullmatch(r"day=(\d{1,4})", path.parent.name)
    if number is None:
        raise InputError(path.parent, "such a folder is not of an export: export the campaign again")
    return int(number[1])


def dataset_of(files: list[Part], level: Level) -> pa.dataset.FileSystemDataset:
    """Return files of a level as one dataset with the level's columns, and ``subset`` and ``week`` before them.

    Raises:
        InputError: if a file is missing, is no Parquet, or lacks a column.
    """
    form, system, schema = pa.dataset.ParquetFileFormat(), pa.fs.LocalFileSystem(), whole_schema(level)
    for file in files:
        _refuse_odd(file, level)
    fragments = [form.make_fragment(str(file.path), system, _known(file)) for file in files]
    return pa.dataset.FileSystemDataset(fragments, schema, form, system)


def whole_schema(level: Level) -> pa.Schema:
    """Return the schema of a level of many weeks."""
    return pa.schema([pa.field("subset", TEXT), pa.field("week", TEXT), *schema_of(level)])


def _known(file: Part) -> pa.dataset.Expression:
    """Return what the path of a file says of its rows."""
    field = pa.dataset.field
    known = (field("subset") == file.subset) & (field("week") == file.week)
    return known if file.day is None else known & (field("day") == pa.scalar(file.day, pa.int16()))


def _refuse_odd(file: Part, level: Level) -> None:
    try:
        names = pa.parquet.read_schema(file.path).names
    except _UNREADABLE as error:
        remedy = "it is missing or is no Parquet file: run the campaign again, or export it again"
        raise InputError(file.path, remedy) from error
    expected = set(schema_of(level).names) - ({"day"} if file.day is not None else set())
    if lacking := sorted(expected - set(names)):
        remedy = f"column {lacking[0]} is missing: play the week again with this version of coldaisle"
        raise InputError(file.path, remedy)


def read_frame(rows: pa.dataset.Dataset, level: Level, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a dataset of :func:`dataset_of` into memory, with the dtypes that a run's level has.

    Args:
        rows: the dataset.
        level: its level.
        columns: names of the columns to read; all when left out.

    Raises:
        InputError: if a file is damaged.
    """
    try:
        return frame_of(rows.to_table(columns=columns and list(dict.fromkeys(columns))), level)
    except _UNREADABLE as error:
        remedy = "it is damaged: export the campaign again, or play the week again"
        raise InputError(_first_damaged(rows), remedy) from error


def _first_damaged(rows: pa.dataset.Dataset) -> str:
    """Return the first file of a dataset that cannot be read, and the last where each can be read alone."""
    path = ""
    for fragment in rows.get_fragments():
        path = fragment.path
        try:
            fragment.to_table().to_pandas()
        except _UNREADABLE:
            break
    return path
