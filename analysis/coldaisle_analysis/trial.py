"""One model on one fold: what it is given, what it learns, and how it scores rows it has not seen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis.following.forecast import Site
from coldaisle_analysis.forecasting import COLUMNS, columns_of, learn_site
from coldaisle_analysis.levels import Level
from coldaisle_analysis.models import EVEN_CHANCE, FEWEST, MODELS, Matrix, scores, threshold, untold_threshold
from coldaisle_analysis.splits import Fold, Labels, Rows, thin


@dataclass(frozen=True)
class Sight:
    """What the models of a fold are given: the level's columns, and those that a model of the site adds.

    Attributes:
        fold: the fold.
        names: names of the columns, those of identity left out.
        parts: the columns, one group beside the other, each of shape (rows of the level, columns).
        site: what the forecasts were made with.
    """

    fold: Fold
    names: tuple[str, ...]
    parts: tuple[Matrix, ...]
    site: Site

    def of(self, rows: Rows) -> Matrix:
        """Return what models are given of some rows, shape (rows, columns)."""
        return np.column_stack([part[rows] for part in self.parts])


@dataclass(frozen=True)
class Trial:
    """What a model did on a fold.

    Attributes:
        score: of the fold's test rows.
        held_out: the rows of the training side that inner models had not seen, in order.
        seen: the scores those models gave them.
        threshold: from which score it alarms.
        fit_s: time to fit the model that is tested, s.
        predict_s: time to score the test rows, s.
        train_rows: rows it was fitted on.
    """

    score: Matrix
    held_out: Rows
    seen: Matrix
    threshold: float
    fit_s: float = 0.0
    predict_s: float = 0.0
    train_rows: int = 0


def sight(level: Level, fold: Fold) -> Sight:
    """Return what models are given on a fold; the site is learned from its training side, told no label."""
    trained = np.zeros(len(level.labels), np.bool_)
    trained[fold.train] = True
    site = learn_site(level.series, trained)
    forecasts = columns_of(site, level.series, len(trained))
    return Sight(fold, (*level.names, *COLUMNS), (level.features, forecasts), site)


def with_identity(seen: Sight, level: Level) -> Sight:
    """Return the same with the identity columns, which leak."""
    return replace(seen, parts=(*seen.parts, level.identity))


def attempt(
    name: str, seen: Sight, labels: Labels, seed: int, params: Mapping[str, Any] | None = None
) -> Trial:
    """Fit a model on a fold's training side, set its threshold on rows held out of it, score the test side.

    A training side with too few rows of a class teaches nothing: no row of the test side alarms. A model that is not
    told which rows are attacks sees no label, and its threshold neither.

    Args:
        name: of the model.
        seen: what it is given.
        labels: 1 is attack, shape (rows,); those of test rows are not looked at.
        seed: of the model and of the draw of its training rows.
        params: of the model, where it was tuned.
    """
    fold, start = seen.fold, time.perf_counter()
    fitted = fit(name, seen, fold.train, labels, seed, params)
    fit_s = time.perf_counter() - start
    held, known = held_out(name, seen, labels, seed, params)
    if fitted is None or known is None:
        return Trial(np.zeros(len(fold.test)), held, np.zeros(len(held)), EVEN_CHANCE)
    start = time.perf_counter()
    score = scores(fitted.pipeline, seen.of(fold.test))
    predict_s = time.perf_counter() - start
    return Trial(score, held, known, limit(name, labels[held], known), fit_s, predict_s, fitted.rows)


def limit(name: str, labels: Labels, known: Matrix) -> float:
    """Return from which score a model alarms, given rows it had not seen: the best F1, or told no label a share of them."""
    return threshold(labels, known) if MODELS[name].told else untold_threshold(known)


def held_out(
    name: str, seen: Sight, labels: Labels, seed: int, params: Mapping[str, Any] | None = None
) -> tuple[Rows, Matrix | None]:
    """Return the rows a fold's training side holds out, in order, and the scores of models that had not seen them.

    No scores where a class has too few rows to learn from.
    """
    inner = seen.fold.inner
    rows = np.concatenate([part.held_out for part in inner])
    order = np.argsort(rows, kind="stable")
    parts = []
    for part in inner:
        fitted = fit(name, seen, part.fit, labels, seed, params)
        if fitted is None:
            return rows[order], None
        parts.append(scores(fitted.pipeline, seen.of(part.held_out)))
    return rows[order], np.concatenate(parts)[order]


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, and how many rows it was fitted on."""

    pipeline: Pipeline
    rows: int = field(default=0)


def fit(
    name: str, seen: Sight, rows: Rows, labels: Labels, seed: int, params: Mapping[str, Any] | None = None
) -> Fitted | None:
    """Return a model fitted on a draw of some rows, nothing where a class has too few of them."""
    model = MODELS[name]
    truth = labels if model.told else np.zeros_like(labels)
    drawn = thin(rows, truth, model.most_rows, seed)
    if model.told and np.bincount(labels[drawn], minlength=2).min() < FEWEST:
        return None
    pipeline = model.build(seed, seen.names)
    if params:
        pipeline.steps[-1][1].set_params(**params)
    return Fitted(pipeline.fit(seen.of(drawn), truth[drawn]), len(drawn))
