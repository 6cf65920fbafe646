"""The scorecard on a terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from coldaisle_analysis.audit import Result, Status
from coldaisle_analysis.audit.scorecard import NOTE, by_group
from coldaisle_contracts.errors import plain

_SENTENCE = 1_000
"""Characters of a finding on a terminal, at most."""

_COLOURS = {Status.OK: "green", Status.LOOK: "yellow", Status.BAD: "red", Status.ABSENT: "dim"}


def tables(name: str, results: Sequence[Result]) -> Iterator[Table | Text | str]:
    """Yield what a terminal shows of an audit: a table a group, and how many checks said what."""
    yield Text(plain(name), "bold")
    for group, own in by_group(results).items():
        answered = [result for result in own if result.status is not Status.ABSENT]
        if answered:
            yield _table(group, answered)
    counts = ", ".join(f"{sum(one.status is status for one in results)} {status}" for status in Status)
    yield f"\n{counts}. {NOTE}"


def _table(group: str, results: Sequence[Result]) -> Table:
    table = Table(title=f"\n{group}", title_justify="left", title_style="bold", box=None, show_header=False)
    for width in (3, 8, 4):
        table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for one in results:
        colour = _COLOURS[one.status]
        sentence = Text(plain(one.sentence, _SENTENCE))  # a column's name is no markup
        table.add_row(one.check.id, one.level, f"[{colour}]{one.status}[/]", sentence)
    return table
