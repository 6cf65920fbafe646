"""Decision trees, forests and boosting."""

import numpy as np
from scipy.stats import loguniform
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.models.model import EVERY_ROW, Model, plain


class _Averaged:
    """A forest that evaluates its trees one after the other: scikit-learn hands each tree to a thread and takes ten times as long."""

    estimators_: list[DecisionTreeClassifier]
    n_features_in_: int

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


class RandomTrees(_Averaged, ExtraTreesClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's extremely randomised trees, with the same probabilities."""


MODELS: dict[str, Model] = {
    "decision_tree": Model(
        "Decision tree",
        lambda seed, _: DecisionTreeClassifier(max_depth=8, min_samples_leaf=20, random_state=seed),
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
