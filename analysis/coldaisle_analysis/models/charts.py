"""Control charts over what the forecast of a reading says: the charts of quality control, told no label.

Each watches one or two of :data:`forecasting.COLUMNS`. These already hold the chart's statistic, which depends on the readings before
a row; what is learned here is its limit.

References:
    D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley 2019, chapters 6 and 9.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.models.excess import as_probability, farthest, limit
from coldaisle_analysis.models.model import Matrix, Model

INSTEAD = ("abs_dev", "value_abs_dev")
"""Columns a chart watches where a column of its own is not given."""
USUAL = 0.99
"""Share of the training rows within a column's limit; attacks are among them."""


class Chart(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Alarms when a watched column exceeds its limit: the largest of their excesses.

    An excess of 1 is a column at the limit that :data:`USUAL` of the training rows keep; missing values keep it.
    Where one of its columns is not given it watches those of :data:`INSTEAD` that are, else all columns.

    Args:
        watched: names of the columns it watches.
        names: names of the columns it will be given.
    """

    def __init__(self, watched: Sequence[str] = (), names: Sequence[str] = ()) -> None:
        self.watched = watched
        self.names = names

    def fit(self, features: Matrix, _labels: object = None) -> Self:
        """Learn the limits from rows alone, shape (rows, columns); labels are not looked at."""
        self.classes_ = np.array([0, 1], np.int8)
        known = set(self.names)
        given = self.watched if known.issuperset(self.watched) else INSTEAD
        self.watched_ = [at for at, name in enumerate(self.names) if name in given] or list(
            range(features.shape[1])
        )
        self.limits_ = [limit(features[:, at], USUAL) for at in self.watched_]
        return self

    def predict_proba(self, features: Matrix) -> Matrix:
        """Return the score of each row, see :func:`as_probability`, shape (rows, 2)."""
        check_is_fitted(self)
        return as_probability(farthest([features[:, at] for at in self.watched_], self.limits_))


def _chart(title: str, *watched: str) -> Model:
    """Return the chart that watches these columns."""
    return Model(title, lambda _seed, names: make_pipeline(Chart(watched, tuple(names))), told=False)


MODELS: dict[str, Model] = {
    "shewhart": _chart("Shewhart chart", "innovation_joint"),
    "cusum": _chart("CUSUM chart", "cusum", "cusum_joint"),
    "ewma": _chart("EWMA chart", "ewma"),
}
