"""Trees that we grow have the nodes of scikit-learn's, whatever the rows."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.models import growing
from coldaisle_analysis.models.growing import QuickTree
from coldaisle_analysis.models.growth import MOST_VALUES, Table
from coldaisle_analysis.models.trees import Forest, RandomTrees

LIBRARY = {
    QuickTree: DecisionTreeClassifier,
    Forest: RandomForestClassifier,
    RandomTrees: ExtraTreesClassifier,
}
"""Our classes, and those of scikit-learn whose nodes they have."""


def made(seed: int, rows: int) -> tuple[Floats, Labels]:
    """Return rows of many sorts of columns, and labels that follow from some of them."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=rows)
    columns = [
        numbers,
        np.round(numbers, 1),  # values that recur
        rng.integers(0, 2, rows),
        np.where(rng.random(rows) < 0.7, -1e3, rng.gamma(2.0, size=rows)),  # often missing
        np.full(rows, 4.0),
        1 + 3e-8 * rng.integers(0, 5, rows),  # alike in 32 bits
        np.where(rng.random(rows) < 0.5, 0.0, -0.0),
        rng.normal(size=rows) * 1e6,
    ]
    labels = (numbers + 0.3 * rng.normal(size=rows) > 0.8).astype(np.int8)
    labels[:2] = 0, 1
    return np.column_stack(columns), labels


def nodes(model: Any) -> list[Any]:
    """Return all that the trees of a model consist of; where a missing value goes is stated of splits alone."""
    states = [tree.tree_.__getstate__() for tree in getattr(model, "estimators_", [model])]
    for state in states:
        state["nodes"]["missing_go_to_left"][state["nodes"]["left_child"] < 0] = 0
    return [(state["max_depth"], state["nodes"].tolist(), state["values"].tolist()) for state in states]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", LIBRARY, ids=lambda kind: kind.__name__)
def test_nodes_are_those_of_scikit_learn(kind: Any, seed: int) -> None:
    """For small and large nodes, every way to limit a tree, and drawn columns, all nodes are equal."""
    features, labels = made(seed, 40 * 3**seed)
    rng = np.random.default_rng(seed)
    parameters: dict[str, Any] = {
        "min_samples_leaf": int(rng.integers(1, 6)), "max_depth": [None, 3, 8][seed % 3], "random_state": seed,
        "max_features": [None, "sqrt", "log2", 3, 0.4][seed % 5],
    }  # fmt: skip
    if kind is not QuickTree:
        parameters |= {"n_estimators": 5, "bootstrap": True, "max_samples": 0.7}
    ours, theirs = kind(**parameters).fit(features, labels), LIBRARY[kind](**parameters).fit(features, labels)
    assert nodes(ours) == nodes(theirs)
    assert np.array_equal(ours.predict_proba(features), theirs.predict_proba(features))
    assert {type(tree) for tree in getattr(ours, "estimators_", [])} == {
        type(tree) for tree in getattr(theirs, "estimators_", [])
    }


@pytest.mark.parametrize("kind", LIBRARY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": "balanced"},
        {"criterion": "entropy"},
        {"max_leaf_nodes": 5},
        {"min_impurity_decrease": 0.01},
    ],
    ids=str,
)
def test_other_trees_are_left_to_scikit_learn(kind: Any, parameters: dict[str, Any]) -> None:
    """What we cannot grow has the nodes of scikit-learn, too, because it grows them."""
    features, labels = made(7, 300)
    ours, theirs = (one(**parameters, random_state=1).fit(features, labels) for one in (kind, LIBRARY[kind]))
    assert nodes(ours) == nodes(theirs)


def test_missing_values_and_three_classes_are_left_to_scikit_learn() -> None:
    """Rows with missing values, and labels of three classes, give scikit-learn's tree."""
    features, labels = made(3, 200)
    holed = np.where(features == -1e3, np.nan, features)
    for rows, classes in ((holed, labels), (features, (np.arange(200) % 3).astype(np.int8))):
        ours, theirs = (
            QuickTree(random_state=0).fit(rows, classes),
            DecisionTreeClassifier(random_state=0).fit(rows, classes),
        )
        assert ours.tree_.node_count == theirs.tree_.node_count
        assert np.array_equal(ours.predict_proba(rows), theirs.predict_proba(rows))


def test_a_column_of_too_many_values_is_left_to_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of a value has 16 bits; with more values there are no numbers, and the tree is the same."""
    assert MOST_VALUES == 1 << 16
    monkeypatch.setattr("coldaisle_analysis.models.growth.trees.MOST_VALUES", 100)
    features, labels = made(5, 500)
    growing._last.clear()
    assert Table(features.astype(np.float32)).arrays(random=False) is None
    ours, theirs = (one(random_state=1).fit(features, labels) for one in (QuickTree, DecisionTreeClassifier))
    growing._last.clear()
    assert nodes(ours) == nodes(theirs)
