"""docs/python-api.md and the docstrings of the public Python API."""

from pathlib import Path

import pytest
from tests import python_api

HOUSE = Path(__file__).resolve().parents[2]
NAMES = [(module, name) for module in python_api.MODULES for name in python_api.members(module)]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_every_public_name_has_an_example(module: str, name: str) -> None:
    """The docstring begins with a sentence and has an ``Examples`` section, which tests/analysis/test_examples.py runs."""
    value = python_api.members(module)[name]
    assert python_api.documentation(value).partition("\n")[0].endswith(".")
    assert ">>> " in python_api.examples(value)


def test_the_page_is_printed_from_the_code() -> None:
    """docs/python-api.md has exactly the names, sentences and examples of the docstrings."""
    text = (HOUSE / "docs" / "python-api.md").read_text(encoding="utf-8")
    assert text == python_api.page(), f"print it again:\n{python_api.page()}"


def test_every_package_is_typed() -> None:
    """Each package has a ``py.typed``, so that type checkers use its annotations (PEP 561)."""
    packages = {path.parent for path in HOUSE.glob("*/coldaisle_*/__init__.py")}
    assert len(packages) == 7
    assert [package.name for package in packages if not (package / "py.typed").is_file()] == []
