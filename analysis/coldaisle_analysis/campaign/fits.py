"""Fits as jobs: each is given by paths and names, so that any process on any machine that sees the folder can do it.

A job reads prepared weeks, fits one model, scores held-out weeks, and leaves the scores in a file.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from coldaisle_analysis.arrays import Floats, Labels
from coldaisle_analysis.campaign.learners import LEARNERS, Batch, Learner, pipeline
from coldaisle_analysis.campaign.store import Singles, Store, names_of
from coldaisle_analysis.columns import Level
from coldaisle_analysis.evaluation.splits import subsample
from coldaisle_analysis.models import files
from coldaisle_analysis.models.model import MIN_CLASS_ROWS, scores

Mapper = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterator[Any]]
"""Yields the results of a function for each job, in their order, such as :func:`~coldaisle_analysis.workers.parallel_map`."""


@dataclass(frozen=True)
class Week:
    """A prepared week of a store.

    Attributes:
        name: its name in the store.
        site: name of the site that its forecasts were made for.
    """

    name: str
    site: str


@dataclass(frozen=True)
class Fit:
    """One fit: what is learned from, and what is scored then.

    Attributes:
        folder: folder of the store.
        level: the level.
        model: name of a model of :data:`~coldaisle_analysis.campaign.learners.LEARNERS`.
        train: weeks to learn from.
        scored: weeks to score.
        seed: seed of the model and of the draw of rows.
        without: kind of attack that is left out of training; none if empty.
        most_rows: largest number of rows to fit on; the model's own if 0.
        keep: whether to leave the fitted model in a file, too.
    """

    folder: Path
    level: Level
    model: str
    train: tuple[Week, ...]
    scored: tuple[Week, ...]
    seed: int
    without: str = ""
    most_rows: int = 0
    keep: bool = False

    @property
    def key(self) -> str:
        """Return a digest of everything that the scores depend on but the store."""
        parts = {name: value for name, value in asdict(self).items() if name != "folder"}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def scores(self) -> Path:
        """Return the file of the scores."""
        return self.folder / f"{self.key}.scores.npy"

    @property
    def model_file(self) -> Path:
        """Return the file of the fitted model."""
        return self.folder / f"{self.key}.model"


@dataclass(frozen=True)
class Fitted:
    """The result of a fit.

    Attributes:
        fit: the fit.
        train_rows: rows that the model was fitted on; 0 where a class had too few, then every score is 0.
        fit_s: time to fit the model, in s.
        predict_s: time to score the weeks, in s.
    """

    fit: Fit
    train_rows: int
    fit_s: float
    predict_s: float

    def score(self) -> Floats:
        """Return the score of each row of the scored weeks, shape (rows,)."""
        scores: Floats = np.load(self.fit.scores)
        return scores


def run(fit: Fit) -> Fitted:
    """Do a fit and return its result; the scores are in its file, which appears by rename."""
    begin = time.perf_counter()
    model, rows = learned(fit)
    fit_s, begin = time.perf_counter() - begin, time.perf_counter()
    store = Store(fit.folder, fit.level)
    parts = [_scores(model, store.inputs(week.name, week.site)) for week in fit.scored]
    hidden = fit.scores.with_name(f".{fit.scores.name}")
    np.save(hidden, np.concatenate([np.zeros(0), *parts]))
    hidden.replace(fit.scores)
    if fit.keep and model is not None:
        fit.model_file.write_bytes(files.dumps(model))
    return Fitted(fit, rows, fit_s, time.perf_counter() - begin)


def _scores(model: Pipeline | None, rows: Singles) -> Floats:
    return np.zeros(len(rows)) if model is None else scores(model, cast("Floats", rows))


def learned(fit: Fit) -> tuple[Pipeline | None, int]:
    """Return the fitted model of a fit, and the number of rows it was fitted on; ``None`` where a class has too few rows."""
    learner = LEARNERS[fit.model]
    rows, labels = _sample(fit, learner)
    if np.bincount(labels, minlength=2).min() < MIN_CLASS_ROWS:
        return None, 0
    steps = learner.model.preparation()
    for step in steps:
        rows = step.fit_transform(rows)
    estimator = learner.model.make(fit.seed, names_of(fit.level))
    if learner.in_batches is None:
        return pipeline(steps, estimator.fit(rows, labels)), len(labels)
    counted: list[int] = []
    estimator = learner.in_batches(estimator, _batches(fit, learner, steps, counted))
    return pipeline(steps, estimator), sum(counted)


def _sample(fit: Fit, learner: Learner) -> tuple[Singles, Labels]:
    """Return rows of the training weeks and their labels: the same number at most from each week."""
    most = (fit.most_rows or learner.model.most_rows) // max(len(fit.train), 1)
    parts = [_drawn(fit, number, most) for number in range(len(fit.train))]
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([labels for _, labels in parts])


def _drawn(fit: Fit, number: int, most: int) -> Batch:
    """Return at most so many rows of a training week, without attacks of the kind that is left out."""
    store, week = Store(fit.folder, fit.level), fit.train[number]
    labels = store.labels(week.name)
    rows = np.flatnonzero(~store.of_kind(week.name, fit.without)) if fit.without else np.arange(len(labels))
    rows = subsample(rows.astype(np.intp), labels, most, fit.seed + number)
    return store.inputs(week.name, week.site, rows), labels[rows]


def _batches(
    fit: Fit, learner: Learner, steps: Sequence[BaseEstimator], counted: list[int]
) -> Iterator[Batch]:
    """Yield the prepared rows of each training week, and note their number."""
    for number in range(len(fit.train)):
        rows, labels = _drawn(fit, number, learner.each)
        for step in steps:
            rows = step.transform(rows)
        counted.append(len(labels))
        yield rows, labels
