"""What models learn from and are tried on: rows prepared once for all models that are prepared alike.

A lesson draws rows once for each preparation, every attack among them; a model that takes fewer draws again from these. So the
preparation, too, is learned from training rows alone, and two dozen models do not impute and scale the same rows two dozen times.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from coldaisle_analysis.arrays import Floats, Labels, Rows
from coldaisle_analysis.evaluation.splits import thin
from coldaisle_analysis.models import MIN_CLASS_ROWS, MODELS, Model, Preparation, scores


class _Key(NamedTuple):
    """Whether labels had a say in a draw, and how its rows are prepared."""

    supervised: bool
    preparation: Preparation


@dataclass(frozen=True)
class FittedModel:
    """A model that has learned.

    Attributes:
        name: of the model.
        estimator: fitted on prepared rows.
        steps: what prepares rows, fitted.
        rows: how many rows it was fitted on.
        fit_s: time that took, s; that of preparing rows, which models share, is not in it.
    """

    name: str
    estimator: BaseEstimator
    steps: list[BaseEstimator]
    rows: int
    fit_s: float

    @property
    def pipeline(self) -> Pipeline:
        """Return the whole model, which takes rows as they are."""
        return make_pipeline(*self.steps, self.estimator)


def prepare(steps: Sequence[BaseEstimator], rows: Floats) -> Floats:
    """Return rows as fitted steps prepare them."""
    for step in steps:
        rows = step.transform(rows)
    return rows


def _taken(rows: Floats, which: Rows) -> Floats:
    """Return some of the rows, in order and none twice; all of them are not copied."""
    return rows if len(which) == len(rows) else rows[which]


class TrainingRows:
    """Rows to learn from.

    Args:
        features: what models are given of them, shape (rows, columns).
        names: names of the columns.
        labels: 1 is attack, shape (rows,).
        seed: of draws and models.
    """

    def __init__(self, features: Floats, names: tuple[str, ...], labels: Labels, seed: int) -> None:
        self.names = names
        self._features, self._labels, self._seed = features, labels, seed
        self._drawn: dict[_Key, Rows] = {}
        self._fitted: dict[Preparation, list[BaseEstimator]] = {}
        self._prepared: dict[_Key, tuple[list[BaseEstimator], Floats]] = {}

    def learn(self, name: str, params: Mapping[str, Any] | None = None) -> FittedModel | None:
        """Return a model that has learned, nothing where a class has too few rows.

        Args:
            name: of the model.
            params: of its estimator, where it was tuned.
        """
        model = MODELS[name]
        truth = self._truth(supervised=model.supervised)
        drawn = self._draw(self._key(model))
        own = thin(drawn, truth, model.most_rows, self._seed)
        if model.supervised and np.bincount(truth[own], minlength=2).min() < MIN_CLASS_ROWS:
            return None
        steps, rows = self.prepared(name)
        estimator = model.make(self._seed, self.names).set_params(**(params or {}))
        start = time.perf_counter()
        estimator.fit(_taken(rows, np.searchsorted(drawn, own)), truth[own])
        return FittedModel(name, estimator, steps, len(own), time.perf_counter() - start)

    def prepared(self, name: str) -> tuple[list[BaseEstimator], Floats]:
        """Return what prepares a model's rows, fitted, and the prepared rows of the draw."""
        key = self._key(MODELS[name])
        if key not in self._prepared:
            steps = self._steps(key.preparation)
            self._prepared[key] = steps, prepare(steps, _taken(self._features, self._draw(key)))
        return self._prepared[key]

    def _steps(self, preparation: Preparation) -> list[BaseEstimator]:
        """Return the steps of a preparation, fitted on rows that no label had a say in."""
        if preparation not in self._fitted:
            drawn = self._draw(_Key(False, preparation))
            steps, rows = preparation(), _taken(self._features, drawn)
            for step in steps:
                rows = step.fit_transform(rows)
            self._fitted[preparation] = steps
        return self._fitted[preparation]

    def _truth(self, *, supervised: bool) -> Labels:
        return self._labels if supervised else np.zeros_like(self._labels)

    def _key(self, model: Model) -> _Key:
        """Return what a model's draw depends on; where every row is taken, labels have no say."""
        every = _most(model.preparation) >= len(self._labels)
        return _Key(model.supervised and not every, model.preparation)

    def _draw(self, key: _Key) -> Rows:
        """Return as many rows as any model takes that is prepared like that."""
        if key not in self._drawn:
            rows, truth = np.arange(len(self._labels)), self._truth(supervised=key.supervised)
            self._drawn[key] = thin(rows, truth, _most(key.preparation), self._seed)
        return self._drawn[key]


def _most(preparation: Preparation) -> int:
    return max(model.most_rows for model in MODELS.values() if model.preparation is preparation)


class ScoredRows:
    """Rows to be scored by the models of one lesson.

    Args:
        features: what models are given of them, shape (rows, columns).
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._prepared: dict[tuple[int, ...], Floats] = {}

    def score(self, learned: FittedModel) -> tuple[Floats, float]:
        """Return how sure a model is that each row is an attack, and the time that took, s, without preparing rows."""
        if not len(self._features):
            return np.zeros(0), 0.0
        key = tuple(map(id, learned.steps))
        if key not in self._prepared:
            self._prepared[key] = prepare(learned.steps, self._features)
        start = time.perf_counter()
        found = scores(learned.estimator, self._prepared[key])
        return found, time.perf_counter() - start
