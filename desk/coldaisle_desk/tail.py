"""Reading a file of JSON lines as it grows."""

import json
import os
from pathlib import Path
from typing import Any

_AT_ONCE = 1 << 26
"""Most bytes of a file that one look reads."""


class Tail:
    """Reader of the lines that a file has gained since the last look; a last line without its end waits for the next one.

    Args:
        path: the file, which need not exist yet.
        unless: texts of lines that are passed over unread.

    Attributes:
        offset: number of bytes read, whole lines only.
        odd: number of lines that were no JSON object.
    """

    def __init__(self, path: Path, unless: tuple[bytes, ...] = ()) -> None:
        self.path, self.offset, self.odd, self._unless = path, 0, 0, unless

    def shrank(self) -> bool:
        """Tell whether the file is shorter than what was read of it, so that it is another one."""
        try:
            return self.path.stat().st_size < self.offset
        except OSError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        """Return the new lines; none where the file is missing or cannot be read."""
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size <= self.offset:
                    return []
                file.seek(self.offset)
                data = file.read(_AT_ONCE)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        texts = whole.splitlines()
        for passed_over in self._unless:
            texts = [text for text in texts if passed_over not in text]
        return [line for line in _parsed(texts) if self._is_object(line)]

    def _is_object(self, line: object) -> bool:
        self.odd += not isinstance(line, dict)
        return isinstance(line, dict)


def _parsed(lines: list[bytes]) -> list[Any]:
    """Return what lines of JSON hold; ``None`` for a line that is no JSON."""
    try:
        return list(
            json.loads(b"[" + b",".join(lines) + b"]")
        )  # all at once: three times as fast as line by line
    except (ValueError, RecursionError):
        return [_one(line) for line in lines]


def _one(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
