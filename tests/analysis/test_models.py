"""The table of models: each one can be built, cloned and fitted, scores in [0, 1], and repeats."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.svm import SVC, OneClassSVM

from coldaisle_analysis.columns import LEARNED, Level, features
from coldaisle_analysis.forecast.kalman import COLUMNS
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.charts import FALLBACK, Chart
from coldaisle_analysis.models.charts import MODELS as CHARTS
from coldaisle_analysis.models.covariance import RobustCovariance
from coldaisle_analysis.models.model import (
    EVEN_CHANCE,
    MIN_CLASS_ROWS,
    NEARLY,
    UNSUPERVISED_ALARMS,
    scores,
    threshold,
    unsupervised_threshold,
)
from coldaisle_analysis.models.simple import WATCHED, Rule
from coldaisle_analysis.models.support import RadialOneClass

RNG = np.random.default_rng(11)
NAMES = ("abs_dev", "diff", "iat", "run")
LABELS = (np.arange(300) % 10 == 0).astype(np.int8)
FEATURES = np.column_stack([
    RNG.normal(size=300) + 4 * LABELS,
    np.where(RNG.random(300) < 0.3, np.nan, RNG.normal(size=300)),
    np.full(300, np.nan),
    np.ones(300),
])  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_with_missing_and_constant_columns(name: str) -> None:
    """With missing values, an empty column and a constant one, each model is fitted without a warning and is better than chance.

    Unsupervised models are fitted on clean rows here: attacks that are alike and a tenth of all rows are not unusual.
    """
    rows = np.flatnonzero(LABELS == 0) if not MODELS[name].supervised else np.arange(len(LABELS))
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("error", DeprecationWarning)
        model = MODELS[name].build(1, NAMES).fit(FEATURES[rows], LABELS[rows])
    score = scores(model, FEATURES)
    assert ((score >= 0) & (score <= 1)).all()
    if name != "dummy":
        assert score[LABELS == 1].mean() > score[LABELS == 0].mean() + 0.1


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if not model.supervised])
def test_unsupervised_models_use_no_label(name: str) -> None:
    """The fitted scores do not depend on the labels."""
    first, second = (
        scores(MODELS[name].build(1, NAMES).fit(FEATURES, labels), FEATURES)
        for labels in (LABELS, 1 - LABELS)
    )
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_models_clone(name: str) -> None:
    """A clone has the same parameters, is not fitted, and gives the same scores after fitting."""
    model = MODELS[name].build(1, NAMES)
    again = clone(model)
    assert repr(again) == repr(model)
    first, second = (scores(copy.fit(FEATURES, LABELS), FEATURES) for copy in (model, again))
    assert first.tolist() == second.tolist()


def test_rule_alarms_at_the_limit_of_clean_rows() -> None:
    """The score is one half where the largest excess is at its limit, which other columns and attacks do not move."""
    clean = np.column_stack([np.arange(1001.0), RNG.normal(size=1001)])
    labels = np.append(np.zeros(1001, np.int8), 1)
    rule = Rule(("abs_dev", "diff")).fit(np.vstack([clean, [[9e9, 9e9]]]), labels)
    score = rule.predict_proba(np.array([[999.0, 0.0], [500.0, 9e9], [1498.0, 0.0], [np.nan, 0.0]]))[:, 1]
    assert score.tolist() == pytest.approx([0.5, 0.0, 2 / 3, 0.0])


def test_chart_alarms_at_the_limit_of_the_usual_rows() -> None:
    """The score is one half where the largest excess is at its limit, and 0 where columns are missing or below their medians."""
    rows = np.column_stack([np.arange(1001.0), 2 * np.arange(1001.0), RNG.normal(size=1001)])
    chart = Chart(("cusum", "cusum_joint"), ("cusum", "cusum_joint", "ewma")).fit(rows)
    odd = np.array([[990, 0, 0], [0, 1980, 0], [0, 0, 9e9], [np.nan, np.nan, 0], [1480, np.nan, 0]])
    assert chart.predict_proba(odd)[:, 1].tolist() == pytest.approx([0.5, 0.5, 0.0, 0.0, 2 / 3])


def test_chart_without_its_column_watches_deviations_else_everything() -> None:
    """Without forecast columns a chart watches deviations, and without these all columns."""
    rows = RNG.normal(size=(50, 3))
    assert Chart(("ewma",), ("diff", "abs_dev", "run")).fit(rows).watched_ == [1]
    assert Chart(("cusum", "cusum_joint"), ("cusum", "run", "value_abs_dev")).fit(rows).watched_ == [2]
    assert Chart(("ewma",), ("diff", "iat", "run")).fit(rows).watched_ == [0, 1, 2]


def test_charts_watch_columns_that_exist() -> None:
    """Every watched name is that of a column, and every level has a column to fall back on."""
    for model in CHARTS.values():
        assert set(model.build(1, ()).steps[-1][1].watched) <= set(COLUMNS)
    assert all(set(FALLBACK) & set(features(level)) for level in LEARNED)


@pytest.mark.parametrize("rows", [2, 30, 600])
def test_robust_covariance_bears_rows_that_repeat(rows: int) -> None:
    """Columns that depend on each other and rows that are almost the same give distances and no warning."""
    kinds = RNG.normal(size=(2, 4))
    alike = np.column_stack([kinds, kinds.sum(axis=1), kinds[:, 0]])[np.arange(rows) % 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distance = -RobustCovariance(1).fit(alike).decision_function(np.vstack([alike, alike[:1] + 50]))
    assert np.isfinite(distance).all()
    assert distance[-1] > 10 * distance[:-1].max()


@pytest.mark.parametrize("level", LEARNED)
def test_rule_watches_columns_that_exist(level: Level) -> None:
    """Each level has columns that an operator would watch, and every watched name is that of a column."""
    assert len(set(WATCHED) & set(features(level))) >= 5
    assert set(WATCHED) <= {name for other in LEARNED for name in features(other)}


def test_threshold_of_unsupervised_models_ignores_labels() -> None:
    """One row in a hundred reaches the threshold, whatever the labels are."""
    score = RNG.random(10_000)
    assert (score >= unsupervised_threshold(score)).mean() == pytest.approx(UNSUPERVISED_ALARMS, abs=0.001)
    assert (np.zeros(5) >= unsupervised_threshold(np.zeros(5))).sum() == 0


@pytest.mark.parametrize("name", MODELS)
def test_every_model_repeats(name: str) -> None:
    """The same seed gives the same scores."""
    first, second = (scores(MODELS[name].build(3, NAMES).fit(FEATURES, LABELS), FEATURES) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_from_the_fewest_rows_allowed(name: str) -> None:
    """Fitting succeeds with as few attacks as evaluation admits."""
    few = np.flatnonzero(LABELS)[:MIN_CLASS_ROWS]
    rows = np.concatenate([few, np.flatnonzero(LABELS == 0)])
    assert len(scores(MODELS[name].build(1, NAMES).fit(FEATURES[rows], LABELS[rows]), FEATURES)) == 300


def test_threshold_has_the_best_f1() -> None:
    """No other threshold has a better F1, and the chosen one lies between two scores."""
    score = np.array([0.9, 0.8, 0.8, 0.4, 0.3, 0.1])
    labels = np.array([1, 1, 0, 1, 0, 0], dtype=np.int8)
    chosen = threshold(labels, score)
    tried = {cut: 2 * (labels[score >= cut]).sum() / ((score >= cut).sum() + labels.sum()) for cut in score}
    assert 2 * labels[score >= chosen].sum() / ((score >= chosen).sum() + 3) == max(tried.values())
    assert chosen == pytest.approx(0.35)


def test_threshold_lies_in_the_middle_of_those_that_are_nearly_as_good() -> None:
    """If F1 is flat around its best, the threshold is not at an edge and hardly worse; rows beyond a dip do not count."""
    score = np.linspace(1, 0, 1001)
    labels = np.zeros(1001, np.int8)
    labels[:500] = 1
    labels[[495, 505]] = labels[[505, 495]]
    chosen = threshold(labels, score)
    assert chosen == pytest.approx(0.5, abs=0.005)
    reached = {cut: 2 * labels[score >= cut].sum() / ((score >= cut).sum() + 500) for cut in (chosen, *score)}
    assert reached[chosen] >= NEARLY * max(reached.values())
    twice = np.array(
        [1, 1, 0, 0, 0, 1, 1, 1, 0, 0], np.int8
    )  # F1 is 0.57 after two rows, 0.77 after eight, and less in between
    assert 1 / 9 < threshold(twice, np.linspace(1, 0, 10)) < 2 / 9


def test_threshold_without_attacks_is_even_chance() -> None:
    """Without attacks the threshold is one half."""
    assert threshold(np.zeros(4, dtype=np.int8), np.linspace(0, 1, 4)) == EVEN_CHANCE


def test_a_constant_score_alarms_always() -> None:
    """A model that knows only the base rate alarms at every row."""
    labels = np.array([1, 0, 0, 0], dtype=np.int8)
    assert threshold(labels, np.full(4, 0.25)) <= 0.25


@pytest.mark.parametrize("name", MODELS)
def test_no_model_scores_before_it_has_learned(name: str) -> None:
    """A model that is not fitted raises an error instead of giving scores."""
    with pytest.raises(NotFittedError):
        scores(MODELS[name].build(1, NAMES), FEATURES)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_scores_a_row_alone_as_among_others(name: str) -> None:
    """The score of a row does not depend on other rows, and neither fitting nor scoring changes its input."""
    features, labels = FEATURES.copy(), LABELS.copy()
    model = MODELS[name].build(1, NAMES).fit(features, labels)
    together = scores(model, features)
    alone = [scores(model, features[row : row + 1])[0] for row in (0, 10, 17)]
    assert alone == pytest.approx(together[[0, 10, 17]].tolist(), abs=1e-9)
    assert np.array_equal(features, FEATURES, equal_nan=True)
    assert np.array_equal(labels, LABELS)


@pytest.mark.parametrize("name", ["rule", *CHARTS])
def test_models_that_go_by_name_find_their_columns_anywhere(name: str) -> None:
    """If columns and names are in another order, the scores are the same."""
    order = [2, 0, 3, 1]
    straight = MODELS[name].build(1, NAMES).fit(FEATURES, LABELS)
    turned = MODELS[name].build(1, [NAMES[at] for at in order]).fit(FEATURES[:, order], LABELS)
    assert scores(turned, FEATURES[:, order]).tolist() == scores(straight, FEATURES).tolist()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("random_forest", RandomForestClassifier),
        ("extra_trees", ExtraTreesClassifier),
        ("svm_rbf", SVC),
    ],
)
def test_our_faster_sums_equal_those_of_scikit_learn(name: str, plain: type) -> None:
    """Forests and support vector machines give the same numbers as scikit-learn, in less time."""
    model = MODELS[name].make(3, NAMES)
    rows = np.nan_to_num(FEATURES)
    ours, other = (estimator.fit(rows, LABELS) for estimator in (model, plain(**model.get_params())))
    method = "predict_proba" if hasattr(other, "predict_proba") else "decision_function"
    np.testing.assert_allclose(getattr(ours, method)(rows), getattr(other, method)(rows), atol=1e-9)


def test_one_class_svm_is_scikit_learns() -> None:
    """The one-class SVM gives the same numbers as scikit-learn."""
    rows = np.nan_to_num(FEATURES)
    ours, other = (kind(nu=0.1).fit(rows) for kind in (RadialOneClass, OneClassSVM))
    np.testing.assert_allclose(ours.decision_function(rows), other.decision_function(rows), atol=1e-9)
