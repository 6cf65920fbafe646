"""Recorded values that a companion publishes again: pairs of a time and a text, written in a site file or read from a CSV file beside it."""

import csv
import io
import math
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from coldaisle_contracts import texts
from coldaisle_contracts.errors import InputError

Records = tuple[tuple[float, str], ...]
"""Recorded values in order: time from the first reading of the run, in s, and the value as text."""
MOST_RECORDS = 10_000
"""Most records of a companion, because the plan holds all of them."""
_LONGEST = 200
"""Most characters of a value."""
_LATEST_S = 92 * 86_400
"""Latest time of a record, in s: the longest run."""
_MOST_BYTES = 4 << 20
_OFFSET, _TIME, _VALUE = "offset_s", "time", "value"
_DENSE_S = 10
"""Length of the windows in which records are counted, in s: the shortest interval of a run."""


def fault(records: object) -> str:
    """Return what would be right where records in a site file are wrong, as the second half of a sentence; else an empty text."""
    if not isinstance(records, list | tuple) or not records:
        return (
            "name a CSV file beside this file, or write a list of pairs such as [[0, '21.5'], [60, '21.7']]"
        )
    if len(records) > MOST_RECORDS:
        return f"write at most {MOST_RECORDS:,} pairs"
    before = 0.0
    for place, record in enumerate(records, 1):
        if not isinstance(record, list | tuple) or len(record) != 2:  # noqa: PLR2004 - a pair
            written = list(record) if isinstance(record, tuple) else record
            return f"pair {place} is {written!r}: write a time in s and a text, such as [60, '21.7']"
        offset, value = record
        numeric = isinstance(offset, int | float) and not isinstance(offset, bool)
        if not numeric or not before <= offset <= _LATEST_S:
            return f"the time of pair {place} is {offset!r}: {_time_remedy(before)}"
        if not isinstance(value, str) or _value_remedy(value):
            return f"the value of pair {place} is {value!r}: {_value_remedy(str(value)) or 'write it in quotation marks'}"
        before = offset
    return ""


def most_per_second(records: Records) -> float:
    """Return the greatest number of records in any 10 s, in 1/s."""
    times = [offset for offset, _ in records]
    counts = (bisect_left(times, offset + _DENSE_S) - place for place, offset in enumerate(times))
    return max(counts, default=0) / _DENSE_S


def read_records(path: Path) -> Records:
    """Read a CSV file whose first row names the columns ``value`` and either ``offset_s`` or ``time`` (ISO 8601, counted from the first row).

    Raises:
        InputError: with file, row, value and remedy.
    """
    text = texts.read_text(path, "name a readable CSV file, relative to the file that names it", _MOST_BYTES)
    rows = _rows(path, text)
    header = [name.strip() for name in next(rows, [])]
    timed = [name for name in (_OFFSET, _TIME) if name in header]
    if header.count(_VALUE) != 1 or len(timed) != 1 or header.count(timed[0]) != 1:
        remedy = f"name the column {_VALUE} and one of {_OFFSET} and {_TIME}, each once"
        raise InputError(f"{path}: row 1", remedy, ",".join(header))
    records = list[tuple[float, str]]()
    begin: datetime | None = None
    for number, row in enumerate(rows, 2):
        place = f"{path}: row {number}"
        if len(records) == MOST_RECORDS:
            raise InputError(
                place, f"keep at most {MOST_RECORDS:,} rows of values, because the plan holds them"
            )
        if len(row) != len(header):
            raise InputError(place, f"write {len(header)} cells as in the first row", ",".join(row))
        when, value = row[header.index(timed[0])].strip(), row[header.index(_VALUE)].strip()
        if timed[0] == _TIME:
            moment = _moment(place, when, begin)
            begin = begin or moment
            offset = (moment - begin).total_seconds()
        else:
            offset = _number(when)
        before = records[-1][0] if records else 0.0
        if not before <= offset <= _LATEST_S:  # not a number fails, too
            raise InputError(f"{place}: column {timed[0]}", _time_remedy(before), when)
        if remedy := _value_remedy(value):
            raise InputError(f"{place}: column {_VALUE}", remedy, value)
        records.append((offset, value))
    if not records:
        raise InputError(path, "add a row with a value")
    return tuple(records)


def _rows(path: Path, text: str) -> Iterator[list[str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}: row {number}", f"write valid CSV ({error})") from error
        yield row
        number += 1


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _moment(place: str, text: str, begin: datetime | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{place}: column {_TIME}", "write a time such as 2026-03-02T08:30:00", text
        ) from error
    if begin is not None and (moment.tzinfo is None) != (begin.tzinfo is None):
        raise InputError(f"{place}: column {_TIME}", "write all times with an offset from UTC, or none", text)
    return moment


def _time_remedy(before: float) -> str:
    return f"give a number of seconds from {before:g}, the one before, to {_LATEST_S:,}, in the order of time"


def _value_remedy(value: str) -> str:
    if not value:
        return "write a value"
    if len(value) > _LONGEST or not value.isprintable():
        return f"write at most {_LONGEST} characters that can be printed"
    return ""
