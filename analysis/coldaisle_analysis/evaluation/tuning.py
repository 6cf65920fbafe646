"""Tuning of a model's parameters on training rows, by successive halving over groups that stay together.

A few draws from the model's parameter space, and its defaults, are fitted on a ninth of the rows; the best third goes on with three
times as many rows, until all are used. Only supervised models have a parameter space: without labels nothing says which setting is better.
"""

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - makes the next import possible
from sklearn.metrics import average_precision_score
from sklearn.model_selection import (
    HalvingGridSearchCV,
    ParameterSampler,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline

from coldaisle_analysis.arrays import Floats, Labels, Rows
from coldaisle_analysis.evaluation.splits import subsample
from coldaisle_analysis.models.model import Model, scores

BUDGET_S = 3.0
"""Time limit of the search, in s: on an idle machine no search takes so long, so that load seldom decides."""
CANDIDATES = 9
"""Number of settings that are tried, the defaults among them."""
FACTOR = 3
FOLDS = 3
MOST_ROWS = 2_000
"""Largest number of rows that a search uses."""
ATTACKS = 30
"""Attack rows that the smallest draw should hold."""

Params = dict[str, Any]


def tune(
    model: Model,
    columns: Floats,
    names: Sequence[str],
    labels: Labels,
    groups: npt.NDArray[np.str_],
    rows: Rows,
    seed: int,
    budget_s: float = BUDGET_S,
) -> Params:
    """Return the parameters of the model's last step with the best average precision on held-out parts of the training rows.

    The result is the same for the same seed, unless the time limit is reached: then the settings that came furthest are compared.

    Args:
        model: the model to tune.
        columns: shape (all rows, columns); only training rows are read.
        names: names of the columns.
        labels: 1 is attack, shape (all rows,).
        groups: group of each row; a group stays on one side, see :func:`groups.together`, shape (all rows,).
        rows: positions of the training rows.
        seed: seed of draws, folds and model.
        budget_s: time limit of the search, in s; the last comparison takes six more fits.

    Returns:
        The chosen parameters. They are empty, which means the defaults, for a model without a space, where fewer than :data:`FOLDS`
        groups hold attacks, and where the best setting does not beat the defaults on all these rows, on average and on most folds.
    """
    drawn = subsample(rows, labels, min(model.most_rows, MOST_ROWS), seed)
    truth = labels[drawn]
    if not model.space or len(np.unique(groups[drawn][truth == 1])) < FOLDS:
        return {}
    pipeline = model.build(seed, names)
    journal = _Journal(pipeline, model.space, time.perf_counter() + budget_s)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    parts = list(folds.split(columns[drawn], truth, groups[drawn]))
    smallest = max(len(drawn) // CANDIDATES, math.ceil(ATTACKS * len(drawn) / int(truth.sum())))
    search = _halving(pipeline, journal, model.space, min(smallest, len(drawn)), parts, seed)
    with contextlib.suppress(_OverError):
        search.fit(columns[drawn], truth, groups=groups[drawn])
    best = journal.best()
    if not best:
        return {}
    usual, tuned = (
        cross_val_score(candidate, columns[drawn], truth, cv=parts, scoring=_average_precision)
        for candidate in (pipeline, build_tuned(model, seed, names, best))
    )
    return best if tuned.mean() > usual.mean() and 2 * (tuned > usual).sum() > FOLDS else {}


def _halving(
    pipeline: Pipeline,
    journal: "_Journal",
    space: Mapping[str, Any],
    fewest: int,
    parts: Sequence[tuple[Rows, Rows]],
    seed: int,
) -> HalvingGridSearchCV:
    """Return a search over settings of the last step that begins with ``fewest`` rows."""
    last = pipeline.steps[-1][0]
    settings = [
        {f"{last}__{key}": [value] for key, value in setting.items()}
        for setting in _settings(space, journal.defaults, seed)
    ]
    return HalvingGridSearchCV(
        pipeline,
        settings,
        factor=FACTOR,
        min_resources=fewest,
        cv=parts,
        scoring=journal,
        refit=False,
        return_train_score=False,
        error_score="raise",
        random_state=seed,
    )


def build_tuned(model: Model, seed: int, names: Sequence[str], params: Mapping[str, Any]) -> Pipeline:
    """Return the model's unfitted pipeline with its last step set to what :func:`tune` returned."""
    pipeline = model.build(seed, names)
    pipeline[-1].set_params(**params)
    return pipeline


class _OverError(Exception):
    """The time limit of a search is reached."""


def _settings(space: Mapping[str, Any], defaults: Params, seed: int) -> list[Params]:
    """Return the settings to try: the defaults, and draws that differ from them, as plain numbers that JSON can hold."""
    listed = all(isinstance(values, Sequence) for values in space.values())
    most = math.prod(len(values) for values in space.values()) if listed else CANDIDATES
    draws = ParameterSampler(space, min(CANDIDATES - 1, most), random_state=seed)
    plain = [
        {key: getattr(value, "item", lambda value=value: value)() for key, value in draw.items()}
        for draw in draws
    ]
    return [defaults, *(draw for draw in plain if draw != defaults)]


def _average_precision(pipeline: Pipeline, features: Floats, labels: Labels) -> float:
    """Return the average precision of a fitted pipeline, 0 where the rows hold no attack."""
    return float(average_precision_score(labels, scores(pipeline, features))) if labels.any() else 0.0


class _Journal:
    """Scorer of a search that records each score, so that a search that reaches its time limit still has a result."""

    def __init__(self, pipeline: Pipeline, space: Mapping[str, Any], until: float) -> None:
        self.defaults: Params = {key: pipeline[-1].get_params()[key] for key in space}
        self._until = until
        self._scores: dict[tuple[Any, ...], list[float]] = {tuple(self.defaults.values()): []}

    def __call__(self, pipeline: Pipeline, features: Floats, labels: Labels) -> float:
        """Return the average precision of a fitted pipeline.

        Raises:
            _OverError: if the time limit is reached.
        """
        params = pipeline[-1].get_params()
        scores = self._scores.setdefault(tuple(params[key] for key in self.defaults), [])
        scores.append(_average_precision(pipeline, features, labels))
        if time.perf_counter() > self._until:
            raise _OverError
        return scores[-1]

    def best(self) -> Params:
        """Return the setting with the best mean score on its last folds among those that came furthest; empty if these are the defaults."""

        def rank(setting: tuple[Any, ...]) -> tuple[int, float]:
            scores = self._scores[setting]
            whole = len(scores) // FOLDS * FOLDS
            return whole, float(np.mean(scores[max(whole - FOLDS, 0) : whole] or [0.0]))

        best = max(list(self._scores), key=rank)
        params = dict(zip(self.defaults, best, strict=True))
        return {} if params == self.defaults else params
