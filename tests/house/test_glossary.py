"""docs/glossary.md: every word is in the code at the named place, and every list of names equals the code's."""

import importlib
import re
from pathlib import Path
from typing import get_args

import pytest

from coldaisle_analysis import columns
from coldaisle_analysis.earliness.policies import FAMILIES
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.splits import OTHER_RUNS
from coldaisle_analysis.truth.readings import FATES
from coldaisle_contracts.taxonomy import Edit, Family, Role

TEXT = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = {
    row[1]: (row[2], row[3])
    for row in re.finditer(r"^\| \*\*(.+?)\*\* \| (.+) \| (.+) \|$", TEXT, re.MULTILINE)
}
LISTS = {
    "family": get_args(Family),
    "edit": tuple(filter(None, get_args(Edit))),
    "role": tuple(Role),
    "fate": ("delivered", *FATES.values()),
    "level": columns.LEVELS,
    "group": get_args(columns.Group),
    "split": ("day", "block", "kind", "random", OTHER_RUNS),
    "alarm policy": tuple(FAMILIES),
    "budget": tuple(BUDGETS),
}
"""Words whose line lists all values in the code."""


@pytest.mark.parametrize("word", ROWS)
def test_word_is_in_the_code(word: str) -> None:
    """Each line is one sentence or more, and each place in it is an existing module, or a name in one."""
    meaning, places = ROWS[word]
    assert meaning.endswith((".", ")"))
    for folder, path, name in re.findall(r"`(\w+)/([\w/]+)(?:: (\w+))?`", places):
        module = importlib.import_module(f"coldaisle_{folder}.{path.replace('/', '.')}")
        assert not name or hasattr(module, name)
    assert len(re.findall("`[^`]+`", places)) == len(places.split(", "))


@pytest.mark.parametrize("word", LISTS)
def test_lists_are_the_code_s(word: str) -> None:
    """A line with a list of names has all names of the code and no others."""
    assert sorted(re.findall("`([^`]+)`", ROWS[word][0])) == sorted(LISTS[word])


def test_every_line_is_read() -> None:
    """The tests read every line of the tables, no word has two lines, and there are at least 40 words."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| **")]
    assert len(lines) == len(ROWS) >= 40
