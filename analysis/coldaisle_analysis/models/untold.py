"""Unsupervised models: they are fitted on all training rows, attacks among them, without labels, and score rows that are unusual."""

import warnings
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.models.covariance import RobustCovariance
from coldaisle_analysis.models.excess import as_probability
from coldaisle_analysis.models.model import Model, scaled
from coldaisle_analysis.models.support import RadialOneClass

USUAL = 0.99
"""Share of the training rows with an oddness below 1."""


class Oddness(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A novelty detector as a classifier: the oddness of a row relative to the quantile :data:`USUAL` of the training rows.

    Args:
        detector: an outlier detector of scikit-learn, or a pipeline that ends in one, whose ``decision_function`` is larger for usual rows.
    """

    def __init__(self, detector: BaseEstimator) -> None:
        self.detector = detector

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Fit to rows, shape (rows, columns); labels are not read."""
        self.classes_ = np.array([0, 1], np.int8)
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "n_neighbors", UserWarning
            )  # of very few rows, all are neighbours
            self.fitted_ = clone(self.detector).fit(features)
        odd = -self.fitted_.decision_function(features)
        self.middle_, limit = np.quantile(odd, [0.5, USUAL])
        self.room_ = float(limit - self.middle_) or 1.0
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return the score of each row, see :func:`as_probability`, shape (rows, 2)."""
        check_is_fitted(self)
        odd = -self.fitted_.decision_function(features)
        return as_probability((odd - self.middle_) / self.room_)


MODELS: dict[str, Model] = {
    "isolation_forest": Model(
        "Isolation forest",
        lambda seed, _: Oddness(IsolationForest(n_estimators=50, random_state=seed)),
        scaled,
        4_000,
        supervised=False,
    ),
    "local_outlier_factor": Model(
        "Local outlier factor",
        lambda _seed, _: Oddness(LocalOutlierFactor(20, algorithm="brute", novelty=True)),
        scaled,
        400,
        supervised=False,
    ),
    "robust_covariance": Model(
        "Robust covariance", lambda seed, _: Oddness(RobustCovariance(seed)), scaled, 4_000, supervised=False
    ),
    "one_class_svm": Model(
        "One-class SVM", lambda _seed, _: Oddness(RadialOneClass(nu=0.02)), scaled, 2_000, supervised=False
    ),
}
