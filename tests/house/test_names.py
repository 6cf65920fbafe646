"""The names of variables say what they hold."""

import ast
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
EMPTY = {
    "asked", "each", "found", "given", "got", "kept", "known", "made", "one", "others", "own", "rest", "said", "seen", "shown",
    "taken", "these", "those", "told", "wanted", "what", "who",
}  # fmt: skip
"""Pronouns and participles that say nothing about a value."""


def test_variables_say_what_they_hold() -> None:
    """Less than one percent of the assigned variables have a name that says nothing about the value."""
    names = [
        f"{path.relative_to(HOUSE)}:{node.lineno}: {node.id}"
        for path in sorted(HOUSE.glob("*/coldaisle_*/**/*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    empty = [name for name in names if name.rpartition(" ")[2] in EMPTY]
    assert len(names) > 5000
    assert len(empty) < len(names) / 100, empty
