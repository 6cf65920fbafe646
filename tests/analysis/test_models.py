"""The table of models: every row builds, learns, scores in [0, 1], repeats, and learns from training rows alone."""

import warnings

import numpy as np
import pytest

from coldaisle_analysis.models import EVEN_CHANCE, FEWEST, MODELS, scores, threshold

RNG = np.random.default_rng(11)
LABELS = (np.arange(300) % 10 == 0).astype(np.int8)
FEATURES = np.column_stack([
    RNG.normal(size=300) + 4 * LABELS,
    np.where(RNG.random(300) < 0.3, np.nan, RNG.normal(size=300)),
    np.full(300, np.nan),
    np.ones(300),
])  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_with_missing_and_constant_columns(name: str) -> None:
    """With missing values, an empty and a constant column each model fits without a warning and beats chance."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        model = MODELS[name].build(1).fit(FEATURES, LABELS)
    score = scores(model, FEATURES)
    assert ((score >= 0) & (score <= 1)).all()
    if name != "dummy":
        assert score[LABELS == 1].mean() > score[LABELS == 0].mean() + 0.1


@pytest.mark.parametrize("name", MODELS)
def test_every_model_repeats(name: str) -> None:
    """The same seed gives the same scores."""
    first, second = (scores(MODELS[name].build(3).fit(FEATURES, LABELS), FEATURES) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_from_the_fewest_rows_allowed(name: str) -> None:
    """With as few attacks as evaluation lets through, fitting does not fail."""
    few = np.flatnonzero(LABELS)[:FEWEST]
    rows = np.concatenate([few, np.flatnonzero(LABELS == 0)])
    assert len(scores(MODELS[name].build(1).fit(FEATURES[rows], LABELS[rows]), FEATURES)) == 300


def test_threshold_has_the_best_f1() -> None:
    """No other threshold gives a better F1, and the chosen one lies between two scores."""
    score = np.array([0.9, 0.8, 0.8, 0.4, 0.3, 0.1])
    labels = np.array([1, 1, 0, 1, 0, 0], dtype=np.int8)
    chosen = threshold(labels, score)
    tried = {cut: 2 * (labels[score >= cut]).sum() / ((score >= cut).sum() + labels.sum()) for cut in score}
    assert 2 * labels[score >= chosen].sum() / ((score >= chosen).sum() + 3) == max(tried.values())
    assert chosen == pytest.approx(0.35)


def test_threshold_without_attacks_is_even_chance() -> None:
    """Rows without attacks cannot set a threshold."""
    assert threshold(np.zeros(4, dtype=np.int8), np.linspace(0, 1, 4)) == EVEN_CHANCE


def test_a_constant_score_alarms_always() -> None:
    """A model that knows only the base rate can do no better than alarm at everything."""
    labels = np.array([1, 0, 0, 0], dtype=np.int8)
    assert threshold(labels, np.full(4, 0.25)) <= 0.25
