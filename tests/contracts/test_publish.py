"""The table ``[publish]``: its keys, the values that it refuses, and a plan that does not depend on it."""

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import HOUSE

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario

HOUR = (HOUSE / "scenarios" / "hour.toml").read_text(encoding="utf-8")
WEEK_DIGEST = "6c6ee541c5ab1e2e"
"""First digits of the digest of the default week's plan before the table ``[publish]`` existed."""
GIVEN: dict[str, Any] = {
    "authors": '[{name = "Ada Lovelace", affiliation = "Analytical Society", orcid = "0000-0002-1825-0097"}, {name = "Bob"}]',
    "licence": '"cc-by-4.0"',
    "title": '"Cold aisle, hour one"',
    "version": '"1.2.0"',
    "year": "2027",
    "publisher": '"Zenodo"',
    "url": '"https://example.org/data"',
    "doi": '"10.5281/zenodo.1234567"',
    "contact": '"ada@example.org"',
}


def scenario(folder: Path, **changed: str) -> Path:
    """Write the smoke scenario with ``[publish]``, with some keys changed, or left out if their value is empty."""
    lines = [f"{key} = {text}" for key, text in {**GIVEN, **changed}.items() if text]
    path = folder / "published.toml"
    path.write_text("\n".join([HOUR, "[publish]", *lines]), encoding="utf-8")
    return path


def test_it_is_read(tmp_path: Path) -> None:
    """Every key is read, and the licence gets the spelling of SPDX."""
    publish = load_scenario(scenario(tmp_path)).publish
    assert publish is not None
    assert [author.name for author in publish.authors] == ["Ada Lovelace", "Bob"]
    assert (publish.licence, publish.terms) == ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0")


def test_a_licence_may_be_an_address(tmp_path: Path) -> None:
    """A licence that SPDX does not list is named by the address of its text."""
    publish = load_scenario(scenario(tmp_path, licence='"https://example.org/terms"')).publish
    assert publish is not None
    assert publish.terms == "https://example.org/terms"


def test_it_changes_nothing_of_what_is_played(tmp_path: Path) -> None:
    """The plan's digest is the same with and without the table, and the default week's digest has not changed."""
    plain = build_plan(load_scenario(HOUSE / "scenarios" / "hour.toml"))
    published = build_plan(load_scenario(scenario(tmp_path)))
    assert plain.digest() == published.digest()
    assert Plan.model_validate_json(published.model_dump_json()) == published
    assert build_plan(load_scenario(HOUSE / "scenarios" / "week.toml")).digest().startswith(WEEK_DIGEST)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"authors": ""}, r"key publish\.authors: add it, because it is required"),
        ({"authors": "[]"}, r"key publish\.authors is \[\]: name at least one"),
        ({"authors": '["Ada"]'}, r"key publish\.authors\.0 is 'Ada': write it as a table"),
        ({"authors": '[{name = " "}]'}, r"publish\.authors\.0\.name is ' ': write one line of text"),
        ({"authors": '[{name = "A", mail = "x"}]'}, r"publish\.authors\.0\.mail: remove it"),
        (
            {"authors": '[{name = "A", orcid = "0000-0002-1825-0098"}]'},
            r"orcid is .*: write the 16 digits of an ORCID iD",
        ),
        ({"licence": ""}, r"key publish\.licence: add it, because it is required"),
        ({"licence": '"CC-BY-40"'}, r"key publish\.licence is 'CC-BY-40': SPDX has no such licence"),
        ({"licence": '"free for all"'}, r"key publish\.licence is 'free for all': write an SPDX id"),
        ({"url": '"example.org"'}, r"key publish\.url is 'example\.org': write a whole address"),
        ({"doi": '"https://doi.org/10.5281/x"'}, r"key publish\.doi is .*: write a DOI without its address"),
        ({"year": "1492"}, r"key publish\.year is 1492: "),
        ({"version": '"one"'}, r"key publish\.version is 'one': "),
        ({"title": '"two\\nlines"'}, r"key publish\.title is .*: write one line of text"),
        ({"licens": '"MIT"'}, r"key publish\.licens: remove it, because no such key exists"),
    ],
)
def test_what_is_refused(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    """A wrong value is refused with file, key, value and remedy."""
    with pytest.raises(InputError, match=expected):
        load_scenario(scenario(tmp_path, **changed))
