"""The text of a table in blocks of whole lines: unpacked, in UTF-8, with line feeds at the ends."""

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa  # type: ignore[import-untyped]

from coldaisle_contracts.errors import InputError

SIZE = 16 << 20
"""Size of a block, in bytes."""
_LONGEST = 4
"""The most blocks that a line, or a text in quotation marks, may fill."""
_PACKED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"\x28\xb5\x2f\xfd": lambda path: pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
"""How to open a packed file, by its first bytes."""
_FOREIGN = {
    b"PK\x03\x04": "is a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"7z\xbc\xaf": "is a 7z archive: unpack it",
    b"\xd4\xc3\xb2\xa1": "is a capture: give it with --pcap, and its labels with --labels",
    b"\xa1\xb2\xc3\xd4": "is a capture: give it with --pcap, and its labels with --labels",
    b"\x0a\x0d\x0d\x0a": "is a capture: give it with --pcap, and its labels with --labels",
}
"""Files that are no table, by their first bytes."""


@dataclass(frozen=True)
class Block:
    """Whole lines of a table.

    Attributes:
        data: the lines in UTF-8, each with a line feed at its end.
        line: the number of the first of them in the file.
    """

    data: bytes
    line: int

    def line_of(self, text: str) -> int:
        """Return the number of the line that begins with a text."""
        at = (b"\n" + self.data).find(b"\n" + text.encode())
        return self.line + self.data.count(b"\n", 0, max(0, at))


def blocks(path: Path, remarks: list[str], size: int = SIZE) -> Iterator[Block]:
    """Yield the lines of a text file.

    Args:
        path: the file, packed by gzip, zstd, bzip2 or xz or not at all; UTF-8, UTF-16 with a byte order mark, or Windows-1252.
        remarks: what a reader should know is added here.
        size: size of a block, in bytes.

    Raises:
        InputError: if it cannot be read or is no text.
    """
    text = _Text(path, remarks)
    try:
        with _open(path) as file:
            yield from text.blocks(iter(lambda: file.read(size), b""), size)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        raise InputError(path, f"cannot be read to its end ({error}): make the file again") from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(8)
    for sign, remedy in _FOREIGN.items():
        if start.startswith(sign):
            raise InputError(path, remedy)
    opened = next((opening for sign, opening in _PACKED.items() if start.startswith(sign)), None)
    return path.open("rb") if opened is None else opened(path)


class _Text:
    """Turns the bytes of a file into blocks of lines in UTF-8."""

    def __init__(self, path: Path, remarks: list[str]) -> None:
        self._path, self._remarks = path, remarks
        self._line = 1
        self._odd_line = 0

    def blocks(self, chunks: Iterator[bytes], size: int) -> Iterator[Block]:
        """Yield blocks of whole lines; a line break in quotation marks ends no line."""
        rest = b""
        for chunk in self._unmarked(chunks):
            data = rest + chunk
            end = _end(data, len(data) > _LONGEST * size)
            if not end and len(data) > 2 * _LONGEST * size:
                raise InputError(
                    f"{self._path}: line {self._line}", f"has more than {len(data) >> 20} MiB: is no table"
                )
            if end:
                yield self._block(data[:end])
            rest = data[end:]
        if rest:
            yield self._block(rest if rest.endswith(b"\n") else rest + b"\n")

    def _unmarked(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the bytes without a byte order mark, UTF-16 as UTF-8, and line feeds for a Macintosh's carriage returns."""
        start = next(chunks, b"")
        wide = next((name for mark, name in _WIDE.items() if start.startswith(mark)), None)
        decode = codecs.getincrementaldecoder(wide)("replace").decode if wide else None
        returns = b"\n" not in start[: 1 << 16] and b"\r" in start[: 1 << 16] and not wide
        chunk = start.removeprefix(codecs.BOM_UTF8)
        while chunk:
            data = decode(chunk).encode() if decode else chunk
            yield data.replace(b"\r", b"\n") if returns else data
            chunk = next(chunks, b"")

    def _block(self, data: bytes) -> Block:
        if b"\0" in data:
            line = self._line + data.count(b"\n", 0, data.find(b"\0"))
            raise InputError(
                f"{self._path}: line {line}",
                "has a NUL byte: give a table as text (CSV, Zeek log, ARFF) or Parquet",
            )
        block = Block(self._in_utf8(data), self._line)
        self._line += data.count(b"\n")
        return block

    def _in_utf8(self, data: bytes) -> bytes:
        if data.isascii():
            return data
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self._line + data.count(b"\n", 0, error.start)
            if not self._odd_line:
                self._odd_line = line
                self._remarks.append(
                    f"{self._path.name} is not UTF-8 (byte 0x{data[error.start]:02x} in line {line}): such bytes were read as Windows-1252."
                )
            return data.decode("utf-8", _HANDLER).encode()
        return data


_WIDE = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_HANDLER = "coldaisle-windows-1252"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error(_HANDLER, _as_windows)


def _end(data: bytes, anywhere: bool) -> int:
    """Return where the last whole line ends; ``anywhere`` takes quotation marks for ordinary characters."""
    end = data.rfind(b"\n") + 1
    if anywhere or data.count(b'"', 0, end) % 2 == 0:
        return end
    opening = data.rfind(b'"', 0, end)
    return data.rfind(b"\n", 0, opening) + 1
