"""Fitted models as files: a model is the same after it was written and read, and other types are refused."""

from collections import OrderedDict

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from skops import io

from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.files import dumps, loads
from coldaisle_analysis.models.model import scores
from coldaisle_contracts.errors import InputError

RNG = np.random.default_rng(7)
LABELS = (np.arange(240) % 8 == 0).astype(np.int8)


def wide(columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return rows with some missing values; the first column follows from the label."""
    rows = RNG.normal(size=(240, columns))
    rows[:, 0] += 4 * LABELS
    rows[RNG.random(rows.shape) < 0.05] = np.nan
    return rows


class Foreign:
    """A type that no model consists of."""


@pytest.mark.parametrize("columns", [4, 26, 48])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_reads_back_as_it_was_written(name: str, columns: int) -> None:
    """With few columns, or as many as either level has, a model that was read gives every row the same score."""
    rows = wide(columns)
    model = MODELS[name].build(5, [f"column {number}" for number in range(columns)]).fit(rows, LABELS)
    again = loads(dumps(model), "here")
    assert isinstance(again, Pipeline)
    assert scores(again, rows).tolist() == scores(model, rows).tolist()


def test_a_foreign_type_is_named_and_refused() -> None:
    """A foreign type is neither written nor read; the error names the type and the place."""
    model = LogisticRegression().fit(np.nan_to_num(wide(3)), LABELS)
    model.remark = Foreign()
    with pytest.raises(InputError, match=r"LogisticRegression.*Foreign"):
        dumps(model)
    with pytest.raises(InputError, match=r"somewhere\.skops.*Foreign"):
        loads(io.dumps(model), "somewhere.skops")


@pytest.mark.parametrize("call", [print, OrderedDict.fromkeys, "".join])
def test_functions_are_refused(call: object) -> None:
    """A file with a function is refused."""
    with pytest.raises(InputError):
        dumps({"call": call})


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + bytes(60)])
def test_other_bytes_are_refused(data: bytes) -> None:
    """A file that is no model file is refused, and the error names it."""
    with pytest.raises(InputError, match="here: is not a model file"):
        loads(data, "here")


def test_damaged_files_are_refused() -> None:
    """A file that is cut off anywhere gives an error and no traceback."""
    data = dumps(MODELS["decision_tree"].build(1, ["a"] * 4).fit(wide(4), LABELS))
    for end in range(0, len(data), 97):
        with pytest.raises(InputError):
            loads(data[:end], "here")


@pytest.mark.parametrize(("name", "value"), [("feature", 9), ("left_child", 0), ("right_child", 99)])
def test_trees_that_lead_out_of_themselves_are_refused(name: str, value: int) -> None:
    """A file is refused if a node of a tree leads to a missing node or column, or back: scikit-learn does not check it."""
    tree = DecisionTreeClassifier(max_depth=2).fit(np.nan_to_num(wide(4)), LABELS)
    state = tree.tree_.__getstate__()
    state["nodes"][name][0] = value
    tree.tree_.__setstate__(state)
    with pytest.raises(InputError, match="a tree whose nodes lead out of it"):
        loads(io.dumps(tree), "here")


def test_trees_are_held_to_the_columns_their_callers_make_sure_of() -> None:
    """A forest that declares fewer columns than its trees read is refused."""
    forest = MODELS["random_forest"].build(1, ["a"] * 6).fit(wide(6), LABELS)
    forest.steps[-1][1].n_features_in_ = 1
    with pytest.raises(InputError, match="a tree whose nodes lead out of it"):
        loads(dumps(forest), "here")
