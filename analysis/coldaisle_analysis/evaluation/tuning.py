"""Parameters of a model chosen on training rows: successive halving over groups that stay together.

Few draws of the model's space, its defaults always among them, learn from a ninth of the rows; the best third goes on with three
times as many, until all rows are used. Only models that are told have a space: without a label there is nothing to tune on.
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
from coldaisle_analysis.evaluation.splits import thin
from coldaisle_analysis.models.model import Model, scores

BUDGET_S = 3.0
"""Time the search may take, s: on an idle machine none takes so long, so that load seldom decides."""
CANDIDATES = 9
"""Settings that are tried, the defaults among them."""
FACTOR = 3
FOLDS = 3
MOST_ROWS = 2_000
"""Rows a tuning looks at."""
ATTACKS = 30
"""Attacked rows that the smallest draw should hold."""

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
    """Return the parameters of the model's last step with the best average precision on rows held out of the given ones.

    The same for the same seed unless the budget is over first: then what has come furthest counts.

    Args:
        model: what is tuned.
        columns: shape (all rows, columns); only the given rows are looked at.
        names: of the columns.
        labels: 1 is attack, shape (all rows,).
        groups: what stays on one side, see :func:`groups.together`, shape (all rows,).
        rows: training rows.
        seed: of draws, folds and model.
        budget_s: time the search may take, s; the last comparison takes six fits more.

    Returns:
        Empty, which means the defaults: for a model without a space, where fewer than :data:`FOLDS` groups hold attacks, or
        where what was found is not better than the defaults on all these rows, on average and on most folds.
    """
    drawn = thin(rows, labels, min(model.most_rows, MOST_ROWS), seed)
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
        cross_val_score(each, columns[drawn], truth, cv=parts, scoring=_found)
        for each in (pipeline, build_tuned(model, seed, names, best))
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
    """Return a search through settings of the last step that begins with the fewest rows."""
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
    """The budget of a tuning is over."""


def _settings(space: Mapping[str, Any], defaults: Params, seed: int) -> list[Params]:
    """Return what is tried: the defaults, and draws that differ from them, as plain numbers that JSON can hold."""
    listed = all(isinstance(values, Sequence) for values in space.values())
    most = math.prod(len(values) for values in space.values()) if listed else CANDIDATES
    draws = ParameterSampler(space, min(CANDIDATES - 1, most), random_state=seed)
    plain = [
        {key: getattr(value, "item", lambda value=value: value)() for key, value in draw.items()}
        for draw in draws
    ]
    return [defaults, *(draw for draw in plain if draw != defaults)]


def _found(pipeline: Pipeline, features: Floats, labels: Labels) -> float:
    """Return the average precision of a fitted pipeline, 0 where there is no attack to find."""
    return float(average_precision_score(labels, scores(pipeline, features))) if labels.any() else 0.0


class _Journal:
    """Scores what a search fits and writes it down, so that a search that is broken off was not in vain."""

    def __init__(self, pipeline: Pipeline, space: Mapping[str, Any], until: float) -> None:
        self.defaults: Params = {key: pipeline[-1].get_params()[key] for key in space}
        self._until = until
        self._said: dict[tuple[Any, ...], list[float]] = {tuple(self.defaults.values()): []}

    def __call__(self, pipeline: Pipeline, features: Floats, labels: Labels) -> float:
        """Return the average precision of a fitted pipeline.

        Raises:
            _OverError: when the time is over.
        """
        known = pipeline[-1].get_params()
        said = self._said.setdefault(tuple(known[key] for key in self.defaults), [])
        said.append(_found(pipeline, features, labels))
        if time.perf_counter() > self._until:
            raise _OverError
        return said[-1]

    def best(self) -> Params:
        """Return the setting with the best mean of its last folds among those that came furthest; empty if the defaults."""

        def rank(setting: tuple[Any, ...]) -> tuple[int, float]:
            said = self._said[setting]
            whole = len(said) // FOLDS * FOLDS
            return whole, float(np.mean(said[max(whole - FOLDS, 0) : whole] or [0.0]))

        best = max(list(self._said), key=rank)
        found = dict(zip(self.defaults, best, strict=True))
        return {} if found == self.defaults else found
