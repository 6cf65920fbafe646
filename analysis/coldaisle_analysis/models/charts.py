"""Control charts over what the forecast of a reading says: the charts of quality control.

Each watches one or two of :data:`coldaisle_analysis.forecast.columns.COLUMNS`. These already hold the chart's statistic, which depends on the readings before
a row; what is learned here is its limit: from all training rows, told no label, or as quality control does it from those known to
be in control (its phase I).

References:
    D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley 2019, chapters 6 and 9.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.models.excess import as_probability, farthest, limit
from coldaisle_analysis.models.model import EVERY_ROW, Model, bare

FALLBACK = ("abs_dev", "value_abs_dev")
"""Columns a chart watches where a column of its own is not given."""
USUAL = 0.99
"""Share of the training rows within a column's limit; attacks are among them."""
IN_CONTROL = 0.999
"""The same of rows that are known to be clean."""


class Chart(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Alarms when a watched column exceeds its limit: the largest of their excesses.

    An excess of 1 is a column at the limit that :data:`USUAL` of the training rows keep; missing values keep it.
    Where one of its columns is not given it watches those of :data:`FALLBACK` that are, else all columns.

    Args:
        watched: names of the columns it watches.
        names: names of the columns it will be given.
        told: whether its limits are those that :data:`IN_CONTROL` of the clean rows keep.
    """

    def __init__(self, watched: Sequence[str] = (), names: Sequence[str] = (), told: bool = False) -> None:
        self.watched = watched
        self.names = names
        self.told = told

    def fit(self, features: Floats, labels: npt.NDArray[np.int8] | None = None) -> Self:
        """Learn the limits.

        Args:
            features: shape (rows, columns).
            labels: 1 is attack, shape (rows,); not looked at unless the chart is told.
        """
        usual = IN_CONTROL if self.told else USUAL
        if self.told and labels is not None:
            features = features[labels == 0]
        self.classes_ = np.array([0, 1], np.int8)
        known = set(self.names)
        given = self.watched if known.issuperset(self.watched) else FALLBACK
        self.watched_ = [at for at, name in enumerate(self.names) if name in given] or list(
            range(features.shape[1])
        )
        self.limits_ = [limit(features[:, at], usual) for at in self.watched_]
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return the score of each row, see :func:`as_probability`, shape (rows, 2)."""
        check_is_fitted(self)
        return as_probability(farthest([features[:, at] for at in self.watched_], self.limits_))


def _chart(title: str, *watched: str, told: bool = False) -> Model:
    """Return the chart that watches these columns."""
    return Model(title, lambda _seed, names: Chart(watched, tuple(names), told), bare, EVERY_ROW, told)


MODELS: dict[str, Model] = {
    "shewhart": _chart("Shewhart chart", "innovation_joint"),
    "cusum": _chart("CUSUM chart", "cusum", "cusum_joint"),
    "ewma": _chart("EWMA chart", "ewma"),
    "ewma_told": _chart("EWMA chart, supervised", "ewma", "ewma_unit", told=True),
}
