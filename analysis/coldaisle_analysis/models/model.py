"""The type of a model in the table, its preparation of rows, its scores and its threshold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels

Make = Callable[[int, Sequence[str]], BaseEstimator]
"""Makes an unfitted estimator from a seed and the names of the columns of its input."""
Preparation = Callable[[], list[BaseEstimator]]
"""Makes the unfitted steps that prepare rows; models with the same preparation share the prepared rows."""

EVEN_CHANCE = 0.5
"""Threshold of a model where none could be set."""
EVERY_ROW = 1 << 30
"""Number of training rows for a model that takes all of them."""
MIN_CLASS_ROWS = 6
"""Rows that a class must have for a supervised model to be fitted: the nearest-neighbour and covariance models need so many."""
MISSING = -1e3
"""The value that trees get for a missing one: no column goes so low."""
NEARLY = 0.98
"""Share of the best F1 from which a threshold counts as nearly as good."""
UNSUPERVISED_ALARMS = 0.01
"""Share of the calibration rows at which an unsupervised model alarms."""


@dataclass(frozen=True)
class Model:
    """A model of the table.

    Attributes:
        title: its name in the report.
        make: makes the estimator, which is fitted on prepared rows.
        preparation: makes the steps that prepare rows, which are fitted on training rows too.
        most_rows: largest number of training rows, see :func:`~coldaisle_analysis.evaluation.splits.subsample`. Set from measured fit times so
            that a week's evaluation stays within its time on two cores.
        supervised: whether model and threshold use the labels of training rows.
        space: parameters of the estimator that can be tuned, with their values or a distribution of scipy to draw
            from. It is empty where tuning is not worth its time, and for unsupervised models, which have no labels to tune on.
    """

    title: str
    make: Make
    preparation: Preparation
    most_rows: int = 8_000
    supervised: bool = True
    space: Mapping[str, Any] = field(default_factory=dict)

    def build(self, seed: int, names: Sequence[str]) -> Pipeline:
        """Return the unfitted pipeline of the model: its preparation, then its estimator as the last step."""
        return make_pipeline(*self.preparation(), self.make(seed, names))


def scaled() -> list[BaseEstimator]:
    """Return the preparation for models that compare distances or sum up weighted columns.

    Missing values become the mean and are flagged in columns of their own; constant columns are removed; columns are standardised.
    """
    imputer = SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)
    return [imputer, VarianceThreshold(), StandardScaler()]


class Filled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Replaces missing values by :data:`MISSING`; scikit-learn's imputer takes eight times as long where many are missing."""

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Store the number of columns."""
        self.n_features_in_ = features.shape[1]
        return self

    def transform(self, features: Floats) -> Floats:
        """Return the rows without missing values, shape (rows, columns).

        Raises:
            ValueError: if they have another number of columns than the training rows.
        """
        check_is_fitted(self)
        if features.shape[1:] != (self.n_features_in_,):
            raise ValueError(f"{features.shape} are not rows of {self.n_features_in_} columns")
        return np.where(np.isnan(features), MISSING, features)


def plain() -> list[BaseEstimator]:
    """Return the preparation for trees, which need no scaling: missing values become :data:`MISSING`."""
    return [Filled()]


def bare() -> list[BaseEstimator]:
    """Return the empty preparation, for models that accept missing values."""
    return []


def scores(model: BaseEstimator, features: Floats) -> Floats:
    """Return the score of each row in [0, 1], shape (rows,); it grows with the suspicion of an attack.

    The score is the model's probability, or else the logistic function of its decision value.
    """
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
    return np.asarray(expit(model.decision_function(features)), dtype=np.float64)


def threshold(labels: Labels, score: Floats) -> float:
    """Return the threshold with the best F1 on these rows; a row alarms when its score reaches it.

    The threshold is the middle of the range around the best one in which F1 is at least :data:`NEARLY` of the best, so it depends neither
    on one row nor on a few at the top of a flat curve. It is :data:`EVEN_CHANCE` if the rows hold no attack.
    """
    if not labels.any():
        return EVEN_CHANCE
    order = np.argsort(-score, kind="stable")
    caught, limits = np.cumsum(labels[order]), score[order]
    last = np.flatnonzero(np.append(limits[:-1] != limits[1:], True))  # of the rows with the same score
    f1 = 2 * caught[last] / (last + 1 + int(labels.sum()))
    best = int(np.argmax(f1))
    worse = np.flatnonzero(f1 < NEARLY * f1[best])
    first = worse[worse < best].max(initial=-1) + 1
    beyond = worse[worse > best].min(initial=len(last))
    high, low = limits[last[first]], limits[last[beyond]] if beyond < len(last) else 0.0
    return float((high + low) / 2)


def unsupervised_threshold(score: Floats) -> float:
    """Return the threshold that :data:`UNSUPERVISED_ALARMS` of these rows reach, whatever their labels."""
    return (
        float(np.nextafter(np.quantile(score, 1 - UNSUPERVISED_ALARMS), 2.0)) if len(score) else EVEN_CHANCE
    )
