"""What has to be fitted for the folds of a split, nothing twice, as jobs for processes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from coldaisle_analysis.arrays import Rows
from coldaisle_analysis.evaluation.folds import Params, Prediction, fit_and_score, model_inputs, with_identity
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.splits import Fold, Side
from coldaisle_analysis.evaluation.tuning import tune
from coldaisle_analysis.models import MODELS, WITH_IDENTITY

IDENTITY = "+identity"
"""Ends the name of a model that was given the identity columns as well."""


class Scores(NamedTuple):
    """Rows of a level, and what models predict of them."""

    rows: Rows
    by_model: dict[str, Prediction]

    def of(self, model: str, rows: Rows) -> Prediction:
        """Return what a model predicts of some of the rows."""
        whole = self.by_model[model]
        return replace(whole, score=whole.score[np.searchsorted(self.rows, rows)])


@dataclass(frozen=True)
class Job:
    """What one process does at a time: models are fitted on rows and score others, more than once where the same site serves.

    Attributes:
        level: the level, without what no model is given.
        models: that are fitted.
        leaks: whether one of them is given the identity columns as well.
        site: rows the site is learned from.
        params: of the models that were tuned.
        fits: rows that are fitted on, and rows that are scored then, of one fold or of several, by key.
    """

    level: Level
    models: tuple[str, ...]
    leaks: bool
    site: Rows
    params: Params
    fits: dict[bytes, tuple[Rows, Rows]]

    @property
    def cost(self) -> int:
        """Return how long it takes, beside others."""
        return len(self.models) * len(self.level.labels) * len(self.fits)


def jobs_of(
    level: Level, models: tuple[str, ...], folds: Sequence[Fold], params: Sequence[Params], *, leaks: bool
) -> list[Job]:
    """Return what has to be fitted for the folds of a split: sides that take the same rows are fitted once.

    Args:
        level: the level.
        models: that are fitted.
        folds: of the split.
        params: of the models that were tuned, one each fold.
        leaks: whether one of them is given the identity columns as well.
    """
    jobs: dict[bytes, Job] = {}
    given = lean(level)
    for fold, own in zip(folds, params, strict=True):
        for side in fold.sides:
            job = Job(given, models, leaks, side.site, own, {})
            fits = jobs.setdefault(_digest(own, side.site), job).fits
            _, others = fits.get(key(side, own), (side.fit, side.scored))
            fits[key(side, own)] = side.fit, np.union1d(others, side.scored)
    return list(jobs.values())


def key(side: Side, params: Params) -> bytes:
    """Return what tells a fit from others: its rows, those of its site, and what was tuned for it."""
    return _digest(params, side.fit, side.site)


def run(job: Job, seed: int) -> dict[bytes, Scores]:
    """Return what the models of a job predict, by key of what they were fitted on."""
    level, seen = job.level, model_inputs(job.level, job.site)
    found = {}
    for own, (fit, scored) in job.fits.items():
        by_model = fit_and_score(job.models, seen, fit, level.labels, seed, seen.of(scored), job.params)
        if job.leaks:
            shown = with_identity(seen, level)
            (leaking,) = fit_and_score(
                [WITH_IDENTITY], shown, fit, level.labels, seed, shown.of(scored), job.params
            ).values()
            by_model[f"{WITH_IDENTITY}{IDENTITY}"] = leaking
        found[own] = Scores(scored, by_model)
    return found


def tuned_params(level: Level, models: Sequence[str], rows: Rows, seed: int) -> Params:
    """Return by model its parameters, chosen on these rows; empty where the defaults are kept."""
    seen = model_inputs(level, rows)
    columns = seen.of(np.arange(len(level.labels)))
    return {
        name: tune(MODELS[name], columns, seen.names, level.labels, level.together, rows, seed)
        for name in models
    }


def lean(level: Level) -> Level:
    """Return a level without what no model is given: it travels to another process."""
    return replace(level, cases={}, kinds=level.kinds[:0])


def _digest(params: Params, *rows: Rows) -> bytes:
    return hashlib.sha256(b"|".join([repr(params).encode(), *(each.tobytes() for each in rows)])).digest()
