"""The scorecard on a terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from coldaisle_analysis.audit import Result, Status
from coldaisle_analysis.audit.scorecard import NOTE, by_group, counts
from coldaisle_contracts.errors import plain

_SENTENCE = 1_000
"""The most characters of a sentence on a terminal."""

_COLOURS = {Status.OK: "green", Status.LOOK: "yellow", Status.BAD: "red", Status.ABSENT: "dim"}


def tables(name: str, results: Sequence[Result], remarks: Sequence[str] = ()) -> Iterator[Table | Text | str]:
    """Yield the parts of an audit for a terminal: remarks, one table per group, and how many checks have each status."""
    yield Text(plain(name), "bold")
    yield from (Text(plain(remark, _SENTENCE)) for remark in remarks)
    for group, of_group in by_group(results).items():
        answered = [result for result in of_group if result.status is not Status.ABSENT]
        if answered:
            yield _table(group, answered)
    yield f"\n{', '.join(f'{count} {status}' for status, count in counts(results).items())}. {NOTE}"


def _table(group: str, results: Sequence[Result]) -> Table:
    table = Table(title=f"\n{group}", title_justify="left", title_style="bold", box=None, show_header=False)
    for width in (3, 8, 4):
        table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for result in results:
        colour = _COLOURS[result.status]
        sentence = Text(plain(result.sentence, _SENTENCE))  # a column's name is no markup
        table.add_row(result.check.id, result.level, f"[{colour}]{result.status}[/]", sentence)
    return table
