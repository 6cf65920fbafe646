"""Streaming models, which learn from one row after the other, each once: half-space trees and an adaptive random forest.

river fits the trees, which are then laid out as arrays. The arrays give river's scores in milliseconds instead of seconds, do not
learn from rows they score, and are easy to save.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.model import Model, plain, scaled
from coldaisle_analysis.models.untold import Oddness

if TYPE_CHECKING:  # importing river takes 0.4 s, so only functions that need it import it
    from river.anomaly import HalfSpaceTrees
    from river.forest import ARFClassifier

Judge = Callable[[Any, int, Floats], tuple[Floats, bool]]
"""Maps a node of river, its depth and its parent's worth to the node's own worth, and to whether it is a leaf."""


class Grove(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fitted trees as arrays: the column, limit, children and worth of each node.

    A row goes to the low child if its value is at most the limit; both children of a leaf are the leaf itself.
    """

    @classmethod
    def lay_out(cls, roots: Iterable[Any], judge: Judge, start: Floats) -> Self:
        """Return river's trees as arrays.

        Args:
            roots: their root nodes; columns are numbered.
            judge: gives the worth of a node.
            start: worth above a root, shape (worth,).
        """
        nodes: list[tuple[int, float, int, int, Floats]] = []
        grove = cls()
        grove.depth_ = 0

        def add(node: Any, depth: int, above: Floats) -> int:
            at, (worth, ends) = len(nodes), judge(node, depth, above)
            nodes.append((0, 0.0, at, at, worth))
            grove.depth_ = max(grove.depth_, depth)
            if not ends:
                low, high = (add(child, depth + 1, worth) for child in node.children)
                nodes[at] = (node.feature, node.threshold, low, high, worth)
            return at

        grove.roots_ = np.array([add(root, 0, start) for root in roots], np.intp)
        column, limit, low, high, worth = zip(*nodes, strict=True)
        grove.column_, grove.low_, grove.high_ = (np.array(values, np.intp) for values in (column, low, high))
        grove.limit_, grove.worth_ = np.array(limit, np.float64), np.array(worth, np.float64)
        return grove

    def total(self, features: Floats) -> Floats:
        """Return the sum of the trees' worth for each row, shape (rows, worth)."""
        rows = np.arange(len(features))
        worth = np.zeros((len(features), self.worth_.shape[1]))
        for root in self.roots_:
            at = np.full(len(features), root)
            for _ in range(self.depth_):
                low = features[rows, self.column_[at]] <= self.limit_[at]
                at = np.where(low, self.low_[at], self.high_[at])
            worth += self.worth_[at]
        return worth


def stream(features: Floats) -> Iterator[dict[int, float]]:
    """Yield each row in river's form: its values by column number."""
    for row in features.tolist():
        yield dict(enumerate(row))


@dataclass(eq=False, repr=False)
class HalfSpaces(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Half-space trees (Tan, Ting and Liu, IJCAI 2011): trees split at random, and a row is odd if it falls where few others do.

    Columns must lie in [0, 1]. The last full window of rows is the reference.

    Args:
        trees: number of trees.
        height: height of each tree.
        window: number of rows that are counted together; all rows if they are fewer.
        seed: seed of the splits.
    """

    trees: int = 15
    height: int = 6
    window: int = 500
    seed: int = 0

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Learn from rows in order, shape (rows, columns)."""
        grown = self.grow(len(features))
        for row in stream(features):
            grown.learn_one(row)
        return self.settle(grown)

    def grow(self, rows: int) -> "HalfSpaceTrees":
        """Return river's unfitted model, for at least so many rows."""
        from river.anomaly import HalfSpaceTrees  # noqa: PLC0415 - see the module's first imports

        return HalfSpaceTrees(self.trees, self.height, min(self.window, rows), seed=self.seed)

    def settle(self, grown: "HalfSpaceTrees") -> Self:
        """Take over the trees of river's fitted model."""

        def judge(node: Any, depth: int, above: Floats) -> tuple[Floats, bool]:
            ends = depth == grown.height or node.r_mass < grown.size_limit
            return above + node.r_mass * 2.0**depth, ends

        self.grove_ = Grove.lay_out(grown.trees, judge, np.zeros(1))
        self.grove_.limit_ = np.nextafter(self.grove_.limit_, -np.inf)  # here a row at the limit goes high
        self.most_ = float(grown._max_score)  # noqa: SLF001 - river has it nowhere else
        return self

    def decision_function(self, features: Floats) -> Floats:
        """Return how usual each row is, in [0, 1], shape (rows,): 1 - river's score."""
        check_is_fitted(self)
        return np.asarray(self.grove_.total(features)[:, 0] / self.most_)


@dataclass(eq=False, repr=False)
class AdaptiveForest(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Adaptive random forest (Gomes et al., Machine Learning 106, 2017): Hoeffding trees that are replaced when they drift.

    Leaves give the share of each class. Attacks come in episodes and look like drift, so the confidence needed for drift is high.

    Args:
        trees: number of trees.
        grace: weight of the rows that a leaf receives between two attempts to split.
        delta: accepted probability of a wrong split.
        weight: mean of the Poisson distribution that a row's weight is drawn from.
        warning: confidence of ADWIN at which a new tree starts to grow in the background.
        drift: confidence at which it replaces the old one.
        seed: seed of columns and weights.
    """

    trees: int = 4
    grace: int = 150
    delta: float = 0.01
    weight: int = 6
    warning: float = 1e-5
    drift: float = 1e-8
    seed: int = 0

    def fit(self, features: Floats, labels: Labels) -> Self:
        """Learn from rows in order.

        Args:
            features: shape (rows, columns), nothing missing.
            labels: 1 is attack, shape (rows,).
        """
        grown = self.grow()
        for row, label in zip(stream(features), labels.tolist(), strict=True):
            grown.learn_one(row, label)
        return self.settle(grown)

    def grow(self) -> "ARFClassifier":
        """Return river's unfitted model."""
        from river.drift import ADWIN  # noqa: PLC0415 - see the module's first imports
        from river.forest import ARFClassifier  # noqa: PLC0415

        return ARFClassifier(
            self.trees,
            lambda_value=self.weight,
            drift_detector=ADWIN(self.drift),
            warning_detector=ADWIN(self.warning),
            grace_period=self.grace,
            delta=self.delta,
            leaf_prediction="mc",
            seed=self.seed,
        )

    def settle(self, grown: "ARFClassifier") -> Self:
        """Take over the trees of river's fitted model, each weighted by its accuracy."""
        self.classes_ = np.array([0, 1], np.int8)
        groves = []
        for tree, metric in zip(grown.data, grown._metrics, strict=True):  # noqa: SLF001 - not public
            if tree._root is None:  # noqa: SLF001 - a new tree without a node
                continue
            weight = metric.get() or 1.0

            def judge(node: Any, _: int, above: Floats, weight: float = weight) -> tuple[Floats, bool]:
                if getattr(node, "children", ()):
                    return above, False
                counts = np.array([node.stats.get(label, 0.0) for label in (0, 1)])
                return weight * counts / max(counts.sum(), 1e-300), True

            groves.append(Grove.lay_out([tree._root], judge, np.zeros(2)))  # noqa: SLF001
        self.groves_ = groves
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return the probabilities of clean and attack, shape (rows, 2); both are one half where no tree has counts."""
        check_is_fitted(self)
        worth = sum((grove.total(features) for grove in self.groves_), np.zeros((len(features), 2)))
        total = worth.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, worth / np.where(total > 0, total, 1.0), 0.5))


MODELS: dict[str, Model] = {
    "half_space_trees": Model(
        "Half-space trees",
        lambda seed, _: Oddness(make_pipeline(MinMaxScaler(clip=True), HalfSpaces(seed=seed))),
        scaled,
        500,
        supervised=False,
    ),
    "adaptive_forest": Model("Adaptive random forest", lambda seed, _: AdaptiveForest(seed=seed), plain, 500),
}
