"""Models on one fold: what they are given, what they learn, and how they score rows they have not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis.arrays import Floats, Labels, Rows
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.preparation import ScoredRows, TrainingRows
from coldaisle_analysis.evaluation.splits import Fold
from coldaisle_analysis.forecast.columns import columns_of, learn_site
from coldaisle_analysis.forecast.kalman import COLUMNS, Site
from coldaisle_analysis.models import EVEN_CHANCE, MODELS, threshold, unsupervised_threshold

Params = Mapping[str, Mapping[str, Any]]
"""By name of a model the parameters of its estimator."""


@dataclass(frozen=True)
class ModelInputs:
    """What models are given that learn from some rows: the level's columns, and those that a model of the site adds.

    Attributes:
        names: names of the columns, those of identity left out.
        parts: the columns, one group beside the other, each of shape (rows of the level, columns).
        site: what the forecasts were made with.
    """

    names: tuple[str, ...]
    parts: tuple[Floats, ...]
    site: Site

    def of(self, rows: Rows) -> Floats:
        """Return what models are given of some rows, shape (rows, columns)."""
        return np.column_stack([part[rows] for part in self.parts])


@dataclass(frozen=True)
class Prediction:
    """What a model said of rows, once it had learned from others.

    Attributes:
        score: of each row, shape (rows,); 0 where it could not learn.
        train_rows: rows it was fitted on; 0 where a class had too few to learn from.
        fit_s: time to fit it, s.
        predict_s: time to score the rows, s; preparing rows, which models share, is in neither.
        pipeline: the model, where it was asked for and has learned.
    """

    score: Floats
    train_rows: int = 0
    fit_s: float = 0.0
    predict_s: float = 0.0
    pipeline: Pipeline | None = None


@dataclass(frozen=True)
class FoldResult:
    """What a model did on a fold.

    Attributes:
        tested: what it said of the test rows.
        held_out: the rows of the training side that inner models had not seen, in order.
        held_out_scores: the scores those models gave them.
        threshold: from which score it alarms.
    """

    tested: Prediction
    held_out: Rows
    held_out_scores: Floats
    threshold: float


def model_inputs(level: Level, learned_from: Rows) -> ModelInputs:
    """Return what models are given, with a site learned from some rows of a level; it is told no label."""
    trained = np.zeros(len(level.labels), np.bool_)
    trained[learned_from] = True
    site = learn_site(level.series, trained)
    forecasts = columns_of(site, level.series, len(trained))
    return ModelInputs((*level.names, *COLUMNS), (level.features, forecasts), site)


def with_identity(seen: ModelInputs, level: Level) -> ModelInputs:
    """Return the same with the identity columns, which leak."""
    return replace(seen, parts=(*seen.parts, level.identity))


def fit_and_score(
    names: Sequence[str],
    seen: ModelInputs,
    rows: Rows,
    labels: Labels,
    seed: int,
    given: Floats,
    params: Params | None = None,
    *,
    keep: bool = False,
) -> dict[str, Prediction]:
    """Return by model what it says of rows, once it has learned from others.

    Args:
        names: of the models.
        seen: what they are given of the level.
        rows: of the level that are learned from.
        labels: 1 is attack, shape (rows of the level,); those of other rows are not looked at.
        seed: of the models and of the draw of their rows.
        given: what they score, shape (any number of rows, columns).
        params: of those that were tuned.
        keep: whether to keep the models.
    """
    lesson, exam = TrainingRows(seen.of(rows), seen.names, labels[rows], seed), ScoredRows(given)
    found = {}
    for name in names:
        learned = lesson.learn(name, (params or {}).get(name))
        if learned is None:
            found[name] = Prediction(np.zeros(len(given)))
            continue
        score, predict_s = exam.score(learned)
        kept = learned.pipeline if keep else None
        found[name] = Prediction(score, learned.rows, learned.fit_s, predict_s, kept)
    return found


def fold_result(
    name: str, fold: Fold, labels: Labels, tested: Prediction, inner: Sequence[Prediction]
) -> FoldResult:
    """Return what a model did on a fold: its threshold is set on rows held out of the training side.

    A training side with too few rows of a class teaches nothing: no row of the test side alarms. A model that is not
    told which rows are attacks sees no label, and its threshold neither.

    Args:
        name: of the model.
        fold: the fold.
        labels: 1 is attack, shape (rows of the level,); those of test rows are not looked at.
        tested: what it said of the test rows.
        inner: what it said of the rows that each inner fold holds out.
    """
    held = np.concatenate([side.scored for side in fold.inner])
    order = np.argsort(held, kind="stable")
    if not all(prediction.train_rows for prediction in (tested, *inner)):
        silent = Prediction(np.zeros(len(tested.score)))
        return FoldResult(silent, held[order], np.zeros(len(held)), EVEN_CHANCE)
    known = np.concatenate([prediction.score for prediction in inner])[order]
    set_by = (
        threshold(labels[held[order]], known) if MODELS[name].supervised else unsupervised_threshold(known)
    )
    return FoldResult(tested, held[order], known, set_by)


def evaluate_fold(
    names: Sequence[str],
    level: Level,
    fold: Fold,
    seen: ModelInputs,
    seed: int,
    *,
    keep: bool = False,
    test: Floats | None = None,
) -> dict[str, FoldResult]:
    """Return by model what it does on a fold.

    Args:
        names: of the models.
        level: the level.
        fold: its rows.
        seen: what models are given that learn from its training side.
        seed: of the models and of the draw of their training rows.
        keep: whether to keep the models that are tested.
        test: what is tested on instead of the fold's test side, shape (any number of rows, columns).
    """
    given = seen.of(fold.test) if test is None else test
    tested = fit_and_score(names, seen, fold.train, level.labels, seed, given, keep=keep)
    inner = []
    for side in fold.inner:
        own = model_inputs(level, side.site)
        inner.append(fit_and_score(names, own, side.fit, level.labels, seed, own.of(side.scored)))
    return {
        name: fold_result(name, fold, level.labels, tested[name], [each[name] for each in inner])
        for name in names
    }
