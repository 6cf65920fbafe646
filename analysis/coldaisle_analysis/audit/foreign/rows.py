"""Blocks of lines as columns of numbers and texts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import csv

from coldaisle_analysis.audit.foreign.blocks import Block, blocks
from coldaisle_analysis.audit.foreign.layout import MISSING, Layout, layout_of
from coldaisle_analysis.audit.threads import ahead
from coldaisle_contracts.errors import InputError

_TEXT = pa.dictionary(pa.int32(), pa.string())
_SPARE = "\0 the value behind the last delimiter"
_NUMBERS = (pa.null(), pa.int64(), pa.float64())


@dataclass
class Rows:
    """Reads the rows of text files that have the same columns.

    Attributes:
        names: the columns, of the first file; empty before it is read.
        texts: the columns that hold more than numbers.
        removed: how many lines were left out, by what they were.
        remarks: what a reader should know.
    """

    names: tuple[str, ...] = ()
    texts: set[str] = field(default_factory=set)
    removed: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def tables(self, path: Path, names: Sequence[str] = ()) -> Iterator[pa.Table]:
        """Yield the rows of a file, a block at a time, their columns in the order of the first file.

        Args:
            path: the file.
            names: the only columns to yield; all, if there are none.

        Raises:
            InputError: if it cannot be read, or has other columns than the first file.
        """
        for data, block, layout in ahead(self._parts(path)):
            yield self._table(data, block, layout, path, names)

    def _parts(self, path: Path) -> Iterator[tuple[bytes, Block, Layout]]:
        """Yield the lines of each block that are rows, with the block and the layout of the file."""
        layout = None
        for block in blocks(path, self.remarks):
            skipped = 0
            if layout is None:
                layout = layout_of(block, path, self.remarks)
                self.expect(layout.names, path)
                skipped = layout.skipped
            if data := self._rows_of(block, layout, path, skipped):
                yield data, block, layout

    def expect(self, names: tuple[str, ...], path: Path) -> None:
        """Take the columns of the first file, and refuse a file that has others; their order may differ.

        Raises:
            InputError: if a column is only in one of the files.
        """
        self.names = self.names or names
        if set(names) != set(self.names):
            differing = min(set(names) ^ set(self.names))
            flaw = (
                "is not in the first file" if differing in names else "is missing here and in the first file"
            )
            remedy = f"{flaw}: give files with the same columns only, such as 'conn*.log'"
            raise InputError(f"{path}: column {differing}", remedy)

    def _rows_of(self, block: Block, layout: Layout, path: Path, skip: int) -> bytes:
        """Return the lines of a block that are rows."""
        data = block.data
        for _ in range(skip):
            data = data[data.find(b"\n") + 1 :]
        if layout.widened:
            data = data.replace(layout.widened.encode(), layout.delimiter.encode())
        if layout.header and layout.header in data:
            data = self._without(data, rb"(?:\xef\xbb\xbf)?" + re.escape(layout.header), "repeated headers")
        if layout.comment and (data.startswith(layout.comment) or b"\n" + layout.comment in data):
            _same_fields(data, layout, block, path)
            data = self._without(data, layout.comment + rb"[^\n]*", "")
        sign = re.escape(layout.delimiter.encode())
        if len(layout.names) > 1 and (
            data[:1].isspace()
            or data.startswith(layout.delimiter.encode())
            or b"\n" + layout.delimiter.encode() in data
        ):
            data = self._without(data, rb"(?:[ ]*" + sign + rb")+[ ]*", "blank rows")
        return data

    def _without(self, data: bytes, pattern: bytes, noun: str) -> bytes:
        """Return lines without those that match a pattern, which are counted."""
        data, count = re.subn(rb"\n" + pattern + rb"\r?(?=\n)", b"", b"\n" + data)
        if noun and count:
            self.removed[noun] = self.removed.get(noun, 0) + count
        return data[1:]

    def _table(self, data: bytes, block: Block, layout: Layout, path: Path, names: Sequence[str]) -> pa.Table:
        while True:
            table = _parsed(data, block, layout, path, self.texts, names)
            fresh = {
                name for name in table.column_names if table.schema.field(name).type not in (*_NUMBERS, _TEXT)
            }
            if not fresh:
                return table.select(list(names or self.names))
            self.texts |= fresh


def _same_fields(data: bytes, layout: Layout, block: Block, path: Path) -> None:
    """Refuse a Zeek log with other fields further down."""
    for line in re.findall(rb"^#fields[^\n]*", data, re.MULTILINE):
        text = line.decode("utf-8", "replace")
        if tuple(text.rstrip("\r").split(layout.delimiter)[1:]) != layout.names:
            remedy = "has other fields than the first line with #fields: divide the log there"
            raise InputError(f"{path}: line {block.line_of(text)}", remedy)


def _parsed(
    data: bytes, block: Block, layout: Layout, path: Path, texts: set[str], names: Sequence[str]
) -> pa.Table:
    """Return lines as a table: each column of whole numbers, of numbers, or of text."""
    odd: list[csv.InvalidRow] = []
    columns = [*layout.names, *([_SPARE] if layout.spare else [])]

    def keep(row: csv.InvalidRow) -> str:
        odd.append(row)
        return "skip"

    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            csv.ReadOptions(column_names=columns, block_size=4 << 20),
            csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=layout.quote or False,
                newlines_in_values=bool(layout.quote) and layout.quote.encode() in data,
                invalid_row_handler=keep,
            ),
            csv.ConvertOptions(
                column_types={name: _TEXT for name in layout.names if name in texts},
                null_values=[*MISSING, *layout.missing],
                decimal_point=layout.decimal,
                include_columns=[*(names or layout.names), *columns[len(layout.names) :]],
            ),
        )
    except pa.ArrowException as error:
        raise InputError(
            f"{path}: from line {block.line} on", f"cannot be divided into columns ({error})"
        ) from error
    if odd:
        return _parsed(_mended(data, odd, block, layout, path), block, layout, path, texts, names)
    if layout.spare:
        _only_empty(table, block, path)
    return table.drop_columns([_SPARE]) if layout.spare else table


def _mended(data: bytes, odd: Sequence[csv.InvalidRow], block: Block, layout: Layout, path: Path) -> bytes:
    """Return lines without the delimiter at the end of those that have one value too many, an empty one.

    Raises:
        InputError: if a row has another number of values than there are columns.
    """
    for row in odd:
        ending = row.text.rstrip(" \r\n").endswith(layout.delimiter)
        spare = ending and row.actual_columns == row.expected_columns + 1
        if not spare and not (layout.spare and row.actual_columns == row.expected_columns - 1):
            count = row.expected_columns - layout.spare
            remedy = f"has {row.actual_columns} values for {count} columns: mend or remove this line"
            raise InputError(f"{path}: line {block.line_of(row.text)}", remedy, row.text[:60])
    lines = {row.text.rstrip("\r\n").encode() for row in odd}
    sign = layout.delimiter.encode()

    def whole(line: bytes) -> bytes:
        if line.rstrip(b"\r") not in lines:
            return line
        return line.rstrip(b"\r") + sign if layout.spare else line.rstrip(b" \r")[: -len(sign)]

    mended = b"\n".join(map(whole, data.split(b"\n")))
    if mended == data:
        remedy = "cannot be divided into columns: mend or remove this line"
        raise InputError(f"{path}: line {block.line_of(odd[0].text)}", remedy, odd[0].text[:60])
    return mended


def _only_empty(table: pa.Table, block: Block, path: Path) -> None:
    column = table[_SPARE]
    if column.null_count < len(column):
        first = next(value for value in column if value.is_valid)
        raise InputError(
            f"{path}: from line {block.line} on",
            "rows have a value behind the last column: name its column in the header",
            first.as_py(),
        )


def chunk(column: pa.ChunkedArray) -> npt.NDArray[np.generic] | pd.Categorical:
    """Return a column as an array: whole numbers in the smallest type, missing numbers as NaN, text as categories."""
    if pa.types.is_dictionary(column.type):
        whole = column.unify_dictionaries().combine_chunks()
        whole = whole if isinstance(whole, pa.DictionaryArray) else pa.concat_arrays(whole.chunks)
        codes = whole.indices.fill_null(-1).to_numpy()
        return pd.Categorical.from_codes(codes, whole.dictionary.to_pylist())
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.timestamp("us"), safe=False).to_numpy())
    if column.type != pa.int64() or column.null_count:
        return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    limits = pc.min_max(column).as_py()
    kind = (
        np.promote_types(np.min_scalar_type(limits["min"]), np.min_scalar_type(limits["max"]))
        if len(column)
        else np.dtype(np.int64)
    )
    whole = column.to_numpy()
    return np.asarray(whole.astype(kind))
