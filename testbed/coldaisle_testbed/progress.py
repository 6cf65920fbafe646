"""Progress: a live line on a terminal, one line a step in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from coldaisle_contracts.errors import plain

_LONGEST = 10_000
"""Characters of a line, at most."""


class Progress:
    """Tells what is going on, on standard error.

    Args:
        console: where to; made for standard error when left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say that a step is done; a name in the text is neither markup nor anything a terminal obeys."""
        text = "\n".join(plain(line, _LONGEST) for line in text.split("\n"))
        self._console.print(
            Text.assemble((f"{time.monotonic() - self._began:6.1f} s", "dim"), f"  {text}"), soft_wrap=True
        )

    @contextmanager
    def step(self, text: str, seconds: dict[str, float] | None = None, name: str = "") -> Iterator[None]:
        """Show ``text`` while the body runs; note how long it took, s, under ``name``."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(Text(plain(text))):
                yield
        else:
            self(text)
            yield
        if seconds is not None:
            seconds[name] = round(time.monotonic() - began, 2)
