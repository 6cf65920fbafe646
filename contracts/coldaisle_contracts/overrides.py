"""Overrides: keys of a scenario that get another value, as a table or as words of a command line, ``drawn.count=20``."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

from coldaisle_contracts.errors import InputError

Overrides = Mapping[str, Any]
"""Values by key; a table in it replaces only the keys that it names."""
LONGEST = 10_000
"""Greatest length of the text of an override, in characters."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PARTS = 8
"""Greatest number of parts of a key; the keys of a scenario have three."""
_REMEDY = "write KEY=VALUE with the key and a value as in a scenario file, such as drawn.count=20"


def parsed(texts: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """Return the overrides that texts such as ``drawn.count=20`` name; the last one of a key counts.

    A value is TOML; what is no TOML is taken for the text that it is, so that ``time_zone=UTC`` needs no quotation marks.

    Args:
        texts: the overrides.
        option: the option that they come from, for errors.

    Raises:
        InputError: if one has no key and value.
    """
    overrides: dict[str, Any] = {}
    for text in texts:
        overrides = merged(overrides, _parsed(text, option))
    return overrides


def _parsed(text: str, option: str) -> dict[str, Any]:
    key, _, value = text.partition("=")
    if (
        key.strip()
        and value.strip()
        and key.count(".") < _PARTS
        and len(text) <= LONGEST
        and "\n" not in text
    ):
        for written in (text, f"{key} = {_quoted(value)}"):
            with suppress(ValueError, RecursionError):
                return tomllib.loads(written)
    raise InputError(option, _REMEDY, text)


def merged(table: Mapping[str, Any], overrides: Overrides) -> dict[str, Any]:
    """Return a table with other values; tables within it are merged, too, and neither argument changes."""
    out = dict(table)
    for key, value in overrides.items():
        old = out.get(key)
        out[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return out


def texts_of(overrides: Overrides) -> list[str]:
    """Return overrides as texts ``KEY=VALUE``, which :func:`parsed` turns back into the same overrides."""
    return [f"{key}={_toml(value)}" for key, value in _flat(overrides)]


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each dotted key of a table with its value; an empty table is a value."""
    for name, value in table.items():
        key = before + (name if _BARE.fullmatch(name) else _quoted(name))
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _toml(value: Any) -> str:
    """Return a value as TOML writes it, in one line."""
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(name)} = {_toml(part)}" for name, part in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)  # TOML has inf and nan, too
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """Return a text as a basic string of TOML, which is one of JSON without surrogates and with DEL escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
