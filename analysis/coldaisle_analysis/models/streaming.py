"""Models that learn a row at a time, each once, in order of time: half-space trees and an adaptive random forest.

river grows them; what has grown is then laid out as arrays. They give river's scores in milliseconds instead of seconds, cannot
learn from what they score, and are plain to save.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.model import Model, plain, scaled
from coldaisle_analysis.models.untold import Oddness

if TYPE_CHECKING:  # river takes 0.4 s to import: what needs it imports it
    from river.anomaly import HalfSpaceTrees
    from river.forest import ARFClassifier

Judge = Callable[[Any, int, Floats], tuple[Floats, bool]]
"""From a node of river's, its depth and what its parent is worth: what it is worth, and whether a row's way ends there."""


class Grove(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Grown trees as arrays: what column each node looks at, its limit, the two nodes below it and what it is worth.

    A row goes low where its value is at most the limit; at the end of its way both nodes below are the node itself.
    """

    @classmethod
    def lay_out(cls, roots: Iterable[Any], judge: Judge, start: Floats) -> Self:
        """Return river's trees as arrays.

        Args:
            roots: their root nodes; columns are numbered.
            judge: what a node is worth.
            start: what the node above a root would be worth, shape (worth,).
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
        grove.column_, grove.low_, grove.high_ = (np.array(each, np.intp) for each in (column, low, high))
        grove.limit_, grove.worth_ = np.array(limit, np.float64), np.array(worth, np.float64)
        return grove

    def total(self, features: Floats) -> Floats:
        """Return what all trees together say of each row, shape (rows, worth)."""
        rows = np.arange(len(features))
        said = np.zeros((len(features), self.worth_.shape[1]))
        for root in self.roots_:
            at = np.full(len(features), root)
            for _ in range(self.depth_):
                low = features[rows, self.column_[at]] <= self.limit_[at]
                at = np.where(low, self.low_[at], self.high_[at])
            said += self.worth_[at]
        return said


def stream(features: Floats) -> Iterator[dict[int, float]]:
    """Yield each row as river takes it: its values by number of the column."""
    for row in features.tolist():
        yield dict(enumerate(row))


class HalfSpaces(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Half-space trees (Tan, Ting and Liu, IJCAI 2011): trees split at random, and a row is odd where few others fell.

    Takes columns in [0, 1]. What is few is told by the last full window of rows.

    Args:
        trees: number of trees.
        height: of each.
        window: rows whose places are counted together; all rows where they are fewer.
        seed: of the splits.
    """

    def __init__(self, trees: int = 15, height: int = 6, window: int = 500, seed: int = 0) -> None:
        self.trees = trees
        self.height = height
        self.window = window
        self.seed = seed

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Learn rows in order, shape (rows, columns)."""
        grown = self.grow(len(features))
        for row in stream(features):
            grown.learn_one(row)
        return self.settle(grown)

    def grow(self, rows: int) -> "HalfSpaceTrees":
        """Return river's model that has seen nothing, for so many rows or more."""
        from river.anomaly import HalfSpaceTrees  # noqa: PLC0415 - see the module's first imports

        return HalfSpaceTrees(self.trees, self.height, min(self.window, rows), seed=self.seed)

    def settle(self, grown: "HalfSpaceTrees") -> Self:
        """Take over what river's model has learned."""

        def judge(node: Any, depth: int, above: Floats) -> tuple[Floats, bool]:
            ends = depth == grown.height or node.r_mass < grown.size_limit
            return above + node.r_mass * 2.0**depth, ends

        self.grove_ = Grove.lay_out(grown.trees, judge, np.zeros(1))
        self.grove_.limit_ = np.nextafter(self.grove_.limit_, -np.inf)  # here a row at the limit goes high
        self.most_ = float(grown._max_score)  # noqa: SLF001 - the only place where river says it
        return self

    def decision_function(self, features: Floats) -> Floats:
        """Return how usual each row is, in [0, 1], shape (rows,): one less river's score."""
        check_is_fitted(self)
        return np.asarray(self.grove_.total(features)[:, 0] / self.most_)


class AdaptiveForest(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Adaptive random forest (Gomes et al., Machine Learning 106, 2017): Hoeffding trees that are replaced when they fail.

    Leaves tell the share of each class. Attacks come in episodes and look like drift, so that only what is very sure counts as such.

    Args:
        trees: number of trees.
        grace: weight of the rows a leaf sees between two attempts to split.
        delta: chance of a wrong split that is accepted.
        weight: mean of the Poisson distribution a row's weight is drawn from.
        warning: confidence of ADWIN from which a new tree grows in the background.
        drift: confidence from which it takes the old one's place.
        seed: of columns and weights.
    """

    def __init__(
        self,
        trees: int = 4,
        grace: int = 150,
        delta: float = 0.01,
        weight: int = 6,
        warning: float = 1e-5,
        drift: float = 1e-8,
        seed: int = 0,
    ) -> None:
        self.trees = trees
        self.grace = grace
        self.delta = delta
        self.weight = weight
        self.warning = warning
        self.drift = drift
        self.seed = seed

    def fit(self, features: Floats, labels: Labels) -> Self:
        """Learn rows in order.

        Args:
            features: shape (rows, columns), nothing missing.
            labels: 1 is attack, shape (rows,).
        """
        grown = self.grow()
        for row, label in zip(stream(features), labels.tolist(), strict=True):
            grown.learn_one(row, label)
        return self.settle(grown)

    def test_then_train(self, features: Floats, labels: Labels) -> Floats:
        """Learn rows in order as :meth:`fit` does, and return the score each had just before, shape (rows,).

        A row's label is looked at once its score is given.
        """
        grown, score = self.grow(), np.zeros(len(features))
        for at, row in enumerate(stream(features)):
            score[at] = grown.predict_proba_one(row).get(1, 0.0)
            grown.learn_one(row, int(labels[at]))
        self.settle(grown)
        return score

    def grow(self) -> "ARFClassifier":
        """Return river's model that has seen nothing."""
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
        """Take over what river's model has learned: each tree with the weight of its accuracy."""
        self.classes_ = np.array([0, 1], np.int8)
        groves = []
        for tree, metric in zip(grown.data, grown._metrics, strict=True):  # noqa: SLF001 - not shown otherwise
            if tree._root is None:  # noqa: SLF001 - just planted
                continue
            weight = metric.get() or 1.0

            def judge(node: Any, _: int, above: Floats, weight: float = weight) -> tuple[Floats, bool]:
                if getattr(node, "children", ()):
                    return above, False
                seen = np.array([node.stats.get(label, 0.0) for label in (0, 1)])
                return weight * seen / max(seen.sum(), 1e-300), True

            groves.append(Grove.lay_out([tree._root], judge, np.zeros(2)))  # noqa: SLF001
        self.groves_ = groves
        return self

    def predict_proba(self, features: Floats) -> Floats:
        """Return how sure the forest is of clean and attack, shape (rows, 2); even chance where no tree knows."""
        check_is_fitted(self)
        said = sum((grove.total(features) for grove in self.groves_), np.zeros((len(features), 2)))
        total = said.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, said / np.where(total > 0, total, 1.0), 0.5))


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
