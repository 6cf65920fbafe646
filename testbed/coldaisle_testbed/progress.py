"""Progress: a live line on a terminal, one line a step in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


class Progress:
    """Tells what is going on, on standard error.

    Args:
        console: where to; made for standard error when left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say that a step is done."""
        self._console.print(
            f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {escape(text)}", soft_wrap=True
        )

    @contextmanager
    def step(self, text: str, seconds: dict[str, float] | None = None, name: str = "") -> Iterator[None]:
        """Show ``text`` while the body runs; note how long it took, s, under ``name``."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(text):
                yield
        else:
            self(text)
            yield
        if seconds is not None:
            seconds[name] = round(time.monotonic() - began, 2)
