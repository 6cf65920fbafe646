"""Two columns of one type are compared value by value, whatever the type."""

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from coldaisle_analysis.dataset.comparison import _differ


@pytest.mark.parametrize(
    ("one", "two", "differs"),
    [
        (pa.nulls(2), pa.nulls(2), [False, False]),
        (pa.array([1, None]), pa.array([2, None]), [True, False]),
        (pa.array(["a", None]), pa.array([None, None], pa.string()), [True, False]),
        (pa.array(["a", "b"]).dictionary_encode(), pa.array(["a", "c"]).dictionary_encode(), [False, True]),
        (pa.array([1.0, float("nan")]), pa.array([1.5, float("nan")]), [True, False]),
    ],
)
def test_rows_that_differ(one: pa.Array, two: pa.Array, differs: list[bool]) -> None:
    """Missing on both sides is the same; a column may have no value at all."""
    assert _differ(pa.chunked_array([one]), pa.chunked_array([two])).tolist() == differs
