"""Reading and writing files that a user names: reading is bounded in time and size, and any failure is one sentence."""

import json
import os
import re
import select
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError

MOST = 1 << 28
"""Greatest length of an input file, in bytes; the longest plan is several times shorter."""
PATIENCE_S = 10.0
"""Longest time to wait for data from a pipe or a terminal, in s."""
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP = re.compile(rf"(?:^|[{{,])[ \t\[]*(?:{_PART}[ \t]*\.[ \t]*){{20}}", re.MULTILINE)
"""A TOML key with too many parts, for which tomllib takes quadratic time and memory."""


def opened(path: Path) -> BufferedReader:
    """Open a file for reading; a pipe, terminal or device has to yield data within :data:`PATIENCE_S`.

    Raises:
        InputError: if it yields none.
        OSError: if it cannot be opened.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) and not select.select([file], [], [], PATIENCE_S)[0]:
        file.close()
        raise InputError(path, f"it gave no data for {PATIENCE_S:g} s: name a file that has some")
    os.set_blocking(file.fileno(), True)
    return file


def read(path: Path, remedy: str, most: int | None = MOST) -> bytes:
    """Return the bytes of a file.

    Args:
        path: the file.
        remedy: what would be right where it cannot be read, as the second half of a sentence.
        most: greatest number of bytes; ``None`` for no limit, which only a plain file may have.

    Raises:
        InputError: if it cannot be read or is longer.
    """
    try:
        with opened(path) as file:
            if most is None and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(path, f"it is not a file: {remedy}")
            data = file.read() if most is None else file.read(most + 1)
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise InputError(path, remedy) from error
    if most is not None and len(data) > most:
        raise InputError(path, f"it holds more than {most:,} bytes: {remedy}")
    return data


def read_text(path: Path, remedy: str, most: int | None = MOST) -> str:
    """Return the text of a file without its byte order mark, see :func:`read`.

    Raises:
        InputError: if it cannot be read, is longer, or is not UTF-8.
    """
    return decoded(path, read(path, remedy, most))


def decoded(path: Path, data: bytes) -> str:
    """Return the text that the bytes of a file hold, without its byte order mark.

    Raises:
        InputError: if they are not UTF-8, with the line.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line}", "it is not UTF-8: save the file as UTF-8 text") from error


def read_toml(path: Path, remedy: str, most: int = 1 << 20) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: if it cannot be read or is not TOML, with the line.
    """
    text = read_text(path, remedy, most)
    if not text.strip():
        raise InputError(path, f"it is empty: {remedy}")
    if _DEEP.search(text):
        raise InputError(path, "write valid TOML (a key has too many parts)")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(path, "write valid TOML (its brackets are nested too deeply)") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"write valid TOML ({error})") from error
    except ValueError as error:
        raise InputError(path, "write valid TOML (a number has too many digits)") from error


def read_json(path: Path, remedy: str, most: int = MOST) -> Any:
    """Return the content of a JSON file.

    Raises:
        InputError: if it cannot be read or is not JSON.
    """
    text = read_text(path, remedy, most)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"it is not JSON: {remedy}") from error


def write(path: Path, text: str) -> None:
    """Write a file that appears complete, by rename; a device, a pipe or a link, such as /dev/stdout, is written to and not replaced.

    Raises:
        OSError: if it cannot be written; no part of the file is left then.
    """
    if path.exists() and (path.is_symlink() or not path.is_file()):
        path.write_text(text, encoding="utf-8")
        return
    hidden = path.with_name(f".{path.name}")
    try:
        hidden.write_text(text, encoding="utf-8")
        hidden.replace(path)
    except OSError:
        with suppress(OSError):
            hidden.unlink()
        raise


@contextmanager
def writable(place: str | Path, remedy: str, value: object = None) -> Iterator[None]:
    """Turn an error of the system within the block into a sentence: the place cannot be written, why, and the remedy.

    Raises:
        InputError: in place of every ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise InputError(place, f"it cannot be written ({error.strerror}): {remedy}", value) from error


def refuse_odd(path: Path, remedy: str) -> None:
    """Refuse a path that is no plain file with content, because a library would wait for it or read it without end.

    Raises:
        InputError: if it is missing, a folder, a pipe or a device, or empty.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(path, remedy) from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(path, f"it is not a file: {remedy}")
    if not status.st_size:
        raise InputError(path, f"it is empty: {remedy}")
