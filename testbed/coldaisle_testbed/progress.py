"""Progress: a live line on a terminal, one line per step in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from coldaisle_contracts.errors import plain

_LONGEST = 10_000
"""Greatest length of a line, in characters."""


class Progress:
    """Reporter of progress on standard error.

    Args:
        console: where the lines go; by default standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        """Report that a step is done; the text is not read as markup, and control characters in it are escaped."""
        text = "\n".join(plain(line, _LONGEST) for line in text.split("\n"))
        self._console.print(
            Text.assemble((f"{time.monotonic() - self._began:6.1f} s", "dim"), f"  {text}"), soft_wrap=True
        )

    @contextmanager
    def step(self, text: str, seconds: dict[str, float] | None = None, name: str = "") -> Iterator[None]:
        """Show ``text`` while the body runs, and store its wall time, in s, in ``seconds`` under ``name``."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(Text(plain(text))):
                yield
        else:
            self(text)
            yield
        if seconds is not None:
            seconds[name] = round(time.monotonic() - began, 2)
