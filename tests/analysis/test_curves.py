"""Recall against delay and earliness per kind, on five cases."""

import math

import numpy as np

from coldaisle_analysis.earliness.curves import recall_by_items, recall_by_seconds
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.per_kind import earliness_per_kind

FIVE = Outcomes(
    attacked=np.array([True, True, True, True, False]),
    length=np.array([9, 9, 9, 9, 9]),
    alarm=np.array([3, 1, 3, 0, 2]),
    seconds=np.array([40.0, 0.0, 20.0, math.nan, 1.0]),
)
"""Three cases caught at items 3, 1 and 3, one missed case, and a false alarm."""


def test_recall_by_items_counts_positive_cases() -> None:
    """A quarter is caught at the first item and three quarters within three items; the false alarm does not count."""
    curve = recall_by_items(FIVE)
    assert curve.points() == [[1.0, 0.25], [3.0, 0.75]]


def test_recall_by_seconds_has_a_step_a_moment() -> None:
    """Delays of 0, 20 and 40 s give three steps of a quarter each."""
    assert recall_by_seconds(FIVE).points() == [[0.0, 0.25], [20.0, 0.5], [40.0, 0.75]]


def test_a_long_curve_is_thinned_to_its_ends_and_between() -> None:
    """Of 500 steps, 40 are written, the first and the last among them."""
    long = Outcomes(
        np.ones(500, bool), np.full(500, 999), np.arange(1, 501), np.arange(500, dtype=np.float64)
    )
    points = recall_by_items(long).points()
    assert len(points) == 40
    assert (points[0], points[-1]) == ([1.0, 0.002], [500.0, 1.0])


def test_nothing_caught_is_an_empty_curve() -> None:
    """A detector without alarms has no step, and without cases there is no curve."""
    silent = Outcomes(np.array([True]), np.array([9]), np.array([0]), np.array([math.nan]))
    nobody = Outcomes(np.zeros(0, bool), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert recall_by_items(silent).points() == recall_by_seconds(nobody).points() == []


def test_earliness_per_kind() -> None:
    """Two of three delays are caught, with medians of 2 items and 20 s; the removal is missed and has no median."""
    kinds = np.array(["delay", "delay", "delay", "removal", ""])
    outcomes = Outcomes(
        FIVE.attacked, FIVE.length, np.array([3, 1, 0, 0, 2]), np.array([40.0, 0.0, math.nan, math.nan, 1.0])
    )
    table = earliness_per_kind(outcomes, kinds)
    assert list(table) == ["delay", "removal"]
    assert table["delay"] == {"cases": 3, "caught": 2, "items": 2.0, "seconds": 20.0}
    assert (table["removal"]["cases"], table["removal"]["caught"]) == (1, 0)
    assert math.isnan(table["removal"]["seconds"])
