"""ERDE and latency-weighted F1, compared with the scripts that score eRisk and its participants.

The formulae are written here as those scripts compute them, one case after the other, in plain Python:

* the script of the lab, with k = sequence + 1 and p = 0.0078, as in ele94/early-risk-ensemble (``utils.py``, ``eval_performance``);
* jmloyola/unsl_erisk_2022 (``src/utils/performance_metrics.py``), with p from a median length;
* sinai-uja/MentalRiskES-IberLEF (``classEvaluation.py``), with k = round + 1 and other constants p.
"""

import math
from statistics import mean, median

import numpy as np
import pytest

from coldaisle_analysis.earliness.erde import (
    ERISK_RATE,
    case_f1,
    erde,
    f_latency,
    latency_penalty,
    latency_rate,
    latency_weighted_f1,
)
from coldaisle_analysis.earliness.outcomes import Outcomes

RUNS = range(20)


def drawn(seed: int, longest: int = 60) -> Outcomes:
    """Return the outcomes of 30 random cases: some are caught, some are missed, some are false alarms."""
    rng = np.random.default_rng(seed)
    length = rng.integers(1, longest, 30)
    alarm = np.where(rng.random(30) < 0.6, rng.integers(1, length + 1), 0)
    attacked = rng.random(30) < 0.4
    attacked[0], alarm[0] = True, length[0]
    return Outcomes(attacked, length, alarm, np.where(alarm > 0, alarm * 300.0, math.nan))


def decisions(outcomes: Outcomes) -> list[tuple[bool, bool, int]]:
    """Return (truth, decision, sequence) of each case in the form of the scripts: ``sequence`` counts from 0."""
    return [
        (bool(truth), alarm > 0, int(alarm) - 1)
        for truth, alarm in zip(outcomes.attacked, outcomes.alarm, strict=True)
    ]


def script_erde(outcomes: Outcomes, deadline: float) -> float:
    """Return ERDE as the lab's script computes it: a false alarm costs the number of positives over the number of subjects."""
    subjects = decisions(outcomes)
    positives = sum(truth for truth, _, _ in subjects)
    costs = []
    for truth, decision, sequence in subjects:
        if decision:
            late = 1.0 - 1.0 / (1.0 + math.exp(sequence + 1 - deadline))
            costs.append(late if truth else positives / len(subjects))
        else:
            costs.append(1.0 if truth else 0.0)
    return mean(costs)


def script_speed(outcomes: Outcomes, rate: float) -> float:
    """Return the speed of a run as all three scripts compute it: 1 - median penalty over the true positives."""
    late = [sequence for truth, decision, sequence in decisions(outcomes) if truth and decision]
    return 1 - median(-1.0 + 2.0 / (1.0 + math.exp(-rate * ((sequence + 1) - 1))) for sequence in late)


@pytest.mark.parametrize("seed", RUNS)
def test_erde_is_that_of_the_lab(seed: int) -> None:
    """On random cases ERDE_5, ERDE_30 and ERDE_50 equal those of the published scripts."""
    outcomes = drawn(seed)
    for deadline in (5, 30, 50):
        assert erde(outcomes, deadline) == pytest.approx(script_erde(outcomes, deadline), abs=1e-12)


@pytest.mark.parametrize("seed", RUNS)
def test_latency_weighted_f1_is_that_of_the_lab(seed: int) -> None:
    """On random cases it equals F1, from precision and recall, times the speed at p = 0.0078."""
    outcomes = drawn(seed)
    hits = int((outcomes.attacked & (outcomes.alarm > 0)).sum())
    precision, recall = hits / int((outcomes.alarm > 0).sum()), hits / int(outcomes.attacked.sum())
    f1 = 2 * (precision * recall) / (precision + recall)
    assert case_f1(outcomes) == pytest.approx(f1)
    assert latency_weighted_f1(outcomes) == pytest.approx(f1 * script_speed(outcomes, 0.0078))


@pytest.mark.parametrize("seed", RUNS)
def test_f_latency_is_that_of_unsl_at_the_median_of_all_cases(seed: int) -> None:
    """With p = -ln(1/3)/(median - 1) their formula gives our value; their median is over positive cases, ours over all."""
    outcomes = drawn(seed)
    rate = -(math.log(1 / 3) / (median(outcomes.length.tolist()) - 1))
    assert latency_rate(outcomes) == pytest.approx(rate)
    assert f_latency(outcomes) == pytest.approx(case_f1(outcomes) * script_speed(outcomes, rate))


def test_the_rate_of_erisk_is_that_of_142_posts() -> None:
    """A median of ln 3/0.0078 + 1 = 141.8 posts gives the rate of eRisk, and both scores then agree to three digits."""
    assert math.log(3) / ERISK_RATE + 1 == pytest.approx(141.8, abs=0.1)
    long = Outcomes(
        np.array([True, False]), np.array([142, 142]), np.array([100, 0]), np.array([1.0, math.nan])
    )
    assert latency_weighted_f1(long) == pytest.approx(f_latency(long), rel=1e-3)
    assert float(latency_penalty(142, ERISK_RATE)) == pytest.approx(0.5, abs=1e-3)


def test_the_rates_of_sinai_are_those_of_short_histories() -> None:
    """With their p of 0.0411 the penalty is one half at 28 messages, with 0.0326 at 35 messages."""
    assert float(latency_penalty(1 + math.log(3) / 0.0411, 0.0411)) == pytest.approx(0.5)
    assert round(1 + math.log(3) / 0.0411) == 28
    assert round(1 + math.log(3) / 0.0326) == 35


def test_short_cases_are_hardly_late_for_erisk() -> None:
    """An alarm at the last of nine items costs one half at the rate of the cases, and three hundredths at that of eRisk."""
    late = Outcomes(np.array([True, False]), np.array([9, 9]), np.array([9, 0]), np.array([40.0, math.nan]))
    assert f_latency(late) == pytest.approx(0.5)
    assert latency_weighted_f1(late) == pytest.approx(1 - 0.0312, abs=1e-4)


def test_without_a_true_positive_there_is_no_speed() -> None:
    """Without a true positive both scores are 0, and without a positive case they are NaN."""
    missed = Outcomes(np.array([True, False]), np.array([9, 9]), np.array([0, 1]), np.array([math.nan, 1.0]))
    clean = Outcomes(np.array([False]), np.array([9]), np.array([0]), np.array([math.nan]))
    assert latency_weighted_f1(missed) == f_latency(missed) == 0.0
    assert math.isnan(latency_weighted_f1(clean))
    assert math.isnan(f_latency(clean))


def test_the_penalty_by_hand() -> None:
    """With p = ln 3/8 the penalty is 0 at item 1, one half at item 9, -1 + 2/(1 + 1/9) = 0.8 at item 17, and 1 in the limit."""
    assert latency_penalty([1, 9, 17, 10**6], math.log(3) / 8) == pytest.approx([0, 0.5, 0.8, 1])
