"""No check of the audit makes a table of values by days: its time and memory would grow with the square of the rows."""

import tracemalloc

import numpy as np
import pytest

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.sweep import rates, transferred

BYTES_A_ROW = 400
"""Most memory for a row and all its intermediate results: some tens of numbers."""


def made(rows: int, values: int, days: int) -> tuple[Floats, Mask, Ints]:
    """Return values, labels and days of rows."""
    rng = np.random.default_rng(rows)
    return (
        rng.integers(0, values, rows).astype(np.float64),
        rng.random(rows) < 0.1,
        rng.integers(0, days, rows),
    )


def naive(values: Floats, label: Mask, days: Ints) -> list[float]:
    """Return the rate of each value on the other days, row by row."""
    return [
        float((label[other].sum() + label.mean()) / (other.sum() + 1))
        for value, day in zip(values, days, strict=True)
        for other in [(values == value) & (days != day)]
    ]


@pytest.mark.parametrize(("values", "days"), [(3, 2), (40, 7), (300, 300)])
def test_rates_are_those_of_the_definition(values: int, days: int) -> None:
    """The attack rate of a value on the other days, drawn towards the rate of all rows, is what its definition says."""
    rows = made(300, values, days)
    assert rates(*rows) == pytest.approx(naive(*rows), abs=1e-12)


@pytest.mark.parametrize("rows", [10_000, 40_000])
def test_memory_grows_with_the_rows_alone(rows: int) -> None:
    """With a value of its own for each row, and a day for each ten, memory stays within a bound for each row."""
    values, label, days = made(rows, 10 * rows, rows // 10)
    transferred(values, label, days)  # what is made once is made before
    tracemalloc.start()
    transferred(values, label, days)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BYTES_A_ROW * rows
