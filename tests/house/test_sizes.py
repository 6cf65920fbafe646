"""Limits on the length of modules and functions."""

import ast
from collections.abc import Iterator

from tests.conftest import HOUSE

MODULE, FUNCTION = 250, 40
LONG = {
    "contracts/coldaisle_contracts/acts.py": "one short function per pace, and the table of paces",
    "contracts/coldaisle_contracts/journal_lines.py": "the lines of all journals, with one table of their keys",
    "contracts/coldaisle_contracts/kinds.py": "one table: scenarios, plans, documentation and checks follow from it",
    "contracts/coldaisle_contracts/planning.py": "a plan and the rules that refuse one belong together",
    "contracts/coldaisle_contracts/scenario.py": "a format and the checks of its values belong together",
    "analysis/coldaisle_analysis/decoding/controls.py": "the packet types stand together as in the standard",
    "analysis/coldaisle_analysis/decoding/files.py": "two file formats share the reading of blocks",
    "analysis/coldaisle_analysis/evaluation/metrics.py": "the types of one file format",
    "analysis/coldaisle_analysis/forecast/kalman.py": "one filter with its derivation",
    "testbed/coldaisle_testbed/cli.py": "one function per command, hardly more than its options",
}
"""Modules that may be longer, each with its reason."""


def _sources() -> Iterator[tuple[str, str]]:
    for path in sorted(HOUSE.glob("[!.]*/coldaisle_*/**/*.py")):
        yield str(path.relative_to(HOUSE)), path.read_text(encoding="utf-8")


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines in the body of a function, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_long_module_has_its_reason() -> None:
    """The table of exceptions has exactly the modules of more than 250 lines."""
    assert {name for name, text in _sources() if text.count("\n") > MODULE} == set(LONG)


def test_no_function_is_long() -> None:
    """The body of a function has at most 40 lines."""
    long = [
        f"{name}, line {node.lineno}: {node.name}"
        for name, text in _sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > FUNCTION
    ]
    assert long == []
