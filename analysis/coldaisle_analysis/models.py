"""The classifiers: one table, name to pipeline.

To add a model, add a row to :data:`MODELS`; evaluation, report and tests pick it up. Every pipeline starts
with what it must learn from the training rows (imputation, scaling), so nothing is fitted on test rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

Matrix = npt.NDArray[np.float64]

EVEN_CHANCE = 0.5
"""Score from which a model alarms where no threshold could be set."""
FEWEST = 6
"""Rows a class must have to be learned from: the nearest-neighbour and covariance models need so many."""


@dataclass(frozen=True)
class Model:
    """A classifier of the table.

    Attributes:
        title: how the report calls it.
        build: makes an unfitted pipeline from a seed.
        most_rows: training rows it is given at most, see :func:`splits.thin`. Set from measured fit times so
            that a week's evaluation stays within its half minute on two cores.
    """

    title: str
    build: Callable[[int], Pipeline]
    most_rows: int = 8_000


def _scaled(estimator: BaseEstimator) -> Pipeline:
    """Return a pipeline for a model that compares distances or weighs sums.

    Missing values become the mean and a flag of their own; constant columns go; scales become equal.
    """
    return make_pipeline(
        SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True),
        VarianceThreshold(),
        StandardScaler(),
        estimator,
    )


def _plain(estimator: BaseEstimator) -> Pipeline:
    """Return a pipeline for a tree, which needs no scale: missing values become a value of their own."""
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1e3, keep_empty_features=True), estimator
    )


MODELS: dict[str, Model] = {
    "dummy": Model("Dummy (base rate)", lambda _: _plain(DummyClassifier(strategy="prior"))),
    "logistic_regression": Model(
        "Logistic regression",
        lambda seed: _scaled(
            LogisticRegression(class_weight="balanced", max_iter=200, tol=1e-3, random_state=seed)
        ),
    ),
    "lda": Model("LDA", lambda _: _scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.01))),
    "qda": Model("QDA", lambda _: _scaled(QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1))),
    "naive_bayes": Model("Naive Bayes", lambda _: _scaled(GaussianNB(var_smoothing=1e-3))),
    "knn": Model("k nearest neighbours", lambda _: _scaled(KNeighborsClassifier(n_neighbors=5)), 1_200),
    "decision_tree": Model(
        "Decision tree",
        lambda seed: _plain(DecisionTreeClassifier(min_samples_leaf=5, random_state=seed)),
    ),
    "random_forest": Model(
        "Random forest",
        lambda seed: _plain(RandomForestClassifier(30, min_samples_leaf=2, random_state=seed)),
        6_000,
    ),
    "gradient_boosting": Model(
        "Gradient boosting",
        lambda seed: _plain(
            HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=seed)
        ),
    ),
    "adaboost": Model(
        "AdaBoost",
        lambda seed: _plain(
            AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=20, random_state=seed)
        ),
        3_000,
    ),
    "svm_linear": Model(
        "SVM, linear",
        lambda seed: _scaled(LinearSVC(class_weight="balanced", C=0.1, tol=1e-3, random_state=seed)),
        4_000,
    ),
    "svm_rbf": Model(
        "SVM, RBF", lambda seed: _scaled(SVC(class_weight="balanced", C=10, random_state=seed)), 600
    ),
}
"""Every model, the dummy first: a score means something only beside it."""

WITH_IDENTITY = "decision_tree"
"""The model that is also given the identity columns, to show what they leak."""


def scores(model: Pipeline, features: Matrix) -> Matrix:
    """Return how sure a fitted model is that each row is an attack, in [0, 1], shape (rows,).

    A probability where the model gives one, else the logistic function of its decision value.
    """
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
    return np.asarray(expit(model.decision_function(features)), dtype=np.float64)


def threshold(labels: npt.NDArray[np.int8], score: Matrix) -> float:
    """Return the threshold with the best F1 on these rows; a row alarms when its score reaches it.

    Set half way to the next score below, so that it does not hang on one row.
    :data:`EVEN_CHANCE` where the rows hold no attack.
    """
    if not labels.any():
        return EVEN_CHANCE
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    caught = np.cumsum(labels[order])
    f1 = 2 * caught / (np.arange(1, len(ranked) + 1) + int(labels.sum()))
    last_of_its_score = np.append(ranked[:-1] != ranked[1:], True)
    best = int(np.argmax(np.where(last_of_its_score, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)
