"""The baselines: the base rate, and the rule that an operator would write down."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.excess import as_probability, farthest, limit
from coldaisle_analysis.models.model import EVERY_ROW, Model, bare, plain

WATCHED = {
    "abs_dev": (1, 0.5), "dev_siblings": (1, 0.5), "late": (1, 10), "iat": (-1, 10), "missing": (1, 0.5), "deliveries": (1, 0.5),
    "arp_conflicts": (1, 0.5), "retransmissions": (1, 0.5), "value_abs_dev": (1, 0.5), "publish_iat": (-1, 10), "tcp_rst": (1, 0.5),
    "tcp_syn": (1, 0.5), "tcp_retransmission": (1, 0.5), "arp_conflict": (1, 0.5),
}  # fmt: skip
"""Columns that an operator would watch, whether large (1) or small (-1) values are odd, and the least odd excess in °C, s or counts."""
USUAL = 0.999
"""Share of the clean training rows that lie within a column's limit."""


class Rule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Limits on watched columns as a classifier: its score is the largest excess of a column over its limit.

    A column at the limit has an excess of 1: :data:`USUAL` of the clean training rows lie within it, and it is never below the least odd
    excess of :data:`WATCHED`. Missing values have no excess.

    Args:
        names: names of its input columns.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = names

    def fit(self, features: Floats, labels: Labels) -> Self:
        """Fit median and limit of each watched column to the clean rows.

        Args:
            features: shape (rows, columns).
            labels: 1 is attack, shape (rows,).
        """
        names = list(self.names) or [""] * features.shape[1]
        self.classes_ = np.unique(labels)
        watched = [(at, *WATCHED[name]) for at, name in enumerate(names) if name in WATCHED]
        watched = watched or [(at, 1, 0.0) for at in range(features.shape[1])]
        self.watched_ = [(at, sign) for at, sign, _ in watched]
        usual = [limit(sign * features[labels == 0, at], USUAL) for at, sign, _ in watched]
        self.limits_ = [
            (middle, max(room, least)) for (middle, room), (_, _, least) in zip(usual, watched, strict=True)
        ]
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return the score of each row, see :func:`as_probability`, shape (rows, 2)."""
        check_is_fitted(self)
        watched = [sign * features[:, at] for at, sign in self.watched_]
        return as_probability(farthest(watched, self.limits_))


MODELS: dict[str, Model] = {
    "dummy": Model("Dummy (base rate)", lambda _seed, _names: DummyClassifier(strategy="prior"), plain),
    "rule": Model("Operator's rule", lambda _seed, names: Rule(tuple(names)), bare, EVERY_ROW),
}
