"""Models on one fold: their inputs, their fit on training rows, and their scores of held-out rows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis.arrays import Floats, Labels, Rows
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.preparation import ScoredRows, TrainingRows
from coldaisle_analysis.evaluation.splits import Fold, Side
from coldaisle_analysis.forecast.columns import columns_of, learn_site
from coldaisle_analysis.forecast.kalman import COLUMNS, Site
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.model import EVEN_CHANCE, threshold, unsupervised_threshold

Params = Mapping[str, Mapping[str, Any]]
"""The parameters of each model's estimator, by name of the model."""


@dataclass(frozen=True)
class ModelInputs:
    """The input columns of models fitted on some rows: those of the level, and forecasts of a site learned from these rows.

    Attributes:
        names: names of the columns, without those of identity.
        parts: groups of columns, each of shape (rows of the level, columns).
        site: the learned site that the forecasts were made with.
    """

    names: tuple[str, ...]
    parts: tuple[Floats, ...]
    site: Site

    def of(self, rows: Rows) -> Floats:
        """Return the input columns of some rows, shape (rows, columns)."""
        if len(self.parts) == 1:
            return self.parts[0][rows]
        columns = np.empty((len(rows), sum(part.shape[1] for part in self.parts)))
        ends = np.cumsum([part.shape[1] for part in self.parts])
        for part, end in zip(self.parts, ends, strict=True):
            columns[:, end - part.shape[1] : end] = part[rows]
        return columns

    def joined(self) -> Self:
        """Return the same inputs with all columns in one part, from which rows are taken in half the time."""
        return replace(self, parts=(np.column_stack(self.parts),))


@dataclass(frozen=True)
class Prediction:
    """The scores that a model fitted on some rows gives to others.

    Attributes:
        score: score of each row, shape (rows,); 0 where the model could not be fitted.
        train_rows: rows it was fitted on; 0 where a class had too few rows.
        fit_s: time to fit the model, in s, without the preparation of rows, which models share.
        predict_s: time to score the rows, in s, likewise without preparation.
        pipeline: the fitted model, where it was to be kept.
    """

    score: Floats
    train_rows: int = 0
    fit_s: float = 0.0
    predict_s: float = 0.0
    pipeline: Pipeline | None = None


class Scores(NamedTuple):
    """Rows of a level, and the predictions of models for them."""

    rows: Rows
    by_model: dict[str, Prediction]

    def of(self, model: str, rows: Rows) -> Prediction:
        """Return a model's prediction for some of the rows."""
        whole = self.by_model[model]
        return replace(whole, score=whole.score[np.searchsorted(self.rows, rows)])


@dataclass(frozen=True)
class FoldResult:
    """The result of a model on a fold.

    Attributes:
        tested: the prediction for the test rows.
        held_out: rows of the training side that inner models were not fitted on, sorted.
        held_out_scores: the scores that these models gave them.
        threshold: a row alarms when its score reaches this value.
    """

    tested: Prediction
    held_out: Rows
    held_out_scores: Floats
    threshold: float


def key(side: Side, params: Params) -> bytes:
    """Return the key of a fit: a digest of its rows, the rows of its site and its tuned parameters."""
    return digest(params, side.fit, side.site)


def digest(params: Params, *rows: Rows) -> bytes:
    """Return a digest of parameters and rows."""
    return hashlib.sha256(
        b"|".join([repr(params).encode(), *(positions.tobytes() for positions in rows)])
    ).digest()


def model_inputs(level: Level, learned_from: Rows) -> ModelInputs:
    """Return the inputs of models, with a site learned from some rows of a level and from no label."""
    trained = np.zeros(len(level.labels), np.bool_)
    trained[learned_from] = True
    site = learn_site(level.sensor_values, trained)
    forecasts = columns_of(site, level.sensor_values, len(trained))
    return ModelInputs((*level.names, *COLUMNS), (level.features, forecasts), site)


def fit_and_score(
    names: Sequence[str],
    inputs: ModelInputs,
    rows: Rows,
    labels: Labels,
    seed: int,
    features: Floats,
    params: Params | None = None,
    *,
    keep: bool = False,
) -> dict[str, Prediction]:
    """Fit models on some rows of a level and return their predictions for others, by name of the model.

    Args:
        names: names of the models.
        inputs: the input columns of the level.
        rows: training rows of the level.
        labels: 1 is attack, shape (rows of the level,); only those of the training rows are read.
        seed: seed of the models and of the draws of their rows.
        features: input columns of the rows to score, shape (any number of rows, columns).
        params: parameters of the models that were tuned.
        keep: whether to keep the fitted models.
    """
    training, scoring = TrainingRows(inputs.of(rows), inputs.names, labels[rows], seed), ScoredRows(features)
    predictions = {}
    for name in names:
        fitted = training.fit(name, (params or {}).get(name))
        if fitted is None:
            predictions[name] = Prediction(np.zeros(len(features)))
            continue
        score, predict_s = scoring.score(fitted)
        pipeline = fitted.pipeline if keep else None
        predictions[name] = Prediction(score, fitted.rows, fitted.fit_s, predict_s, pipeline)
    return predictions


def fold_result(
    name: str, fold: Fold, labels: Labels, tested: Prediction, inner: Sequence[Prediction]
) -> FoldResult:
    """Return the result of a model on a fold, with a threshold set on rows held out of the training side.

    If a class has too few training rows, the model never alarms. Unsupervised models use no labels, neither for fitting nor for the
    threshold.

    Args:
        name: name of the model.
        fold: the fold.
        labels: 1 is attack, shape (rows of the level,); those of test rows are not read.
        tested: the prediction for the test rows.
        inner: the predictions for the rows that each inner fold holds out.
    """
    held = np.concatenate([side.scored for side in fold.inner])
    order = np.argsort(held, kind="stable")
    if not all(prediction.train_rows for prediction in (tested, *inner)):
        silent = Prediction(np.zeros(len(tested.score)))
        return FoldResult(silent, held[order], np.zeros(len(held)), EVEN_CHANCE)
    scores = np.concatenate([prediction.score for prediction in inner])[order]
    limit = (
        threshold(labels[held[order]], scores) if MODELS[name].supervised else unsupervised_threshold(scores)
    )
    return FoldResult(tested, held[order], scores, limit)


def evaluate_fold(
    names: Sequence[str],
    level: Level,
    fold: Fold,
    inputs: ModelInputs,
    seed: int,
    *,
    keep: bool = False,
    test: Floats | None = None,
    known: Mapping[bytes, Scores] = MappingProxyType({}),
) -> dict[str, FoldResult]:
    """Fit and score models on a fold and return their results, by name of the model.

    Args:
        names: names of the models.
        level: the level.
        fold: rows of the level.
        inputs: inputs of the models that are fitted on the training side.
        seed: seed of the models and of the draws of their training rows.
        keep: whether to keep the models that are tested.
        test: input columns to test on instead of the fold's test side, shape (any number of rows, columns).
        known: predictions of fits that were made already, by their :func:`key`.
    """
    features = inputs.of(fold.test) if test is None else test
    tested = fit_and_score(names, inputs, fold.train, level.labels, seed, features, keep=keep)
    inner = []
    for side in fold.inner:
        if (made := known.get(key(side, {}))) is not None:
            inner.append({name: made.of(name, side.scored) for name in names})
            continue
        own_inputs = model_inputs(level, side.site)
        inner.append(
            fit_and_score(names, own_inputs, side.fit, level.labels, seed, own_inputs.of(side.scored))
        )
    return {
        name: fold_result(name, fold, level.labels, tested[name], [part[name] for part in inner])
        for name in names
    }
