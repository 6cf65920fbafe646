"""Decision trees, forests and boosting."""

from typing import Any, Self

import numpy as np
from scipy.stats import loguniform
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.growing import GrownRandomTree, GrownTree, QuickTree
from coldaisle_analysis.models.model import EVERY_ROW, Model, plain


class _Averaged:
    """A forest that grows and evaluates its trees in less time.

    scikit-learn hands each tree to a thread, and takes ten times as long to evaluate them.
    """

    estimators_: list[DecisionTreeClassifier]
    n_features_in_: int
    estimator_params: tuple[str, ...]
    estimator_: DecisionTreeClassifier
    _grown: type[DecisionTreeClassifier]
    _kind: type[DecisionTreeClassifier]

    def fit(self, features: Floats, labels: Labels, sample_weight: Floats | None = None) -> Self:
        """Grow the trees; they are trees of scikit-learn."""
        super().fit(features, labels, sample_weight)  # type: ignore[misc]
        for tree in self.estimators_:
            tree.__class__ = self._kind
        self.estimator_ = self._kind()
        return self

    def _make_estimator(self, append: bool = True, random_state: Any = None) -> DecisionTreeClassifier:
        """Return a tree with the forest's parameters and its next seed; scikit-learn's copy of a tree takes a millisecond."""
        tree = self._grown(**{name: getattr(self, name) for name in self.estimator_params})
        if random_state is not None:
            tree.random_state = random_state.randint(np.iinfo(np.int32).max)
        if append:
            self.estimators_.append(tree)
        return tree

    def _validate_estimator(self) -> None:
        super()._validate_estimator()  # type: ignore[misc]
        self.estimator_ = self._grown()

    def predict_proba(self, features: Floats) -> Floats:
        """Return the mean over the trees of the share of each class in a row's leaf, shape (rows, 2)."""
        check_is_fitted(self)
        rows = np.asarray(features, np.float32)
        if rows.shape[1:] != (self.n_features_in_,):  # a tree follows its node numbers unchecked
            raise ValueError(f"{rows.shape} are not rows of {self.n_features_in_} columns")
        shares = sum(tree.tree_.predict(rows) for tree in self.estimators_)
        return np.asarray(shares / len(self.estimators_), np.float64)


class Forest(_Averaged, RandomForestClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's random forest, with the same probabilities."""

    _grown, _kind = GrownTree, DecisionTreeClassifier


class RandomTrees(_Averaged, ExtraTreesClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's extremely randomised trees, with the same probabilities."""

    _grown, _kind = GrownRandomTree, ExtraTreeClassifier


MODELS: dict[str, Model] = {
    "decision_tree": Model(
        "Decision tree",
        lambda seed, _: QuickTree(max_depth=8, min_samples_leaf=20, random_state=seed),
        plain,
        6_000,
        space={
            "min_samples_leaf": (2, 5, 10, 20, 50),
            "max_depth": (None, 4, 8),
            "class_weight": (None, "balanced"),
        },
    ),
    "random_forest": Model(
        "Random forest",
        lambda seed, _: Forest(24, min_samples_leaf=2, max_samples=0.5, random_state=seed),
        plain,
        6_000,
        space={
            "min_samples_leaf": (1, 2, 5, 10),
            "max_features": ("sqrt", "log2", 0.3),
            "max_depth": (None, 10),
            "class_weight": (None, "balanced", "balanced_subsample"),
        },
    ),
    "extra_trees": Model(
        "Extra trees",
        lambda seed, _: RandomTrees(
            24, min_samples_leaf=2, bootstrap=True, max_samples=0.3, random_state=seed
        ),
        plain,
        EVERY_ROW,
        space={
            "min_samples_leaf": (1, 2, 5, 10),
            "max_features": ("sqrt", "log2", 0.3),
            "class_weight": (None, "balanced", "balanced_subsample"),
        },
    ),
    "gradient_boosting": Model(
        "Gradient boosting",
        lambda seed, _: HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=15, random_state=seed),
        plain,
        space={
            "learning_rate": loguniform(0.03, 0.3),
            "max_leaf_nodes": (4, 8, 15, 31),
            "min_samples_leaf": (10, 20, 50),
            "l2_regularization": (0.0, 1.0, 10.0),
        },
    ),
    "adaboost": Model(
        "AdaBoost",
        lambda seed, _: AdaBoostClassifier(
            DecisionTreeClassifier(max_depth=2), n_estimators=15, random_state=seed
        ),
        plain,
        1_200,
        space={"learning_rate": loguniform(0.1, 1.5), "estimator__max_depth": (1, 2, 3, 4)},
    ),
}
