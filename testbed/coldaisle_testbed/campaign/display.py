"""What a runner shows while a campaign is played: a bar with the time left on a terminal, and a line for each attempt."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from coldaisle_contracts.campaign import CampaignFolder, Week
from coldaisle_contracts.errors import plain
from coldaisle_testbed.campaign.outcome import Outcome

_WORDS = {
    "done": "done",
    "spoiled": "spoiled, and repeated if attempts are left",
    "failed": "failed",
    "refused": "cannot be played here",
}


class Display:
    """Display of a campaign on standard error.

    Args:
        folder: the campaign's folder.
        weeks: the weeks that this call is to complete.
        console: where it is shown; by default standard error.
    """

    def __init__(self, folder: CampaignFolder, weeks: Sequence[Week], console: Console | None = None) -> None:
        self._folder, self._weeks = folder, weeks
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._began, self._before = time.monotonic(), self.done
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )
        self._task = self._bar.add_task(folder.file.name, total=len(weeks), completed=self._before, left="")

    @property
    def done(self) -> int:
        """Number of weeks that are done, wherever they were played."""
        return sum(map(self._folder.is_done, self._weeks))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def said(self, week: Week, outcome: Outcome) -> None:
        """Show an outcome, and what is left."""
        left = self.look()
        about = f": {outcome.sentence}" if outcome.sentence else ""
        facts = f"{self.done} of {len(self._weeks)} weeks done" + (f", {left}" if left else "")
        seconds = f"{time.monotonic() - self._began:6.1f} s"
        text = plain(f"{seconds}  {week.name} {_WORDS[outcome.ending]} on {outcome.host}{about} ({facts})")
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def look(self) -> str:
        """Count the weeks again, show it, and return in words how long the rest takes; empty where nothing was played yet."""
        done, elapsed_s = self.done, time.monotonic() - self._began
        left = ""
        if self._before < done < len(self._weeks):
            left = f"{_span(elapsed_s / (done - self._before) * (len(self._weeks) - done))} left"
        self._bar.update(self._task, completed=done, left=left)
        return left


def _span(seconds: float) -> str:
    """Return a time in words: minutes, or hours and minutes."""
    minutes = max(1, round(seconds / 60))
    return f"about {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"about {minutes} min"  # noqa: PLR2004
