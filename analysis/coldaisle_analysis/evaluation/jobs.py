"""Jobs for worker processes: the fits that the folds of a split need, each fit once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coldaisle_analysis.arrays import Rows
from coldaisle_analysis.evaluation.folds import Params, Scores, digest, fit_and_score, key, model_inputs
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.splits import Fold
from coldaisle_analysis.evaluation.tuning import tune
from coldaisle_analysis.models import MODELS, WITH_IDENTITY

_JOINED = 1 << 28
"""Bytes of columns up to which they are joined for several fits: a process then holds them twice."""
IDENTITY = "+identity"
"""Suffix of the name of a model that also got the identity columns."""


@dataclass(frozen=True)
class Job:
    """Work for one process: models are fitted and score other rows, several times where fits share a site.

    Attributes:
        level: the level, reduced to what models need.
        models: models that are fitted.
        leaks: whether one of them is fitted with the identity columns as well.
        site: rows that the site is learned from.
        params: parameters of the models that were tuned.
        fits: by key: the rows to fit on and the rows to score then, of one fold or of several.
    """

    level: Level
    models: tuple[str, ...]
    leaks: bool
    site: Rows
    params: Params
    fits: dict[bytes, tuple[Rows, Rows]]

    @property
    def cost(self) -> int:
        """Return an estimate of its duration, relative to other jobs."""
        return len(self.models) * len(self.level.labels) * len(self.fits)


def jobs_of(
    level: Level, models: tuple[str, ...], folds: Sequence[Fold], params: Sequence[Params], *, leaks: bool
) -> list[Job]:
    """Return the jobs that the folds of a split need; sides with the same rows are fitted once.

    Args:
        level: the level.
        models: models that are fitted.
        folds: folds of the split.
        params: parameters of the models that were tuned, one entry per fold.
        leaks: whether one of them is fitted with the identity columns as well.
    """
    jobs: dict[bytes, Job] = {}
    reduced = without_unused(level)
    for fold, tuned in zip(folds, params, strict=True):
        for side in fold.sides:
            job = Job(reduced, models, leaks, side.site, tuned, {})
            fits = jobs.setdefault(digest(tuned, side.site), job).fits
            _, scored = fits.get(key(side, tuned), (side.fit, side.scored))
            fits[key(side, tuned)] = side.fit, np.union1d(scored, side.scored)
    return list(jobs.values())


def run(job: Job, seed: int) -> dict[bytes, Scores]:
    """Return the predictions of a job's models, by key of the fit."""
    level, inputs = job.level, model_inputs(job.level, job.site)
    if len(job.fits) > 1 and level.features.nbytes < _JOINED:
        inputs = inputs.joined()
    scores = {}
    for fit_key, (fit, scored) in job.fits.items():
        by_model = fit_and_score(job.models, inputs, fit, level.labels, seed, inputs.of(scored), job.params)
        if job.leaks:
            leaky = replace(inputs, parts=(*inputs.parts, level.identity))
            (leaking,) = fit_and_score(
                [WITH_IDENTITY], leaky, fit, level.labels, seed, leaky.of(scored), job.params
            ).values()
            by_model[f"{WITH_IDENTITY}{IDENTITY}"] = leaking
        scores[fit_key] = Scores(scored, by_model)
    return scores


def tuned_params(level: Level, models: Sequence[str], rows: Rows, seed: int) -> Params:
    """Return the parameters of each model, chosen on these rows; empty where the defaults are kept."""
    inputs = model_inputs(level, rows)
    columns = inputs.of(np.arange(len(level.labels)))
    return {
        name: tune(MODELS[name], columns, inputs.names, level.labels, level.together, rows, seed)
        for name in models
    }


def without_unused(level: Level) -> Level:
    """Return a level without the parts that no model needs, to copy less to another process."""
    return replace(level, cases={}, kinds=level.kinds[:0])
