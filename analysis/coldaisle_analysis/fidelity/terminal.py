"""The result of a comparison on a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from coldaisle_analysis.fidelity import Compared, Fidelity
from coldaisle_analysis.fidelity.result import (
    HOW,
    TOLD,
    TOLD_HEAD,
    cells,
    large,
    reasons,
    sentences,
    told_cells,
)
from coldaisle_contracts.errors import plain

_CELL = 200
"""The most characters of a cell."""
_HEAD = ("measure", "ours", "published", "shift (ours, published)", "KS (ours, published)")


def tables(result: Fidelity) -> Iterator[Table | Text]:
    """Yield the parts of a comparison for a terminal: what was compared, large differences, why, the others, and the classifiers."""
    yield from (Text(plain(sentence), "bold") for sentence in sentences(result))
    differing = large(result)
    if differing:
        yield _table("large differences", _HEAD, _rows(differing))
        yield from (Text(plain(f"{names}: {reason}")) for names, reason in reasons(differing))
    if like := [row for row in result.rows if row.large is False]:
        yield _table("no large difference", _HEAD, _rows(like))
    yield _table("what a classifier tells apart", TOLD_HEAD, told_cells(result))
    yield Text(f"\n{HOW} {TOLD}", "dim")


def _rows(rows: Sequence[Compared]) -> Iterator[tuple[str, ...]]:
    """Yield a line per measure in as few columns as a terminal is wide: a distance, and in brackets those within ours and published."""
    for row in rows:
        name, ours, theirs, *distances = cells(row, most=1)
        shift, shape = ("{} ({}, {})".format(*part) for part in (distances[:3], distances[3:]))
        yield name, ours, theirs, shift, shape


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(
        *head, title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(Text(plain(cell, _CELL)) for cell in row))
    return table
