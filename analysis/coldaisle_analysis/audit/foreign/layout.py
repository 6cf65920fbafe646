"""How the lines of a table are laid out: the names of its columns, and what stands between and around its values."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.audit.foreign.blocks import Block
from coldaisle_contracts.errors import InputError

MISSING = (
    "",
    "-",
    "?",
    "NaN",
    "nan",
    "NAN",
    "NA",
    "N/A",
    "n/a",
    "null",
    "NULL",
    "Null",
    "None",
    "none",
    "(empty)",
    "#N/A",
)
"""Spellings of a missing number."""
_HEAD = 1 << 20
"""The most bytes of a table that its layout is found from."""
_ROWS = 50
"""The most rows that the layout is found from."""
_SIGNS = ",;\t|"
_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_POINT = re.compile(r"\s*[-+]?\d+\.\d+\s*")
_ATTRIBUTE = re.compile(
    r"@attribute\s+('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s{]+)\s*(.+)", re.IGNORECASE
)
_STRATOSPHERE = "   "
"""What the labelled Zeek logs of the Stratosphere Laboratory (CTU, IoT-23) have between their last columns."""


@dataclass(frozen=True)
class Layout:
    """The layout of a table.

    Attributes:
        names: names of the columns, without blanks around them, none twice.
        delimiter: the character between two values.
        quote: the character around values that hold a delimiter; ``""`` where there is none.
        header: the line with the names, which is no row wherever it comes again; empty where there is none.
        skipped: number of lines before the first row.
        comment: what the lines begin with that are no rows; empty where there are none.
        spare: whether each row ends in a delimiter, so that it has one value more than there are names.
        decimal: the decimal sign.
        widened: text between columns that stands for a delimiter; empty where there is none.
        missing: further spellings of a missing number.
    """

    names: tuple[str, ...]
    delimiter: str
    quote: str = '"'
    header: bytes = b""
    skipped: int = 0
    comment: bytes = b""
    spare: bool = False
    decimal: str = "."
    widened: str = ""
    missing: tuple[str, ...] = ()


def layout_of(block: Block, path: Path, remarks: list[str]) -> Layout:
    """Return the layout of a table.

    Args:
        block: its first lines.
        path: its file, for sentences.
        remarks: what a reader should know is added here.

    Raises:
        InputError: if it has no names of columns, or is of a form that is not read.
    """
    head = block.data[:_HEAD]
    if len(block.data) > _HEAD:
        head = head[: head.rfind(b"\n") + 1]
    text = head.decode("utf-8", "replace")
    start = text.lstrip()
    if start.startswith(("{", "[{")):
        raise InputError(path, "is JSON: write a CSV or Parquet table")
    form: Callable[[str, Path, list[str]], Layout] = _csv
    if re.match(r"#(separator|fields|types)\b", start):
        form = _zeek
    elif re.match(r"(%[^\n]*\n|\s)*@relation\b", start, re.IGNORECASE):
        form = _arff
    return form(text, path, remarks)


def _zeek(text: str, path: Path, remarks: list[str]) -> Layout:
    """Return the layout of a Zeek log in its ASCII form (Zeek manual, Log Files)."""
    lines = text.split("\n")
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    match = re.search(r"^#fields(.)([^\r\n]+)", text, re.MULTILINE)
    if match is None:
        raise InputError(path, "has no line with #fields: write the log with Zeek's own header")
    separator, fields = match.groups()
    widened = _STRATOSPHERE if _STRATOSPHERE in fields else ""
    fields = fields.replace(widened, separator) if widened else fields
    names = _named(fields.split(separator), path.name, remarks)
    missing = tuple(re.findall(r"^#(?:unset|empty)_field.([^\r\n]+)", text, re.MULTILINE))
    return Layout(names, separator, "", skipped=count, comment=b"#", widened=widened, missing=missing)


def _arff(text: str, path: Path, _: list[str]) -> Layout:
    """Return the layout of an ARFF file (Weka manual, Attribute-Relation File Format)."""
    lines = text.split("\n")
    data = next(
        (number for number, line in enumerate(lines) if re.match(r"\s*@data\b", line, re.IGNORECASE)), None
    )
    matches = [_ATTRIBUTE.match(line.strip()) for line in lines[:data]]
    names = [
        re.sub(r"\\(.)", r"\1", hit[1][1:-1]) if hit[1][0] in "'\"" else hit[1] for hit in matches if hit
    ]
    if data is None or not names:
        raise InputError(path, "lacks @attribute or @data: write the whole head of an ARFF file")
    rows = [line for line in lines[data + 1 :] if line.strip() and not line.startswith("%")]
    if rows and rows[0].lstrip().startswith("{"):
        raise InputError(f"{path}: line {data + 2}", "is a sparse ARFF row: write each value of each row")
    sample = "\n".join(rows[:_ROWS])
    delimiter = "\t" if "\t" in sample and "," not in sample else ","
    quote = "'" if sample.count("'") > sample.count('"') else '"'
    return Layout(tuple(names), delimiter, quote, skipped=data + 1, comment=b"%")


def _csv(text: str, path: Path, remarks: list[str]) -> Layout:
    """Return the layout of separated values, from its first rows."""
    lines = list(io.StringIO(text, newline="\n"))
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
    told = re.fullmatch(r"sep=(.)", lines[blank].strip(' \r\n"')) if lines else None  # as Excel writes it
    start = blank + 1 if told else blank
    sign = told[1] if told else _delimiter(lines[start : start + _ROWS])
    reader = csv.reader(io.StringIO("".join(lines[start:]), newline=""), delimiter=sign)
    try:
        header = next(reader, [])
        count = reader.line_num
        rows = [row for row, _ in zip((row for row in reader if row), range(_ROWS), strict=False)]
    except csv.Error as error:
        raise InputError(f"{path}: line {start + 1}", f"cannot be divided into columns ({error})") from error
    spare = bool(rows) and all(len(row) == len(header) + 1 and not row[-1].strip() for row in rows)
    cells = [cell for row in rows for cell in row]
    decimal = (
        ","
        if sign != ","
        and sum(map(bool, map(_COMMA.fullmatch, cells))) > sum(map(bool, map(_POINT.fullmatch, cells)))
        else "."
    )
    line = "".join(lines[start : start + count]).strip("\r\n")
    names = _named(header, path.name, remarks)
    return Layout(names, sign, header=line.encode(), skipped=start + count, spare=spare, decimal=decimal)


def _delimiter(lines: Sequence[str]) -> str:
    """Return the sign that divides the header into most columns, of those that divide the rows into as many or one more."""
    best, most = ",", 0.0
    for sign in _SIGNS:
        widths = _widths(lines, sign)
        fitting = sum(width - widths[0] in (0, 1) for width in widths) / len(widths) if widths else 0
        if widths and widths[0] > 1 and widths[0] * fitting > most:
            best, most = sign, widths[0] * fitting
    return best


def _widths(lines: Sequence[str], sign: str) -> list[int]:
    """Return how many values each line has, up to the first that cannot be divided."""
    widths: list[int] = []
    with suppress(csv.Error):
        widths.extend(len(row) for row in csv.reader(lines, delimiter=sign) if row)
    return widths


def _named(cells: Sequence[str], place: str, remarks: list[str]) -> tuple[str, ...]:
    """Return names of columns without blanks around them, none twice: a second ``a`` becomes ``a.1``, as in pandas."""
    names: list[str] = []
    for number, cell in enumerate(cells):
        name = plain = cell.strip() or f"Unnamed: {number}"
        again = 0
        while name in names:
            again += 1
            name = f"{plain}.{again}"
        if again:
            remarks.append(f"{place} has more than one column {plain}: one of them is called {name} here.")
        names.append(name)
    return tuple(names)
