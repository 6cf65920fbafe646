"""Every kind in the catalogue keeps the same rules, whoever wrote it.

The checks follow from the taxonomy alone, and are those of the pytest plugin: a new row is checked without a change in this file.
"""

import re
from pathlib import Path

import pytest
from tests.netns.catalogue import PLAN, PLAYED

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.taxonomy import Kind
from coldaisle_testbed.obedience import kept, planned, whole
from coldaisle_testbed.obedience.observed import Played

DOCS = Path(__file__).parents[2] / "docs" / "attacks.md"
KINDS_PARAMETRISED = pytest.mark.parametrize("kind", PLAYED, ids=[kind.name for kind in PLAYED])


def _name(check: planned.Check | kept.Check | whole.Check) -> str:
    return check.__name__


@pytest.mark.parametrize("kind", SHIPPED.values(), ids=list(SHIPPED))
def test_it_is_documented(kind: Kind) -> None:
    """docs/attacks.md has a section for the kind."""
    assert re.search(rf"^### `{kind.name}`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


@KINDS_PARAMETRISED
@pytest.mark.parametrize("check", planned.CHECKS, ids=_name)
def test_its_plan(kind: Kind, check: planned.Check) -> None:
    """Row and plan of the kind keep each rule, as the check's docstring says."""
    assert list(check(kind, PLAN)) == []


@pytest.fixture(scope="session")
def played(catalogue_run: Path) -> Played:
    """A real run of every variant of every kind."""
    return Played(catalogue_run, PLAN)


@pytest.mark.netns
@KINDS_PARAMETRISED
@pytest.mark.parametrize("check", kept.CHECKS, ids=_name)
def test_its_acts(kind: Kind, check: kept.Check, played: Played) -> None:
    """In a real run the kind keeps each rule, as the check's docstring says."""
    assert list(check(kind, played)) == []


@pytest.mark.netns
@pytest.mark.parametrize("check", whole.CHECKS, ids=_name)
def test_the_run(check: whole.Check, played: Played) -> None:
    """A real run of every kind keeps each rule, as the check's docstring says."""
    assert list(check(played)) == []
