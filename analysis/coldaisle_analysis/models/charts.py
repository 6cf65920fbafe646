"""Control charts of statistical quality control over the forecast columns of readings.

Each chart watches one or two of :data:`coldaisle_analysis.forecast.columns.COLUMNS`. These already hold the chart's statistic, which depends on the readings before
a row; only its limit is fitted here: unsupervised from all training rows, or, as in quality control, from the rows that are known to
be in control (phase I).

References:
    D. C. Montgomery, Introduction to Statistical Quality Control, 8th ed., Wiley 2019, chapters 6 and 9.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.excess import as_probability, farthest, limit
from coldaisle_analysis.models.model import EVERY_ROW, Model, bare

FALLBACK = ("abs_dev", "value_abs_dev")
"""Columns that a chart watches if one of its own columns is absent."""
USUAL = 0.99
"""Share of all training rows, attacks among them, that lie within a column's limit."""
IN_CONTROL = 0.999
"""Share of the clean training rows that lie within a column's limit."""


class Chart(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A control chart as a classifier: its score is the largest excess of a watched column over its limit.

    A column at the limit, within which :data:`USUAL` of the training rows lie, has an excess of 1; missing values have none.
    If one of its columns is absent, the chart watches the columns of :data:`FALLBACK` that are present, or else all columns.

    Args:
        watched: names of the columns it watches.
        names: names of its input columns.
        told: whether it is supervised: :data:`IN_CONTROL` of the clean rows lie within its limits. Saved detectors have this name.
    """

    def __init__(self, watched: Sequence[str] = (), names: Sequence[str] = (), told: bool = False) -> None:
        self.watched = watched
        self.names = names
        self.told = told

    def fit(self, features: Floats, labels: Labels | None = None) -> Self:
        """Learn the limits.

        Args:
            features: shape (rows, columns).
            labels: 1 is attack, shape (rows,); only read if the chart is supervised.
        """
        usual = IN_CONTROL if self.told else USUAL
        if self.told and labels is not None:
            features = features[labels == 0]
        self.classes_ = np.array([0, 1], np.int8)
        watched = self.watched if set(self.names).issuperset(self.watched) else FALLBACK
        self.watched_ = [at for at, name in enumerate(self.names) if name in watched] or list(
            range(features.shape[1])
        )
        self.limits_ = [limit(features[:, at], usual) for at in self.watched_]
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return the score of each row, see :func:`as_probability`, shape (rows, 2)."""
        check_is_fitted(self)
        return as_probability(farthest([features[:, at] for at in self.watched_], self.limits_))


def _chart(title: str, *watched: str, supervised: bool = False) -> Model:
    """Return a chart over these columns."""
    return Model(
        title, lambda _seed, names: Chart(watched, tuple(names), supervised), bare, EVERY_ROW, supervised
    )


MODELS: dict[str, Model] = {
    "shewhart": _chart("Shewhart chart", "innovation_joint"),
    "cusum": _chart("CUSUM chart", "cusum", "cusum_joint"),
    "ewma": _chart("EWMA chart", "ewma"),
    "ewma_told": _chart("EWMA chart, supervised", "ewma", "ewma_unit", supervised=True),
}
