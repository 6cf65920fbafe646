"""Models on one fold: what they are given, what they learn, and how they score rows they have not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from coldaisle_analysis.following.forecast import Site
from coldaisle_analysis.forecasting import COLUMNS, columns_of, learn_site
from coldaisle_analysis.lesson import Exam, Learned, Lesson
from coldaisle_analysis.levels import Level
from coldaisle_analysis.models import EVEN_CHANCE, MODELS, Matrix, threshold, untold_threshold
from coldaisle_analysis.splits import Fold, Labels, Rows

Params = Mapping[str, Mapping[str, Any]]
"""By name of a model the parameters of its estimator."""


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
        predict_s: time to score the test rows, s; preparing rows, which models share, is in neither.
        train_rows: rows it was fitted on.
        pipeline: the model that is tested, where it was asked for and has learned.
    """

    score: Matrix
    held_out: Rows
    seen: Matrix
    threshold: float
    fit_s: float = 0.0
    predict_s: float = 0.0
    train_rows: int = 0
    pipeline: Pipeline | None = None


def sight(level: Level, fold: Fold, learned_from: Rows | None = None) -> Sight:
    """Return what models are given on a fold.

    Args:
        level: the level.
        fold: the fold.
        learned_from: training rows the site is learned from, told no label; all of them when left out.
    """
    trained = np.zeros(len(level.labels), np.bool_)
    trained[fold.train if learned_from is None else learned_from] = True
    site = learn_site(level.series, trained)
    forecasts = columns_of(site, level.series, len(trained))
    return Sight(fold, (*level.names, *COLUMNS), (level.features, forecasts), site)


def with_identity(seen: Sight, level: Level) -> Sight:
    """Return the same with the identity columns, which leak."""
    return replace(seen, parts=(*seen.parts, level.identity))


def attempt(
    names: Sequence[str],
    seen: Sight,
    labels: Labels,
    seed: int,
    params: Params | None = None,
    *,
    keep: bool = False,
    test: Matrix | None = None,
) -> dict[str, Trial]:
    """Fit models on a fold's training side, set their thresholds on rows held out of it, score the test side.

    A training side with too few rows of a class teaches nothing: no row of the test side alarms. A model that is not
    told which rows are attacks sees no label, and its threshold neither.

    Args:
        names: of the models.
        seen: what they are given.
        labels: 1 is attack, shape (rows,); those of test rows are not looked at.
        seed: of the models and of the draw of their training rows.
        params: of those that were tuned.
        keep: whether to keep the models that are tested.
        test: what is tested on instead of the fold's test side, shape (any number of rows, columns).
    """
    fold, held = seen.fold, np.concatenate([part.held_out for part in seen.fold.inner])
    given = seen.of(fold.test) if test is None else test
    outer = _tried(names, seen, fold.train, labels, seed, params or {}, given)
    inner = [
        _tried(names, seen, part.fit, labels, seed, params or {}, seen.of(part.held_out))
        for part in fold.inner
    ]
    order = np.argsort(held, kind="stable")
    found = {}
    for name in names:
        learned, score, predict_s = outer[name]
        parts = [each[name][1] for each in inner]
        if learned is None or any(each[name][0] is None for each in inner):
            found[name] = Trial(np.zeros(len(given)), held[order], np.zeros(len(held)), EVEN_CHANCE)
            continue
        known = np.concatenate(parts)[order]
        set_by = threshold(labels[held[order]], known) if MODELS[name].told else untold_threshold(known)
        kept = learned.pipeline if keep else None
        found[name] = Trial(
            score, held[order], known, set_by, learned.fit_s, predict_s, learned.rows, kept
        )  # fmt: skip
    return found


def _tried(
    names: Sequence[str],
    seen: Sight,
    rows: Rows,
    labels: Labels,
    seed: int,
    params: Params,
    given: Matrix,
) -> dict[str, tuple[Learned | None, Matrix, float]]:
    """Return of each model what has learned from some rows, and the scores it gives others, and the time that took, s."""
    lesson, exam = Lesson(seen.of(rows), seen.names, labels[rows], seed), Exam(given)
    found = {}
    for name in names:
        learned = lesson.learn(name, params.get(name))
        found[name] = (learned, *(exam.score(learned) if learned else (np.zeros(len(given)), 0.0)))
    return found
