"""Files of alarms, one per shard."""

import json
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read


def _lines(path: Path, whole: bytes) -> list[dict[str, Any]]:
    """Return the lines of a file of alarms.

    Raises:
        InputError: if the file holds something else.
    """
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        if all(type(line["frame"] if line["event"] == "alarm" else 0) is int for line in lines):
            return lines
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise InputError(path, "it holds no alarms: name another folder with --out") from error
    raise InputError(path, "it holds no alarms: name another folder with --out")


class Book:
    """File of the alarms of one shard: one JSON object per line; the first states the detector, the last the end.

    An incomplete last line is removed, and alarms that were written before are not written again.

    Args:
        path: the file; its folder must exist.
        watching: facts of the detector: model, policy and the like.

    Raises:
        InputError: if the file holds the alarms of another detector.
    """

    def __init__(self, path: Path, watching: dict[str, Any]) -> None:
        before = (
            read(path, "it cannot be read: name another folder with --out", None) if path.exists() else b""
        )
        whole = before[: before.rfind(b"\n") + 1]
        lines = _lines(path, whole)
        head = {"event": "watching", **watching}
        if lines and lines[0] != head:
            raise InputError(
                path, "it holds the alarms of another detector or policy: name another folder with --out"
            )
        self.done = bool(lines) and lines[-1]["event"] == "end"
        self.last = max((line["frame"] for line in lines if line["event"] == "alarm"), default=0)
        self._file = path.open("ab")
        self._file.truncate(len(whole))
        if not lines:
            self.write(head)

    def write(self, *lines: dict[str, Any]) -> None:
        """Write lines and flush them."""
        self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
