"""Zeek's logs, tab-separated with ``#fields`` or as JSON lines (docs.zeek.org, log formats).

Every row of a log is an alert, except in ``conn.log`` and logs made of it, which list all connections: there a column must say
which are (``alert``, ``label``, ``prediction`` … or a score). Without one the log tells what connection a ``uid`` names.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_analysis.judging.alerts import NAMES, VERDICTS
from coldaisle_analysis.judging.formats.json_lines import first_of, objects, small
from coldaisle_contracts.errors import InputError

IS_CONNECTION = "#connection"
"""Name of a fact that only rows of a list of connections have."""
_VERDICTS = {*VERDICTS, *NAMES["score"]}
_EMPTY = "(empty)"
_BLANKS = re.compile(" {3}")
"""What stands between the last columns of a ``conn.log.labeled``, as the data sets of Stratosphere have them."""
_ESCAPED = re.compile(r"\\x[0-9a-fA-F]{2}")
"""A character as Zeek writes its separator."""


def is_it(head: str) -> bool:
    """Tell whether the first line begins one of Zeek's logs."""
    return (
        head.startswith(("#separator", "#fields", "#set_separator")) or {"ts", "uid"} <= first_of(head).keys()
    )


def records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each row."""
    lines = _of_json(path, text) if text.lstrip().startswith("{") else _of_tabs(path, text)
    for place, facts in lines:
        is_listed = {"conn_state", "orig_pkts"} & facts.keys() and not _VERDICTS & facts.keys()
        kept = (
            facts if is_span(facts) else {name: value for name, value in facts.items() if name != "duration"}
        )
        yield place, kept | ({IS_CONNECTION: True} if is_listed else {})


def is_span(facts: Mapping[str, Any]) -> bool:
    """Tell whether a row speaks of a whole connection, from its time to its end; ``duration`` has no such meaning elsewhere."""
    return bool({"conn_state", "orig_pkts", "resp_pkts"} & facts.keys())


def _of_json(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, record in objects(path, text):
        yield f"line {number}", small(record)


def _of_tabs(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    fields, separator, unset = list[str](), "\t", "-"
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#separator"):
            written = line.partition(" ")[2].strip()
            separator = (
                bytes.fromhex(written[2:]).decode("latin-1")
                if _ESCAPED.fullmatch(written)
                else written or separator
            )
        elif line.startswith("#unset_field"):
            unset = line.split(separator)[-1]
        elif line.startswith("#fields"):
            fields = [name.strip().lower() for name in _BLANKS.sub(separator, line).split(separator)[1:]]
        elif line and not line.startswith("#"):
            cells = line.split(separator)
            if len(cells) < len(fields):
                cells = [*cells[:-1], *_BLANKS.split(cells[-1])]
            if len(cells) != len(fields):
                remedy = (
                    f"has {len(cells)} cells, #fields names {len(fields)}: remove a line that was cut off"
                )
                raise InputError(f"{path}: line {number}", remedy)
            yield (
                f"line {number}",
                {
                    name: cell
                    for name, cell in zip(fields, cells, strict=True)
                    if cell not in {unset, _EMPTY} or name in _VERDICTS
                },
            )
