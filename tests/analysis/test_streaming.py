"""Streaming models: their arrays give river's scores, and they do not learn from rows they score."""

import subprocess
import sys

import numpy as np
import pytest

from coldaisle_analysis.models.streaming import AdaptiveForest, Grove, HalfSpaces, stream

RNG = np.random.default_rng(5)
LABELS = (np.arange(600) % 40 < 8).astype(np.int8)
ROWS = np.clip(RNG.normal(0.4, 0.1, (600, 5)) + 0.25 * LABELS[:, None] * (np.arange(5) < 2), 0.0, 1.0)


def test_half_space_trees_score_as_river_does() -> None:
    """Scores are 1 - river's score, row by row, for training rows and for rows far away."""
    model = HalfSpaces(trees=7, height=6, window=100, seed=3)
    grown = model.grow(len(ROWS))
    for row in stream(ROWS):
        grown.learn_one(row)
    rows = np.vstack([ROWS, RNG.random((200, 5))])
    expected = [1 - grown.score_one(row) for row in stream(rows)]
    assert model.fit(ROWS).decision_function(rows) == pytest.approx(expected, abs=1e-12)


def test_a_row_at_a_limit_goes_where_river_sends_it() -> None:
    """In half-space trees, values equal to the limit of a node go to its upper side, as in river."""
    model = HalfSpaces(trees=5, height=3, window=50, seed=1)
    grown = model.grow(len(ROWS))
    for row in stream(ROWS):
        grown.learn_one(row)
    root = grown.trees[0]
    at = np.full((1, 5), 0.3)
    at[0, root.feature] = root.threshold
    assert model.fit(ROWS).decision_function(at)[0] == pytest.approx(1 - grown.score_one(next(stream(at))))


def test_the_adaptive_forest_scores_as_river_does() -> None:
    """The probability of an attack equals river's, row by row."""
    model = AdaptiveForest(trees=4, seed=3)
    grown = model.grow()
    for row, label in zip(stream(ROWS), LABELS.tolist(), strict=True):
        grown.learn_one(row, label)
    expected = [grown.predict_proba_one(row).get(1, 0.0) for row in stream(ROWS)]
    assert model.fit(ROWS, LABELS).predict_proba(ROWS)[:, 1] == pytest.approx(expected, abs=1e-12)
    assert any(grove.depth_ > 0 for grove in model.groves_)


def test_scoring_teaches_nothing() -> None:
    """Scores are the same the second time, row by row, and in another order."""
    forest = AdaptiveForest(seed=1).fit(ROWS, LABELS)
    spaces = HalfSpaces(seed=1).fit(ROWS)
    order = RNG.permutation(len(ROWS))
    for score in (lambda rows: forest.predict_proba(rows)[:, 1], spaces.decision_function):
        first = score(ROWS)
        assert np.array_equal(first, score(ROWS))
        assert np.array_equal(first[order], score(ROWS[order]))
        assert first[7] == score(ROWS[7:8])[0]


def test_a_forest_that_knows_nothing_gives_even_chance() -> None:
    """A tree that is only a root without rows, as after planting, has no weight."""
    forest = AdaptiveForest()
    forest.groves_ = [Grove.lay_out([None], lambda *_: (np.zeros(2), True), np.zeros(2))]
    assert forest.predict_proba(ROWS[:3]).tolist() == [[0.5, 0.5]] * 3


def test_importing_the_models_does_not_import_river() -> None:
    """The import of river takes a while, so only fitting imports it."""
    code = "import sys, coldaisle_analysis.models; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
