"""Reading what somebody gives, bounded in time and size and refused with one sentence whatever it holds; and writing where somebody says."""

import json
import os
import re
import select
import stat
import tomllib
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError

MOST = 1 << 28
"""Bytes of a text that may come from anywhere, at most: the longest plan fits several times."""
PATIENCE_S = 10.0
"""How long somebody who is to write into a pipe or a terminal is waited for, s."""
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP = re.compile(rf"(?:^|[{{,])[ \t\[]*(?:{_PART}[ \t]*\.[ \t]*){{20}}", re.MULTILINE)
"""A TOML key of more parts than any of ours has: tomllib takes quadratic time and memory for them."""


def opened(path: Path) -> BufferedReader:
    """Open a file for reading; a pipe, terminal or device has to give something within :data:`PATIENCE_S`.

    Raises:
        InputError: if nobody writes into it.
        OSError: if it cannot be opened.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) and not select.select([file], [], [], PATIENCE_S)[0]:
        file.close()
        raise InputError(path, f"nobody wrote into it for {PATIENCE_S:g} s: name a file that is there")
    os.set_blocking(file.fileno(), True)
    return file


def read(path: Path, remedy: str, most: int | None = MOST) -> bytes:
    """Return the bytes of a file.

    Args:
        path: the file.
        remedy: what would be right where it cannot be read, as the second half of a sentence.
        most: how many bytes it may have; any number where it is ``None``, but then it has to be a plain file.

    Raises:
        InputError: if it cannot be read or holds more.
    """
    try:
        with opened(path) as file:
            if most is None and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(path, f"is no file: {remedy}")
            data = file.read() if most is None else file.read(most + 1)
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        raise InputError(path, remedy) from error
    if most is not None and len(data) > most:
        raise InputError(path, f"holds more than {most:,} bytes: {remedy}")
    return data


def read_text(path: Path, remedy: str, most: int | None = MOST) -> str:
    """Return the text of a file, see :func:`read`; a byte order mark is left out.

    Raises:
        InputError: if it cannot be read, holds more, or is not UTF-8.
    """
    data = read(path, remedy, most)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line}", "is not UTF-8: save it as UTF-8 text") from error


def read_toml(path: Path, remedy: str, most: int = 1 << 20) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        InputError: if it cannot be read or is not TOML, with the line.
    """
    text = read_text(path, remedy, most)
    if not text.strip():
        raise InputError(path, f"is empty: {remedy}")
    if _DEEP.search(text):
        raise InputError(path, "write valid TOML (a key has too many parts)")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(path, "write valid TOML (its brackets are too deep)") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"write valid TOML ({error})") from error
    except ValueError as error:
        raise InputError(path, "write valid TOML (a number has more digits than anybody counts)") from error


def read_json(path: Path, remedy: str, most: int = MOST) -> Any:
    """Return what a JSON file holds.

    Raises:
        InputError: if it cannot be read or is not JSON.
    """
    text = read_text(path, remedy, most)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is not JSON: {remedy}") from error


def write(path: Path, text: str) -> None:
    """Write a file that appears whole, by rename; a device, a pipe or a link, such as /dev/stdout, is written to and never replaced.

    Raises:
        OSError: if it cannot be written; nothing is left then.
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


def refuse_odd(path: Path, remedy: str) -> None:
    """Refuse what is not a plain file with something in it, for libraries that would wait for it, or read it without end.

    Raises:
        InputError: if it is missing, a folder, a pipe or a device, or empty.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(path, remedy) from error
    if not stat.S_ISREG(found.st_mode):
        raise InputError(path, f"is no file: {remedy}")
    if not found.st_size:
        raise InputError(path, f"is empty: {remedy}")
