"""Rows of CSV, Parquet and JSON lines, with a frame number or with time, addresses and ports under usual names."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from coldaisle_analysis import tables
from coldaisle_analysis.judging.alerts import NAMES, VERDICTS
from coldaisle_analysis.judging.formats.json_lines import first_of, objects, small
from coldaisle_contracts.errors import InputError

PARQUET = b"PAR1"
"""The first bytes of a Parquet file."""
_DELIMITERS = ",;\t"
_PLACES = ("number", "time_ns", "src", "dst", "community_id", "uid")
"""Facts of which a table must have one, so that an alert can be placed."""


def is_it(head: str) -> bool:
    """Tell whether the first line is a header with a name that places an alert, or a JSON object."""
    return bool(first_of(head)) or _is_placed(_header(head))


def records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of a CSV file, or the objects of JSON lines."""
    if text.lstrip().startswith("{"):
        yield from ((f"line {number}", small(record)) for number, record in objects(path, text))
        return
    delimiter = _delimiter(text.lstrip().partition("\n")[0])
    reader = csv.reader(StringIO(text.lstrip("\n")), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from _of_cells(path, reader)
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}", f"write CSV ({error})") from error


def of_parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of a Parquet file."""
    table = tables.read(path)
    table.columns = [str(name).strip().lower() for name in table.columns]
    if not _is_placed(table.columns):
        raise InputError(path, _remedy(), ", ".join(table.columns))
    places = {name for key in NAMES.values() for name in key}
    kept = [name for name in table.columns if name in places or name in VERDICTS]
    columns = [table[name].astype("object").where(table[name].notna(), None).tolist() for name in kept]
    for number, cells in enumerate(zip(*columns, strict=True), 1):
        yield f"row {number}", dict(zip(kept, cells, strict=True))


def _of_cells(path: Path, reader: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    names: list[str] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [name.strip().lower() for name in cells]
        elif len(cells) != len(names):
            remedy = f"has {len(cells)} cells, the header {len(names)}: write as many"
            raise InputError(f"{path}: line {reader.line_num}", remedy)
        else:
            yield f"line {reader.line_num}", dict(zip(names, cells, strict=True))


def _delimiter(head: str) -> str:
    return max(_DELIMITERS, key=head.count)


def _header(head: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in head.split(_delimiter(head))]


def _is_placed(names: Iterable[str]) -> bool:
    return bool(set(names) & {name for key in _PLACES for name in NAMES[key]})


def _remedy() -> str:
    return "add a column that places an alert: frame, or time with src, src_port, dst and dst_port"
