"""docs/schemas holds the JSON Schema of each file of a run as the types in the code have it."""

from typing import get_type_hints

import pytest
from tests import schemas

from coldaisle_analysis.evaluation.metrics import AlarmMetrics, FirstCase


@pytest.mark.parametrize("name", schemas.TYPES)
def test_printed_schemas_are_those_of_the_types(name: str) -> None:
    """A schema in docs/schemas is what the types give."""
    printed = schemas.path(name).read_text(encoding="utf-8")
    assert printed == schemas.text(name), "print it again: python -m tests.schemas"


def test_a_row_repeats_the_first_case_whole() -> None:
    """A row of the metrics has at most the keys that a case has for its threshold, with the same types."""
    assert get_type_hints(FirstCase, include_extras=True) == get_type_hints(AlarmMetrics, include_extras=True)
