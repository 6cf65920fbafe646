"""Tuning: the rows it reads, the groups it keeps together, and the cases in which the defaults stay."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import ParameterSampler

from coldaisle_analysis.evaluation.tuning import FOLDS, build_tuned, tune
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.model import Model, bare

RNG = np.random.default_rng(3)
COUNT = 720
LABELS = (np.arange(COUNT) % 60 < 10).astype(np.int8)
GROUPS = np.array([f"e{row // 60}" if label else f"day-{row // 180}" for row, label in enumerate(LABELS)])
NUMBERS = RNG.permutation(len(np.unique(GROUPS)))
CODES = NUMBERS[np.unique(GROUPS, return_inverse=True)[1]]
COLUMNS = np.column_stack([CODES, LABELS + RNG.normal(0, 0.5, COUNT), RNG.normal(size=COUNT)]).astype(float)
NAMES = ("group", "telling", "noise")
TRAIN = np.arange(480)


class Jealous(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A model that scores by one column, and refuses rows of a group that it was fitted on."""

    def __init__(self, column: int = 2) -> None:
        self.column = column

    def fit(self, features: npt.NDArray[np.float64], labels: npt.NDArray[np.int8]) -> Self:
        """Store the groups."""
        self.classes_ = np.unique(labels)
        self.seen_ = set(features[:, 0])
        return self

    def predict_proba(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the column, limited to [0, 1]."""
        assert not self.seen_ & set(features[:, 0])
        score = 1 / (1 + np.exp(-features[:, self.column]))
        return np.column_stack([1 - score, score])


JEALOUS = Model("", lambda _seed, _names: Jealous(), bare, space={"column": (0, 1, 2)})


def tuned(model: Model = JEALOUS, **changed: Any) -> dict[str, Any]:
    """Return the tuned parameters of the model."""
    arguments = {
        "columns": COLUMNS,
        "names": NAMES,
        "labels": LABELS,
        "groups": GROUPS,
        "rows": TRAIN,
        "seed": 5,
    }
    return tune(model, **{**arguments, **changed})


def test_the_setting_that_finds_attacks_of_other_groups_is_chosen() -> None:
    """The chosen column is the one that separates attacks; the model fails if a group is on both sides of a fold."""
    assert tuned() == {"column": 1}


def test_only_training_rows_are_looked_at() -> None:
    """The choice does not depend on the other rows and their labels."""
    columns, labels = COLUMNS.copy(), LABELS.copy()
    columns[480:], labels[480:] = np.nan, 1
    model = MODELS["decision_tree"]
    assert tuned(model) == tuned(model, columns=columns, labels=labels)


@pytest.mark.parametrize("name", ["logistic_regression", "knn", "naive_bayes"])
def test_tuning_repeats(name: str) -> None:
    """The same seed gives the same choice."""
    assert tuned(MODELS[name]) == tuned(MODELS[name])


def test_with_attacks_in_too_few_groups_the_defaults_stay() -> None:
    """With fewer attacked groups than folds, a fold would have no attack."""
    few = np.flatnonzero((LABELS == 0) | np.isin(GROUPS, ["e0", "e1"]))
    assert FOLDS == 3
    assert tuned(rows=few) == {}


def test_without_time_the_defaults_stay() -> None:
    """A search that is stopped after one fit keeps the defaults."""
    assert tuned(budget_s=0.0) == {}


def test_a_setting_that_is_no_better_is_not_chosen() -> None:
    """If no column separates attacks, the defaults stay: a gain on one fold may be chance."""
    model = Model("", JEALOUS.make, bare, space={"column": (2,)})
    assert tuned(model) == {}


def test_what_was_found_is_built() -> None:
    """A tuned pipeline has the chosen parameters, and otherwise those of the model."""
    pipeline = build_tuned(JEALOUS, 1, NAMES, {"column": 1})
    assert pipeline[-1].get_params() == {"column": 1}
    assert build_tuned(JEALOUS, 1, NAMES, {})[-1].get_params() == {"column": 2}


@pytest.mark.parametrize("name", MODELS)
def test_spaces_name_parameters_that_exist(name: str) -> None:
    """Every draw can be set on the model; an unsupervised model has no space, because there is no label to tune it on."""
    model = MODELS[name]
    assert model.supervised or not model.space
    if model.space:
        for draw in ParameterSampler(model.space, 5, random_state=1):
            fitted = build_tuned(model, 1, NAMES, draw).fit(COLUMNS[TRAIN], LABELS[TRAIN])
            assert (
                len(fitted.predict_proba(COLUMNS) if hasattr(fitted, "predict_proba") else COLUMNS) == COUNT
            )
