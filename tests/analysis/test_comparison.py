"""Comparison of two columns of the same type, value by value, for every type."""

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from coldaisle_analysis.dataset.comparison import _differ


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (pa.nulls(2), pa.nulls(2), [False, False]),
        (pa.array([1, None]), pa.array([2, None]), [True, False]),
        (pa.array(["a", None]), pa.array([None, None], pa.string()), [True, False]),
        (pa.array(["a", "b"]).dictionary_encode(), pa.array(["a", "c"]).dictionary_encode(), [False, True]),
        (pa.array([1.0, float("nan")]), pa.array([1.5, float("nan")]), [True, False]),
    ],
)
def test_rows_that_differ(first: pa.Array, second: pa.Array, differs: list[bool]) -> None:
    """Two missing values are equal; a column may have no value at all."""
    assert _differ(pa.chunked_array([first]), pa.chunked_array([second])).tolist() == differs
