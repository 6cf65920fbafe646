"""Times as people write them: ISO 8601, day or month first, names of months, epochs; all as UTC."""

import re
import sys

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.audit.foreign.values import bare, encoded
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

Instants = npt.NDArray[np.datetime64]

_STRAY = 0.05
"""Share of the rows that may lack a valid time."""
_FIRST, _LAST = pd.Timestamp("1950-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
_FARTHEST_NS = 9e18
"""Limits of the times of a data set; the time between any two then fits into 64 bits of ns, too."""
_EPOCH = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
"""Unit of an epoch, in ns, by its number of digits; any other number is in s."""
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_TIME, _WORDS = ("hour", "minute", "second", "fraction"), ("sign", "name", "half", "zone")
_AT_ONCE = 100_000
"""How many texts are taken apart at once."""
_UTC = {"", "Z", "z", "UTC", "GMT"}
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?\s*(?P<half>[AaPp])?(?(half)\.?[Mm]\.?)"
_ZONE = r"\s*(?P<zone>[A-Za-z][A-Za-z ]*|[-+]\d{2}(?::?\d{2})?)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)?"
FORMS = {
    "year": rf"(?P<year>\d{{4}})(?P<sign>[-/.])(?P<month>\d{{1,2}})(?P=sign)(?P<day>\d{{1,2}})(?:[T ,]+{_CLOCK}{_ZONE})?",
    "numbers": rf"(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<other>\d{{1,2}})(?P=sign)(?P<year>\d{{4}}|\d{{2}})(?:[T ,]+{_CLOCK}{_ZONE})?",
    "name": rf"{_WEEKDAY}(?P<day>\d{{1,2}})[-/. ](?P<name>[A-Za-z]{{3,9}})\.?[-/., ]+(?P<year>\d{{4}}|\d{{2}})(?:[T ,:]+{_CLOCK}{_ZONE})?",
    "month": rf"{_WEEKDAY}(?P<name>[A-Za-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})(?:[T ,]+{_CLOCK}{_ZONE})?",
    "ctime": rf"{_WEEKDAY}(?P<name>[A-Za-z]{{3,9}})\s+(?P<day>\d{{1,2}})\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})",
}
"""Regular expressions of a time: year first, numbers with the year last, day and name of the month, the name first, and as C's ctime."""


def times_of(column: pd.Series, place: str, remarks: list[str]) -> pd.Series:
    """Return a column as times in UTC; a row without a valid time has that of the previous row.

    Args:
        column: numbers (epochs in s, ms, µs or ns, by their number of digits), texts, or times.
        place: the table and the column, for sentences.
        remarks: what a reader should know is added here.

    Raises:
        InputError: if more than one row in twenty has no time that can be read, or day and month cannot be told apart.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        time = column.dt.tz_localize("UTC") if column.dt.tz is None else column.dt.tz_convert("UTC")
    elif pd.api.types.is_numeric_dtype(column):
        time = _epochs(column)
    else:
        time = _of_texts(column, place, remarks)
    time = time.where((time >= _FIRST) & (time <= _LAST))
    stray = time.isna().to_numpy()
    row = int(stray.argmax()) if len(stray) else 0
    if stray.sum() > _STRAY * len(stray):
        flaw = f"is no time in {int(stray.sum())} of {len(stray)} rows, the first of them row {row + 1}"
        raise InputError(place, f"{flaw}: rename it, or write ISO 8601", column.iloc[row])
    if stray.any():
        remarks.append(
            f"{place} has no valid time in {int(stray.sum()):,} of {len(stray):,} rows, the first of them row {row + 1}: each counts as the time of the previous row."
        )
    whole: pd.Series = time.astype("datetime64[ns, UTC]").ffill().bfill().reset_index(drop=True)
    return whole


def are_times(column: pd.Series) -> bool:
    """Tell whether a column of text holds times only, from its first values."""
    texts = [bare(text) for text in column.dropna().iloc[:200].unique()]
    texts = [text for text in texts if text]
    return bool(texts) and all(
        any(re.fullmatch(form, text, re.IGNORECASE) for form in FORMS.values()) for text in texts
    )


def _epochs(column: pd.Series) -> pd.Series:
    """Return numbers as times: epochs in s, ms, µs or ns."""
    dates = _dates(column)
    if dates is not None:
        return dates
    size = np.abs(column.to_numpy(np.float64, na_value=np.nan))
    finite = size[np.isfinite(size) & (size > 0)]
    scale = _EPOCH.get(len(str(int(np.median(finite)))) if len(finite) else 10, SECOND)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = pd.Series(size * scale < _FARTHEST_NS, column.index)
    epoch = column if inside.all() else column.where(inside)  # whole numbers stay exact if all are valid
    if epoch.dtype.kind in "iu":
        return pd.Series(pd.to_datetime(epoch.astype("int64") * scale, utc=True))
    return pd.Series(pd.to_datetime((epoch * scale).round(), utc=True, errors="coerce"))


def _dates(column: pd.Series) -> pd.Series | None:
    """Return numbers such as 20180312 as dates, if all are."""
    numbers = column.dropna()
    if not len(numbers) or numbers.min() < _FIRST.year * 10_000 or numbers.max() > _LAST.year * 10_000:
        return None
    dates = pd.to_datetime(numbers.astype("int64").astype("str"), format="%Y%m%d", utc=True, errors="coerce")
    return None if dates.isna().any() else dates.reindex(column.index)


def _of_texts(column: pd.Series, place: str, remarks: list[str]) -> pd.Series:
    codes, distinct = pd.factorize(column)
    texts = pd.Series([bare(text) for text in distinct], dtype="object")
    time = _iso(texts)
    parts = {name: _matches(texts[np.isnat(time)], form) for name, form in FORMS.items()}
    if np.isnat(time).all() and not any(map(len, parts.values())):
        numbers = encoded(column)
        unread = pd.Series(pd.NaT, column.index, dtype="datetime64[ns, UTC]")
        return unread if numbers.is_text else _epochs(pd.Series(numbers.numbers, column.index))
    day_first = _day_first(parts["numbers"], place, remarks)
    zones = _zones(pd.concat([part["zone"] for part in parts.values()]), place, remarks)
    for name, part in parts.items():
        if len(part):
            time[part.index] = _instants(part, _date(part, name, day_first)) - zones[part.index].to_numpy()
    times: pd.Series = pd.Series(np.append(time, np.datetime64("NaT", "ns"))[codes], column.index)
    return times.dt.tz_localize("UTC")  # type: ignore[no-any-return]  # the stubs leave it open


def _iso(texts: pd.Series) -> Instants:
    """Return the times of texts if most are ISO 8601, which pandas reads fast; else none."""
    if len(texts) and re.fullmatch(FORMS["year"], next(filter(None, texts), "")):
        times = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
        inside = times.where((times >= _FIRST) & (times <= _LAST))
        return np.array(inside.dt.tz_localize(None).astype("datetime64[ns]"))
    return np.full(len(texts), np.datetime64("NaT", "ns"))


def _matches(texts: pd.Series, form: str) -> pd.DataFrame:
    """Return the parts of the texts that have a form, with the index of these texts; a number that is left out is 0."""
    pattern = re.compile(form, re.IGNORECASE)
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        some = texts.iloc[start : start + _AT_ONCE]
        hits = {at: hit.groups("") for at, text in some.items() if (hit := pattern.fullmatch(text))}
        part = pd.DataFrame.from_dict(hits, orient="index", columns=[*pattern.groupindex], dtype="object")
        parts.append(part.apply(_part))
    return pd.concat(parts) if parts else pd.DataFrame(columns=[*pattern.groupindex])


def _part(texts: pd.Series) -> pd.Series:
    """Return one part of many times: numbers as such, and each different text once."""
    if texts.name in _WORDS:
        return texts.str.strip().map(sys.intern)
    if texts.name == "fraction":
        return texts.str[:9].str.pad(9, "right", "0").astype("int64")
    numbers = texts.where(texts != "", "0").astype("int64")
    if texts.name == "year":  # two digits as POSIX has them
        return numbers + texts.str.len().eq(2) * np.where(numbers < 70, 2000, 1900)  # noqa: PLR2004 - 1970
    return numbers


def _day_first(parts: pd.DataFrame, place: str, remarks: list[str]) -> bool:
    """Tell whether the day comes before the month in dates such as 05/07/2017.

    Raises:
        InputError: if some dates are possible only in one order, and some only in the other.
    """
    if not len(parts):
        return True
    first, second = parts["first"], parts["other"]
    late_first, late_second = first > 12, second > 12  # noqa: PLR2004 - months
    if late_first.any() and late_second.any():
        values = [_text(parts[late].iloc[0]) for late in (late_first, late_second)]
        raise InputError(
            place, f"and elsewhere {values[1]!r}: a month has no more than 12; write ISO 8601", values[0]
        )
    if late_first.any() or late_second.any():
        return bool(late_first.any())
    spans = {}
    for day_first in (True, False):
        dates = _date(parts, "numbers", day_first)
        spans[day_first] = int((dates.max() - dates.min()).astype(np.int64)) + 1
    order = parts["sign"].eq(".").all() or spans[True] <= spans[False]
    text, words = _text(parts.iloc[0]), ("day first", "month first")
    remarks.append(
        f"{place}: dates such as {text} were read {words[not order]}: they span {spans[bool(order)]} days, and {words[bool(order)]} {spans[not order]}. Write ISO 8601 if this is wrong."
    )
    return bool(order)


def _text(part: pd.Series) -> str:
    sign = part["sign"]
    return f"{part['first']:02d}{sign}{part['other']:02d}{sign}{part['year']:02d}"


def _date(part: pd.DataFrame, form: str, day_first: bool) -> Instants:
    """Return the date of each row; none where there is no such date."""
    if form == "numbers":
        day, month = (part["first"], part["other"]) if day_first else (part["other"], part["first"])
    else:
        day = part["day"]
        month = part["month"] if form == "year" else part["name"].str[:3].str.lower().map(_MONTHS).fillna(0)
    year, months, days = (np.asarray(numbers, np.int64) for numbers in (part["year"], month, day))
    start = ((year - 1970) * 12 + months - 1).astype("datetime64[M]")
    date = start.astype("datetime64[D]") + days - 1
    near = (year >= _FIRST.year) & (year <= _LAST.year)
    valid = near & (months >= 1) & (months <= 12) & (days >= 1) & (date.astype("datetime64[M]") == start)  # noqa: PLR2004 - months
    return np.where(valid, date, np.datetime64("NaT", "D"))


def _instants(part: pd.DataFrame, date: Instants) -> Instants:
    """Return the time of each row by the clock that wrote it."""
    hour, minute, second, fraction = (np.asarray(part[name], np.int64) for name in _TIME)
    half = part["half"].str.lower()
    hour = np.where(half.eq("p"), hour % 12 + 12, np.where(half.eq("a"), hour % 12, hour))
    valid = (hour < 24) & (minute < 60) & (second <= 60)  # noqa: PLR2004 - hours, minutes, a leap second
    ns = ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    return np.where(valid, date.astype("datetime64[ns]") + ns, np.datetime64("NaT", "ns"))


def _zones(zones: pd.Series, place: str, remarks: list[str]) -> pd.Series:
    """Return the offset from UTC of each row, in ns.

    Raises:
        InputError: if there are several zones that only a name tells apart.
    """
    texts = zones.astype("str")
    signed = texts.str.extract(r"^([-+])(\d{2}):?(\d{2})?$")
    minutes = signed[1].astype("float64") * 60 + signed[2].astype("float64").fillna(0)
    named = sorted(set(texts[signed[0].isna()]) - _UTC)
    if len(named) > 1:
        raise InputError(
            place,
            f"and elsewhere {named[1]!r}: names of zones say no offset; write ISO 8601 in UTC",
            named[0],
        )
    if named:
        remarks.append(f"{place} names the zone {named[0]}: its times were read as UTC.")
    offset = minutes.where(signed[0] != "-", -minutes).fillna(0)
    return (offset * 60 * SECOND).astype("int64")
