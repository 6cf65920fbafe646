"""ERDE, F_latency and seconds to detection, compared with examples worked by hand."""

import math

import numpy as np
import pytest

from coldaisle_analysis.earliness.erde import (
    case_f1,
    erde,
    erde_bounds,
    f_latency,
    latency_cost,
    seconds_to_detect,
)
from coldaisle_analysis.earliness.outcomes import Outcomes


def outcomes(*cases: tuple[bool, int, int, float]) -> Outcomes:
    """Return outcomes from (attacked, length, alarm, seconds) tuples."""
    attacked, length, alarm, seconds = zip(*cases, strict=True)
    return Outcomes(
        np.array(attacked, dtype=np.bool_),
        np.array(length, dtype=np.int64),
        np.array(alarm, dtype=np.int64),
        np.array(seconds, dtype=np.float64),
    )


FOUR = outcomes((True, 9, 5, 40.0), (True, 9, 0, math.nan), (False, 9, 2, 10.0), (False, 9, 0, math.nan))
"""One case caught at item 5, one missed, one false alarm, and one clean case without an alarm."""


def test_latency_cost_is_one_half_at_the_deadline() -> None:
    """lc_o(o) = 1 - 1/(1 + e^0) = 1/2, lc_5(1) = 1 - 1/(1 + e^-4), and a very late item costs exactly 1."""
    assert latency_cost(5, 5) == pytest.approx(0.5)
    assert latency_cost(1, 5) == pytest.approx(1 - 1 / (1 + math.exp(-4)))
    assert latency_cost([10_000, 10**7], 50).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("deadline", [0.5, 5, 50])
def test_costs_that_are_kept_are_those_that_are_computed(deadline: float) -> None:
    """Items as whole numbers, whose costs are looked up, cost the same to the last digit as items with a fraction of 0."""
    items = np.arange(3000)
    assert latency_cost(items, deadline).tolist() == latency_cost(items.astype(np.float64), deadline).tolist()
    assert (
        latency_cost(-items, deadline).tolist() == latency_cost(-items.astype(np.float64), deadline).tolist()
    )


def test_erde_adds_up_the_four_costs() -> None:
    """With deadline 5 the costs are 0.5 (late), 1 (miss), 0.5 (false alarm, the share) and 0; their mean is 0.5."""
    assert erde(FOUR, 5) == pytest.approx((0.5 + 1 + 0.5 + 0) / 4)
    assert erde(FOUR, 50) == pytest.approx((1 / (1 + math.exp(45)) + 1 + 0.5 + 0) / 4)


def test_bounds_are_what_the_perfect_and_the_silent_detector_score() -> None:
    """A detector that catches every case at item 1, and one that never alarms, score exactly the bounds."""
    perfect = outcomes((True, 9, 1, 0.0), (False, 9, 0, math.nan), (False, 9, 0, math.nan))
    silent = outcomes((True, 9, 0, math.nan), (False, 9, 0, math.nan), (False, 9, 0, math.nan))
    best, never = erde_bounds(1 / 3, 5)
    assert best == pytest.approx(erde(perfect, 5))
    assert never == pytest.approx(erde(silent, 5))
    assert never == pytest.approx(1 / 3)


def test_f_latency_halves_f1_at_the_median_length() -> None:
    """With median length 9, p = ln 3/8: the penalty of an alarm is one half at item 9 and 0 at item 1."""
    late = outcomes((True, 9, 9, 80.0), (False, 9, 0, math.nan))
    first = outcomes((True, 9, 1, 0.0), (False, 9, 0, math.nan))
    assert f_latency(late) == pytest.approx(0.5)
    assert f_latency(first) == pytest.approx(1.0)


def test_f_latency_of_the_four_cases() -> None:
    """F1 is 1/2; at item 5, e^(-p*4) = 3^(-1/2), so the penalty is -1 + 2/(1 + 3^(-1/2)) = 0.268."""
    penalty = -1 + 2 / (1 + 3**-0.5)
    assert case_f1(FOUR) == pytest.approx(0.5)
    assert f_latency(FOUR) == pytest.approx(0.5 * (1 - penalty))


def test_f_latency_takes_the_median_penalty_of_true_positives() -> None:
    """For items 1, 9 and 9 with median length 9 the median penalty is one half; the false alarm does not count."""
    three = outcomes((True, 9, 1, 0.0), (True, 9, 9, 1.0), (True, 9, 9, 1.0), (False, 9, 3, 1.0))
    assert f_latency(three) == pytest.approx(6 / 7 * 0.5)


def test_nothing_caught_scores_zero_and_cases_of_one_item_are_never_late() -> None:
    """Without a true positive F_latency is 0; in cases of one item no alarm is late."""
    assert f_latency(outcomes((True, 3, 0, math.nan), (False, 3, 1, 0.0))) == 0.0
    assert f_latency(outcomes((True, 1, 1, 0.0), (False, 1, 0, math.nan))) == 1.0


def test_without_a_positive_case_there_is_no_score() -> None:
    """With only clean windows every score is NaN."""
    clean = outcomes((False, 5, 1, 0.0), (False, 5, 0, math.nan))
    assert math.isnan(erde(clean, 5))
    assert math.isnan(f_latency(clean))
    assert all(math.isnan(value) for value in seconds_to_detect(clean))


def test_seconds_are_those_of_true_positives_only() -> None:
    """Median and 90th percentile of 10, 20 and 30 s are 20 and 28 s; the time of the false alarm does not count."""
    three = outcomes((True, 5, 1, 10.0), (True, 5, 2, 20.0), (True, 5, 3, 30.0), (False, 5, 1, 999.0))
    assert seconds_to_detect(three) == pytest.approx((20.0, 28.0))
