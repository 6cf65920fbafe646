"""Lines of JSON objects, and the names in them that lie deeper."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError


def objects(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line that is not blank, and its object.

    Raises:
        InputError: if a line is no JSON object.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, object_of(f"{path}: line {number}", line)


def object_of(place: str, line: str) -> dict[str, Any]:
    """Return the object that a line holds.

    Raises:
        InputError: if it holds none.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            place, "is not JSON: write one object per line, and remove a line that was cut off"
        ) from error
    if not isinstance(value, dict):
        raise InputError(place, "is no JSON object: write one per line", line[:60])
    return value


def first_of(head: str) -> dict[str, Any]:
    """Return the object that a file begins with; empty if it begins with none."""
    try:
        value = json.loads(head)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def small(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts under names in small letters without spaces around them."""
    return {str(name).strip().lower(): value for name, value in record.items()}
