"""The models of a campaign: those of the table of models that gain from many weeks, on more rows, and one that learns week by week.

Rows of many weeks do not fit into memory at once. A model therefore learns **on a sample** (every attack, and a seeded draw of the other
rows, the same number of rows from each week), or **week by week** (one week's rows at a time, never kept).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from coldaisle_analysis.arrays import Labels
from coldaisle_analysis.campaign.store import Singles
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.model import Model, scaled
from coldaisle_analysis.models.streaming import AdaptiveForest, stream
from coldaisle_analysis.models.trees import Forest

Learns = Literal["on a sample", "week by week"]
"""How a model learns."""
Batch = tuple[Singles, Labels]
"""Prepared rows of one week, shape (rows, columns), and their labels."""
PROBE = "random_forest"
"""The model of which kinds are left out, and which is carried from scenario to scenario: it is fitted within seconds."""
CURVE = ("rule", "logistic_regression", PROBE)
"""The models of the learning curve."""


class InBatches(Protocol):
    """Learns from one week at a time."""

    def __call__(self, estimator: BaseEstimator, weeks: Iterator[Batch]) -> BaseEstimator:
        """Return the estimator, fitted on the weeks one after another."""


@dataclass(frozen=True)
class Learner:
    """A model of a campaign.

    Attributes:
        model: its title, preparation and estimator; ``most_rows`` is the largest number of rows of a fit, all weeks together.
        in_batches: fits it week by week; ``None`` for a model that learns on a sample.
        each: largest number of rows of a week that it learns from, week by week.
    """

    model: Model
    in_batches: InBatches | None = None
    each: int = 1 << 30

    @property
    def learns(self) -> Learns:
        """Return how it learns."""
        return "on a sample" if self.in_batches is None else "week by week"


def _descend(estimator: BaseEstimator, weeks: Iterator[Batch]) -> BaseEstimator:
    """Fit a linear model by stochastic gradient descent, each week's rows once, in a seeded order."""
    rng = np.random.default_rng(estimator.random_state)
    for rows, labels in weeks:
        order = rng.permutation(len(labels))
        estimator.partial_fit(rows[order], labels[order], classes=np.array([0, 1], np.int8))
    return estimator


def _grow(estimator: BaseEstimator, weeks: Iterator[Batch]) -> BaseEstimator:
    """Fit river's adaptive forest, row after row."""
    forest = cast("AdaptiveForest", estimator)
    grown = forest.grow()
    for rows, labels in weeks:
        for row, label in zip(stream(rows.astype(np.float64)), labels.tolist(), strict=True):
            grown.learn_one(row, label)
    return forest.settle(grown)


def _on(
    name: str, most_rows: int, make: Callable[[int, Sequence[str]], BaseEstimator] | None = None
) -> Learner:
    """Return a model of the table of models on more rows."""
    model = MODELS[name]
    return Learner(replace(model, most_rows=most_rows, make=make or model.make))


LEARNERS: dict[str, Learner] = {
    "rule": _on("rule", 100_000),
    "logistic_regression": _on(
        "logistic_regression",
        40_000,
        lambda seed, _: LogisticRegression(C=0.05, max_iter=200, tol=1e-3, random_state=seed),
    ),
    PROBE: _on(
        PROBE,
        600_000,
        lambda seed, _: Forest(48, min_samples_leaf=2, max_samples=0.5, random_state=seed),
    ),
    "gradient_boosting": _on(
        "gradient_boosting",
        200_000,
        lambda seed, _: HistGradientBoostingClassifier(
            max_iter=120, max_leaf_nodes=15, learning_rate=0.06, random_state=seed
        ),
    ),
    "sgd": Learner(
        Model(
            "Linear, by gradient descent",
            lambda seed, _: SGDClassifier(loss="log_loss", alpha=1e-5, average=True, random_state=seed),
            scaled,
            20_000,
        ),
        _descend,
    ),
    "adaptive_forest": Learner(replace(MODELS["adaptive_forest"], most_rows=20_000), _grow, 800),
}
"""The models of a campaign, the baseline first; most rows of a sample from measured times and memory."""


def pipeline(steps: Sequence[BaseEstimator], estimator: BaseEstimator) -> BaseEstimator:
    """Return a whole model, which takes rows that are not prepared."""
    return make_pipeline(*steps, estimator)
