"""Training rows and rows to score, prepared once for all models that share a preparation.

Rows are drawn once for each preparation, every attack among them; a model that takes fewer rows draws again from these. So the
preparation, too, is fitted on training rows alone, and two dozen models do not impute and scale the same rows two dozen times.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from coldaisle_analysis.arrays import Floats, Labels, Rows
from coldaisle_analysis.evaluation.splits import subsample
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.models.model import MIN_CLASS_ROWS, Model, Preparation, scores

_FEW = 4
"""A model that takes less than this part of a draw has its rows prepared on their own."""


class _Key(NamedTuple):
    """Key of a draw: whether it depends on labels, and how its rows are prepared."""

    supervised: bool
    preparation: Preparation


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    Attributes:
        estimator: the estimator, fitted on prepared rows.
        steps: the fitted steps that prepare rows.
        rows: number of rows it was fitted on.
        fit_s: time to fit the estimator, in s, without the preparation of rows, which models share.
    """

    estimator: BaseEstimator
    steps: list[BaseEstimator]
    rows: int
    fit_s: float

    @property
    def pipeline(self) -> Pipeline:
        """Return the whole model, which takes rows that are not prepared."""
        return make_pipeline(*self.steps, self.estimator)


def prepare(steps: Sequence[BaseEstimator], rows: Floats) -> Floats:
    """Return rows that fitted steps have prepared."""
    for step in steps:
        rows = step.transform(rows)
    return rows


def _selected(rows: Floats, positions: Rows) -> Floats:
    """Return rows at sorted and unique positions; the array itself, uncopied, when every row is selected."""
    return rows if len(positions) == len(rows) else rows[positions]


class TrainingRows:
    """Training rows.

    Args:
        features: input columns of the rows, shape (rows, columns).
        names: names of the columns.
        labels: 1 is attack, shape (rows,).
        seed: seed of draws and models.
    """

    def __init__(self, features: Floats, names: tuple[str, ...], labels: Labels, seed: int) -> None:
        self.names = names
        self._features, self._labels, self._seed = features, labels, seed
        self._drawn: dict[_Key, Rows] = {}
        self._fitted: dict[Preparation, list[BaseEstimator]] = {}
        self._prepared: dict[_Key, tuple[list[BaseEstimator], Floats]] = {}

    def fit(self, name: str, params: Mapping[str, Any] | None = None) -> FittedModel | None:
        """Return a fitted model, or ``None`` where a class has too few rows.

        Args:
            name: name of the model.
            params: parameters of its estimator, where it was tuned.
        """
        model = MODELS[name]
        truth = self._truth(supervised=model.supervised)
        drawn = self._draw(self._key(model))
        rows_taken = subsample(drawn, truth, model.most_rows, self._seed)
        if model.supervised and np.bincount(truth[rows_taken], minlength=2).min() < MIN_CLASS_ROWS:
            return None
        steps, rows = self._taken(name, drawn, rows_taken)
        estimator = model.make(self._seed, self.names).set_params(**(params or {}))
        start = time.perf_counter()
        estimator.fit(rows, truth[rows_taken])
        return FittedModel(estimator, steps, len(rows_taken), time.perf_counter() - start)

    def _taken(self, name: str, drawn: Rows, rows: Rows) -> tuple[list[BaseEstimator], Floats]:
        """Return the fitted steps of a model's preparation, and the prepared rows that it takes of its draw.

        A few rows of a large draw are prepared on their own, unless the draw is prepared already: steps look at one row at a time.
        """
        key = self._key(MODELS[name])
        if key not in self._prepared and len(rows) * _FEW < len(drawn):
            steps = self._steps(key.preparation)
            return steps, prepare(steps, self._features[rows])
        steps, prepared = self.prepared(name)
        return steps, _selected(prepared, np.searchsorted(drawn, rows))

    def prepared(self, name: str) -> tuple[list[BaseEstimator], Floats]:
        """Return the fitted steps of a model's preparation, and the prepared rows of its draw."""
        key = self._key(MODELS[name])
        if key not in self._prepared:
            steps = self._steps(key.preparation)
            self._prepared[key] = steps, prepare(steps, _selected(self._features, self._draw(key)))
        return self._prepared[key]

    def _steps(self, preparation: Preparation) -> list[BaseEstimator]:
        """Return the steps of a preparation, fitted on rows that were drawn without labels."""
        if preparation not in self._fitted:
            drawn = self._draw(_Key(False, preparation))
            steps, rows = preparation(), _selected(self._features, drawn)
            for step in steps[:-1]:
                rows = step.fit_transform(rows)
            for step in steps[-1:]:
                step.fit(rows)
            self._fitted[preparation] = steps
        return self._fitted[preparation]

    def _truth(self, *, supervised: bool) -> Labels:
        return self._labels if supervised else np.zeros_like(self._labels)

    def _key(self, model: Model) -> _Key:
        """Return the key of a model's draw; where every row is taken, the draw does not depend on labels."""
        every = _most(model.preparation) >= len(self._labels)
        return _Key(model.supervised and not every, model.preparation)

    def _draw(self, key: _Key) -> Rows:
        """Return a draw of as many rows as any model with this preparation takes."""
        if key not in self._drawn:
            rows, truth = np.arange(len(self._labels)), self._truth(supervised=key.supervised)
            self._drawn[key] = subsample(rows, truth, _most(key.preparation), self._seed)
        return self._drawn[key]


def _most(preparation: Preparation) -> int:
    return max(model.most_rows for model in MODELS.values() if model.preparation is preparation)


class ScoredRows:
    """Rows to be scored by models that were fitted on the same training rows.

    Args:
        features: input columns of the rows, shape (rows, columns).
    """

    def __init__(self, features: Floats) -> None:
        self._features = features
        self._prepared: dict[tuple[int, ...], Floats] = {}

    def score(self, fitted: FittedModel) -> tuple[Floats, float]:
        """Return the score of each row, and the time to score them in s, without the preparation of rows."""
        if not len(self._features):
            return np.zeros(0), 0.0
        key = tuple(map(id, fitted.steps))
        if key not in self._prepared:
            self._prepared[key] = prepare(fitted.steps, self._features)
        start = time.perf_counter()
        score = scores(fitted.estimator, self._prepared[key])
        return score, time.perf_counter() - start
