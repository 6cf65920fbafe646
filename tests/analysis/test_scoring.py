"""Precision, recall and F1 of alarms, compared with scikit-learn's, and their intervals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score

from coldaisle_analysis.evaluation.counts import count, intervals, recall_per_kind
from coldaisle_analysis.evaluation.metrics import precision_and_recall

RNG = np.random.default_rng(5)
LABELS = (RNG.random(400) < 0.2).astype(np.int8)
ALARMS = np.where(LABELS == 1, RNG.random(400) < 0.7, RNG.random(400) < 0.1)
EPISODES = np.where(LABELS == 1, np.arange(400) // 40, -1)
DAYS = np.arange(400) // 80


def test_counts_agree_with_scikit_learn() -> None:
    """Precision, recall and F1 equal those of scikit-learn."""
    counts = count(LABELS, ALARMS)
    assert float(counts.precision) == pytest.approx(precision_score(LABELS, ALARMS))
    assert float(counts.recall) == pytest.approx(recall_score(LABELS, ALARMS))
    assert float(counts.f1) == pytest.approx(f1_score(LABELS, ALARMS))


def test_no_alarm_scores_zero() -> None:
    """A detector without alarms has precision, recall and F1 of 0, and there is no error."""
    counts = count(LABELS, np.zeros(400, dtype=bool))
    assert (float(counts.precision), float(counts.recall), float(counts.f1)) == (0.0, 0.0, 0.0)


def test_intervals_hold_the_score_and_repeat() -> None:
    """The 95 % intervals contain the score, lie in [0, 1], and are the same for the same seed."""
    bounds = intervals(LABELS, ALARMS, EPISODES, DAYS, seed=2)
    counts = count(LABELS, ALARMS)
    scores = (counts.precision, counts.recall, counts.f1)
    for score, (low, high) in zip(scores, (bounds["precision"], bounds["recall"], bounds["f1"]), strict=True):
        assert 0 <= low < float(score) < high <= 1
    assert bounds == intervals(LABELS, ALARMS, EPISODES, DAYS, seed=2)


def test_clusters_widen_the_interval() -> None:
    """If whole episodes are caught or missed together, the interval of recall is wider than with independent rows."""
    together = np.where(LABELS == 1, EPISODES % 2 == 0, False)
    by_episode = intervals(LABELS, together, EPISODES, DAYS, seed=2)["recall"]
    by_row = intervals(LABELS, together, np.arange(400), DAYS, seed=2)["recall"]
    assert by_episode[1] - by_episode[0] > 1.5 * (by_row[1] - by_row[0])


def test_recall_per_kind() -> None:
    """Two of two removals and one of two modifications are caught; normal rows have no entry."""
    labels = np.array([1, 1, 1, 1, 0], dtype=np.int8)
    alarms = np.array([True, True, True, False, True])
    kinds = pd.Series(["removal", "removal", "modification", "modification", "normal"])
    assert recall_per_kind(labels, alarms, kinds) == {"modification": 0.5, "removal": 1.0}


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_the_curve_is_that_of_scikit_learn(digits: int) -> None:
    """Precision and recall at every threshold are the same numbers, with scores that recur and with scores that do not."""
    score = np.round(RNG.random(400) + 0.3 * LABELS, digits).astype(np.float64)
    precision, recall, _ = precision_recall_curve(LABELS, score)
    ours = precision_and_recall(LABELS, score)
    assert (ours[0].tolist(), ours[1].tolist()) == (precision.tolist(), recall.tolist())
