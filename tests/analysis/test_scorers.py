"""Scores of samples in scikit-learn's cross-validation, and the import of the library with NumPy alone."""

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score

import coldaisle_analysis
from coldaisle_analysis import earliness
from coldaisle_analysis.earliness import (
    Outcomes,
    advance_time_score,
    erde,
    erde_score,
    event_recall_score,
    f_latency_score,
    false_alarms_score,
    latency_weighted_f1_score,
    recall_within_score,
)

CASES, ITEMS = 30, 20
RNG = np.random.default_rng(5)
GROUPS = np.repeat([f"user {number}" for number in range(CASES)], ITEMS)
TIME = np.tile(60.0 * np.arange(ITEMS), CASES)
Y = np.repeat(np.arange(CASES) % 3 == 0, ITEMS).astype(int)
X = RNG.normal(Y * TIME / 150, 1)[:, None]
FOLDS = StratifiedGroupKFold(5)
EVENTS = ((TIME >= 600) & (TIME < 780) & (Y == 1)).astype(int)
"""An event of three samples in the middle of every positive case."""

OF_CASES: dict[Any, dict[str, float]] = {
    erde_score: {"deadline": 5},
    f_latency_score: {},
    latency_weighted_f1_score: {"rate": 0.1},
    recall_within_score: {"delay": 60},
}
OF_EVENTS: dict[Any, dict[str, float]] = {
    event_recall_score: {"latest": -120},
    advance_time_score: {"earliest": -300, "latest": 60},
    false_alarms_score: {"cooldown": 120},
}


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("score", [*OF_CASES, *OF_EVENTS], ids=lambda score: score.__name__)
def test_cross_validation_scores_each_fold_by_its_own_samples(score: Any, method: str) -> None:
    """cross_val_score with groups and time routed gives what the function gives of each fold's predictions, fold by fold."""
    arguments, target = {**OF_CASES, **OF_EVENTS}[score], Y if score in OF_CASES else EVENTS
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(score, response_method=method, **arguments)
        values = cross_val_score(
            LogisticRegression(class_weight="balanced"),
            X,
            target,
            scoring=scorer.set_score_request(groups=True, time=True),
            cv=FOLDS,
            params={"groups": GROUPS, "time": TIME},
        )
    expected = []
    for train, test in FOLDS.split(X, target, GROUPS):
        model = LogisticRegression(class_weight="balanced").fit(X[train], target[train])
        predicted = model.predict(X[test]) if method == "predict" else model.predict_proba(X[test])[:, 1]
        expected.append(score(target[test], predicted, groups=GROUPS[test], time=TIME[test], **arguments))
    assert values.tolist() == pytest.approx(expected)
    assert np.isfinite(values).all()
    assert len(set(values)) > 1


def test_a_search_chooses_by_erde() -> None:
    """A grid search with the scorer negated takes the parameter with the lowest ERDE."""
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(erde_score, greater_is_better=False, deadline=15).set_score_request(groups=True)
        search = GridSearchCV(LogisticRegression(), {"C": [1e-9, 1.0]}, scoring=scorer, cv=FOLDS)
        search.fit(X, Y, groups=GROUPS)
    assert search.best_params_ == {"C": 1.0}
    assert search.best_score_ < 0


def test_scores_of_samples_are_those_of_cases() -> None:
    """Three users by hand: caught at the second of three posts, missed, and a false alarm; frames and series are taken as arrays are."""
    frame = pd.DataFrame(
        {
            "user": ["ann"] * 3 + ["bob"] * 3 + ["cy"] * 3,
            "y": [1] * 6 + [0] * 3,
            "risk": [0.1, 0.6, 0.2, 0, 0.4, 0, 0.5, 0, 0],
            "time": pd.date_range("2026-03-02", periods=9, freq="1min", tz="UTC"),
        }
    )
    outcomes = Outcomes([True, True, False], [3, 3, 3], [2, 0, 1])
    assert erde_score(frame["y"], frame["risk"], groups=frame["user"]) == erde(outcomes, 5)
    within: dict[str, Any] = {"y_true": frame["y"], "y_pred": frame["risk"], "groups": frame["user"]}
    assert (
        recall_within_score(**within, delay=1)
        == recall_within_score(**within, delay=59, time=frame["time"])
        == 0
    )
    assert (
        recall_within_score(**within, delay=2)
        == recall_within_score(**within, delay=60, time=frame["time"])
        == 0.5
    )
    assert recall_within_score(**within, delay=3, threshold=0.4) == 1


def test_false_alarms_are_counted_over_all_streams() -> None:
    """Two streams watched for 300 s each: three false alarms in 600 s, of which a cooldown of 120 s leaves two."""
    time, groups = [0, 60, 120, 300] * 2, ["a"] * 4 + ["b"] * 4
    alarms = [1, 1, 0, 0, 0, 0, 1, 1]
    broken = [0, 0, 0, 0, 0, 0, 0, 1]
    arguments: dict[str, Any] = {"time": time, "groups": groups, "unit": 600}
    assert false_alarms_score(broken, alarms, **arguments) == 3
    assert false_alarms_score(broken, alarms, **arguments, cooldown=120) == 2
    assert math.isnan(false_alarms_score([0], [1], time=[5]))
    assert event_recall_score(broken, alarms, time=time, groups=groups) == 1


def test_a_fold_without_a_positive_case_has_no_score() -> None:
    """Only negative cases, or no event: NaN instead of a flattering number."""
    assert math.isnan(erde_score([0, 0], [1, 0], groups=["a", "b"]))
    assert math.isnan(recall_within_score([0, 0], [1, 0], groups=["a", "b"], delay=1))
    assert math.isnan(event_recall_score([0, 0], [1, 0], time=[1, 2]))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda: erde_score([0, 1], [0, 0], groups=["a", "a"]), "case a has rows of both labels"),
        (lambda: erde_score([-1, 1], [0, 0], groups=["a", "b"]), r"y_true\[0\] is -1: give True or False, or 1 or 0"),
        (lambda: erde_score([0, 1], [[0, 1], [1, 0]], groups=["a", "b"]), r"y_pred has shape \(2, 2\)"),
        (lambda: erde_score([0, 1], [0.1, math.nan], groups=["a", "b"]), r"y_pred\[1\] is nan: give finite numbers"),
        (lambda: event_recall_score([0, 1], [0, 1, 1], time=[0, 1]), r"lengths \(y_true 2, y_pred 3, time 2, groups 2\)"),
        (lambda: false_alarms_score([0, 1], [0, 1], time=[0, 1], unit=0), "unit is 0: give a finite number above 0"),
    ],
)  # fmt: skip
def test_samples_that_do_not_fit(score: Any, message: str) -> None:
    """Samples that cannot be scored are refused in a sentence with the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        score()


def test_the_library_needs_numpy_alone() -> None:
    """With every third-party library but NumPy out of reach, the package is imported and scores, in a Python of its own."""
    program = f"""
import sys
folder, = [path for path in {coldaisle_analysis.__path__!r}]
class Blocked:
    def find_spec(self, name, path=None, target=None):
        allowed = sys.stdlib_module_names | {{"numpy", "coldaisle_analysis"}}
        if name.partition(".")[0] not in allowed:
            raise ImportError(name + " is out of reach")
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, folder.rpartition("/")[0])
from coldaisle_analysis.earliness import *
print(erde_score([1, 1, 0, 0], [0, 1, 0, 0], groups=["a", "a", "b", "b"], deadline=2))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0.25\n", "")


def test_every_name_of_the_library_is_exported() -> None:
    """What a star import takes is there, and the documented functions are among it."""
    assert all(hasattr(earliness, name) for name in earliness.__all__)
    assert {score.__name__ for score in (*OF_CASES, *OF_EVENTS)} <= set(earliness.__all__)
