"""What a model of the table is, how its scores are read and when it alarms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats

Make = Callable[[int, Sequence[str]], BaseEstimator]
"""Makes an unfitted estimator from a seed and the names of the columns it will be given."""
Preparation = Callable[[], list[BaseEstimator]]
"""Makes the unfitted steps that prepare rows; models that name the same one are given the same prepared rows."""

EVEN_CHANCE = 0.5
"""Score from which a model alarms where no threshold could be set."""
EVERY_ROW = 1 << 30
"""Training rows of a model that takes all of them."""
MIN_CLASS_ROWS = 6
"""Rows a class must have to be learned from: the nearest-neighbour and covariance models need so many."""
MISSING = -1e3
"""What trees are given for a missing value: no column goes so low."""
NEARLY = 0.98
"""Share of the best F1 that a threshold must have to be nearly as good."""
UNSUPERVISED_ALARMS = 0.01
"""Share of the rows it is calibrated on at which a model alarms that was never told which are attacks."""


@dataclass(frozen=True)
class Model:
    """A detector of the table.

    Attributes:
        title: how the report calls it.
        make: makes what learns from prepared rows.
        preparation: makes what prepares them, and is learned from training rows too.
        most_rows: training rows it is given at most, see :func:`~coldaisle_analysis.evaluation.splits.subsample`. Set from measured fit times so
            that a week's evaluation stays within its time on two cores.
        told: whether it is told which training rows are attacks; if not, nor is its threshold.
        space: parameters of the estimator that can be tuned, with values or a distribution of scipy's to draw
            from; none where nothing is worth its time, nor where the model is not told, for then nothing says what is better.
    """

    title: str
    make: Make
    preparation: Preparation
    most_rows: int = 8_000
    supervised: bool = True
    space: Mapping[str, Any] = field(default_factory=dict)

    def build(self, seed: int, names: Sequence[str]) -> Pipeline:
        """Return the whole model, not fitted: its preparation, then its estimator, the last step."""
        return make_pipeline(*self.preparation(), self.make(seed, names))


def scaled() -> list[BaseEstimator]:
    """Prepare rows for a model that compares distances or weighs sums.

    Missing values become the mean and a flag of their own; constant columns go; scales become equal.
    """
    imputer = SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)
    return [imputer, VarianceThreshold(), StandardScaler()]


class Filled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Gives missing values a value of their own; scikit-learn's imputer takes eight times as long where many are missing."""

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Learn how many columns there are."""
        self.n_features_in_ = features.shape[1]
        return self

    def transform(self, features: Floats) -> Floats:
        """Return the rows with none missing, shape (rows, columns).

        Raises:
            ValueError: they have other columns than those it learned from.
        """
        check_is_fitted(self)
        if features.shape[1:] != (self.n_features_in_,):
            raise ValueError(f"{features.shape} are not rows of {self.n_features_in_} columns")
        return np.where(np.isnan(features), MISSING, features)


def plain() -> list[BaseEstimator]:
    """Prepare rows for trees, which need no scale: missing values become a value of their own."""
    return [Filled()]


def bare() -> list[BaseEstimator]:
    """Leave rows as they are, for models that know what a missing value is."""
    return []


def scores(model: BaseEstimator, features: Floats) -> Floats:
    """Return how sure a fitted model is that each row is an attack, in [0, 1], shape (rows,).

    A probability where the model gives one, else the logistic function of its decision value.
    """
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
    return np.asarray(expit(model.decision_function(features)), dtype=np.float64)


def threshold(labels: npt.NDArray[np.int8], score: Floats) -> float:
    """Return the threshold with the best F1 on these rows; a row alarms when its score reaches it.

    Set in the middle of the thresholds around the best one that are :data:`NEARLY` as good, so that it hangs neither on one row nor on
    the few that happen to lie at the top of a flat curve. :data:`EVEN_CHANCE` where the rows hold no attack.
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
    """Return the threshold that :data:`UNSUPERVISED_ALARMS` of these rows exceed, whatever they are."""
    return (
        float(np.nextafter(np.quantile(score, 1 - UNSUPERVISED_ALARMS), 2.0)) if len(score) else EVEN_CHANCE
    )
