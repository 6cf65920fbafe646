"""The journals: each program writes down its own actions, one JSON object per line.

Labels come from joining these lines with the capture, never from time windows. The join key is :func:`frame_digest`,
which both the writer of a journal and the reader of a capture compute.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO, get_args

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal_lines import Line
from coldaisle_contracts.texts import read_text

ETHERNET = 14
IPV4, ARP = b"\x08\x00", b"\x08\x06"
_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_MOST = 2**62
"""Greatest number in a journal: the sum of two such times still fits into 64 bits."""
_TYPES = {"event": {str}, "shard": {str}} | {
    field.name: {field.type, *get_args(field.type)} for line in get_args(Line) for field in fields(line)
}
"""The types of every key that a line may have; whatever else a line holds may be of any type."""
_NUMBERS = frozenset(key for key, types in _TYPES.items() if types & {int, bool})
"""Keys that hold no text."""
_HALF = re.compile("[\ud800-\udfff]")
"""A lone surrogate, which JSON can escape and UTF-8 cannot encode."""
_IPV4_HEADER = 20
"""Bytes of an IPv4 header without options; a capture may hold frames cut shorter."""


def frame_digest(frame: bytes) -> str:
    """Return the digest that identifies an Ethernet frame wherever it is captured: 16 hex digits.

    It covers ARP or IPv4 without Ethernet header, padding and the IPv4, TCP and UDP checksums (a network card may fill those in
    later). So relaying a frame keeps its digest, and an edit changes it.
    """
    kind, packet = frame[12:14], bytearray(frame[ETHERNET:])
    if kind == ARP:
        packet = packet[:28]
    elif kind == IPV4 and len(packet) >= _IPV4_HEADER:
        packet = packet[: max(_IPV4_HEADER, int.from_bytes(packet[2:4], "big"))]
        packet[10:12] = b"\0\0"
        header = (packet[0] & 15) * 4
        checksum = {6: header + 16, 17: header + 6}.get(packet[9])
        if checksum is not None and len(packet) >= checksum + 2:
            packet[checksum : checksum + 2] = b"\0\0"
    return hashlib.blake2b(packet, digest_size=8).hexdigest()


def payload_digest(payload: bytes) -> str:
    """Return the digest of the payload of a message: 16 hex digits."""
    return hashlib.blake2b(payload, digest_size=8).hexdigest()


class Journal:
    """An append-only journal; every line carries the shard it belongs to. Lines reach the file at :meth:`flush`.

    Args:
        path: the ``.jsonl`` file; its folder must exist.
        shard: name of the shard, such as ``day-1``.
    """

    def __init__(self, path: Path, shard: str) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._path, self._shard = path, shard
        self._lines: list[str] = []

    def write(self, line: Line) -> None:
        """Write one line."""
        self._lines.append(_ENCODE({"event": line.event, "shard": self._shard, **vars(line)}))

    def flush(self) -> None:
        """Put every line written so far into the file."""
        lines, self._lines = self._lines, []
        with self._named():
            self._file.writelines(f"{line}\n" for line in lines)
            self._file.flush()

    def close(self) -> None:
        """Put every line into the file and close it; nothing more can be written."""
        self.flush()
        with self._named():
            self._file.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Add the name of the file to an error of the disk."""
        try:
            yield
        except OSError as error:
            error.filename = str(self._path)
            raise


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal; each is an object with ``event`` and ``shard``, and all of its keys have the right type.

    Raises:
        InputError: if the file is missing, or a line cannot be one of a journal.
    """
    lines = read_text(path, "every run has this journal: make the run again", None).splitlines()
    try:
        objects = json.loads(f"[{','.join(lines)}]")  # all at once: three times as fast as line by line
    except (ValueError, RecursionError):
        objects = _line_by_line(path, lines)
    for number, line in enumerate(objects, 1):
        if wrong := _wrong(line):
            remedy = f"{wrong}, so the journal was edited: make the run again"
            raise InputError(f"{path}: line {number}", remedy, line)
        yield line


def _line_by_line(path: Path, lines: list[str]) -> Iterator[Any]:
    """Yield the lines of a journal one by one, to name the one that is not JSON."""
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            remedy = "it is not JSON, so the journal was cut or edited: make the run again"
            raise InputError(f"{path}: line {number}", remedy, line[:60]) from error


def _wrong(line: Any) -> str:
    """Return the error in a line, an empty text where there is none."""
    if type(line) is not dict:
        return "it is not an object"
    if "event" not in line or "shard" not in line:
        return "it has no event or no shard"
    for key, value in line.items():  # 40 million times for the longest run: the usual cases first
        kind = type(value)
        if kind is str and key not in _NUMBERS:
            if not value.isascii() and _HALF.search(value):
                return f"its {key} is not valid text"
        elif kind is int and key in _NUMBERS:
            if not -_MOST <= value <= _MOST:
                return f"its {key} is too large"
        elif kind not in _TYPES.get(key, {kind}):
            return f"its {key} has another type"
    return ""
