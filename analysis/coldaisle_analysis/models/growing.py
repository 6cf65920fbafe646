"""scikit-learn's trees of two classes, grown by :mod:`~coldaisle_analysis.models.growth`: the same nodes in less time.

Where that cannot be, such as with weights that are no whole numbers, scikit-learn grows the tree itself.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.utils import check_random_state

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models.growth import MOST_ROWS, Settings, Table, grow

_ENDLESS = (1 << 31) - 1
_last: list[Table] = []
"""The last table: the trees of a forest have the same rows, and so, often, has the model before it."""


class QuickTree(DecisionTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's decision tree, with the same nodes."""

    def fit(self, features: Floats, labels: Labels, sample_weight: Floats | None = None) -> Self:
        """Grow the tree.

        Args:
            features: shape (rows, columns).
            labels: class of each row, shape (rows,).
            sample_weight: weight of each row, 1 if missing, shape (rows,).
        """
        rows, (classes, codes) = np.asarray(features, np.float32), np.unique(labels, return_inverse=True)
        whole = sample_weight is None and rows.ndim == 2 and len(classes) == 2 and len(codes) == len(rows)  # noqa: PLR2004 - a table of two classes
        if not whole or np.isnan(rows).any() or not _grow_into(self, rows, codes, None, random=False):
            super().fit(features, labels, sample_weight)
            return self
        self.classes_, self.n_classes_, self.n_outputs_ = classes, np.int64(2), 1
        return self


class _Grown:
    """A tree of a forest, whose rows the forest has checked."""

    random = False

    def _fit(
        self,
        rows: Any,
        labels: Any,
        sample_weight: Any = None,
        check_input: bool = True,
        missing_values_in_feature_mask: Any = None,
    ) -> Self:
        """Grow the tree; the arguments are scikit-learn's."""
        plain = missing_values_in_feature_mask is None and not check_input and labels.max() == 1
        if not plain or not _grow_into(self, rows, labels.ravel(), sample_weight, random=self.random):
            super()._fit(rows, labels, sample_weight, check_input, missing_values_in_feature_mask)  # type: ignore[misc]
            return self
        self.classes_, self.n_classes_, self.n_outputs_ = np.array([0.0, 1.0]), np.int64(2), 1
        return self


class GrownTree(_Grown, DecisionTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """A tree of a random forest."""


class GrownRandomTree(_Grown, ExtraTreeClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """A tree whose thresholds are drawn."""

    random = True


def _grow_into(
    tree: Any, rows: npt.NDArray[np.float32], labels: npt.NDArray[Any], weights: Any, *, random: bool
) -> bool:
    """Grow a tree from rows and labels 0 and 1; return False where only scikit-learn can."""
    weight = np.ones(len(rows), np.int64) if weights is None else np.asarray(weights)
    usual = (
        tree.criterion, tree.splitter, tree.max_leaf_nodes, tree.class_weight, tree.monotonic_cst, tree.ccp_alpha,
        tree.min_weight_fraction_leaf, tree.min_impurity_decrease,
    ) == ("gini", "random" if random else "best", None, None, None, 0.0, 0.0, 0.0)  # fmt: skip
    counted = all(isinstance(number, int) for number in (tree.min_samples_leaf, tree.min_samples_split))
    if not usual or not counted or weight.dtype.kind != "i" or not 0 < weight.sum() <= MOST_ROWS:
        return False
    table = _table(rows).arrays(random=random)
    if table is None:
        return False
    tree.n_features_in_ = rows.shape[1]
    tree.max_features_ = _drawn(tree.max_features, rows.shape[1])
    fewest = max(tree.min_samples_split, 2 * tree.min_samples_leaf)
    depth = _ENDLESS if tree.max_depth is None else tree.max_depth
    settings = Settings(tree.max_features_, tree.min_samples_leaf, fewest, depth, random)
    state = check_random_state(tree.random_state).randint(0, _ENDLESS)
    tree.tree_ = grow(table, labels, weight, state, settings)
    return True


def _table(rows: npt.NDArray[np.float32]) -> Table:
    """Return rows as a table: the last one if they are the same."""
    if not _last or (_last[0].rows is not rows and not np.array_equal(_last[0].rows, rows)):
        _last[:] = [Table(rows)]
    return _last[0]


def _drawn(features: Any, columns: int) -> int:
    """Return how many columns are drawn for each node, as scikit-learn computes it."""
    match features:
        case None:
            return columns
        case "sqrt":
            return max(1, int(np.sqrt(columns)))
        case "log2":
            return max(1, int(np.log2(columns)))
        case int():
            return features
    return max(1, int(features * columns))
