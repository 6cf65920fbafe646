"""Other weeks: models trained on the whole of one run and tried on others, each with a seed of its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from coldaisle_analysis import tables
from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.earliness.policies import evaluation_set
from coldaisle_analysis.evaluation.alarms import measure
from coldaisle_analysis.evaluation.folds import FoldResult, ModelInputs, evaluate_fold, model_inputs
from coldaisle_analysis.evaluation.levels import Level, prepare
from coldaisle_analysis.evaluation.metrics import FoldMetrics, Scored, scored_row
from coldaisle_analysis.evaluation.splits import OTHER_RUNS, untested
from coldaisle_analysis.forecast.columns import columns_of
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.workers import parallel_map
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

PARTS = 4
"""Parts the models of a level are dealt into, to be played side by side."""
LevelsBySeed = Mapping[int, Sequence[Level]]
"""The levels of other runs, by the seed of each."""


def seeds(runs: Sequence[Path], seed: int) -> list[int]:
    """Return the seeds of finished runs.

    Args:
        runs: their folders.
        seed: that of the run they are compared with.

    Raises:
        InputError: if one is no finished run, or was played with the same seed as another.
    """
    found: list[int] = []
    for run in runs:
        own = Manifest.load(run).seed
        if own == seed or own in found:
            remedy = "has the seed of another run: play one with `coldaisle up --seed N`"
            raise InputError(f"--weeks: {run}", remedy, own)
        found.append(own)
    return found


def load(runs: Sequence[Path], seed: int) -> dict[int, list[Level]]:
    """Return the levels of finished runs by their seeds, see :func:`seeds`.

    Raises:
        InputError: see there, or if a run has no dataset.
    """
    found = zip(seeds(runs, seed), runs, strict=True)
    return {own: [prepare(tables.read_level(run, name), name) for name in LEARNED] for own, run in found}


def evaluate(
    levels: Sequence[Level], weeks: LevelsBySeed, seed: int, progress: Callable[[str], None]
) -> list[Scored]:
    """Return a row for every model, level and other week.

    Args:
        levels: what is learned from, whole.
        weeks: what is tested on.
        seed: of models, draws of rows and bootstrap.
        progress: told when it is done.
    """
    played = [(at, level) for at, level in enumerate(levels) if level.labels.any() and weeks]
    jobs = [
        (level, {number: week[at] for number, week in weeks.items()}, tuple(MODELS)[part::PARTS], seed)
        for at, level in played
        for part in range(PARTS)
    ]
    found = [one for some in parallel_map(_tried, jobs) for one in some]
    if found:
        progress(f"every model tried on other weeks: seed {', '.join(map(str, weeks))}")
    return found


def _tried(level: Level, weeks: Mapping[int, Level], models: Sequence[str], seed: int) -> list[Scored]:
    """Return the rows of models, one a week; none where it cannot learn."""
    fold = untested(level.groups, level.labels, level.known_ns)
    seen = model_inputs(level, fold.train)
    given = np.vstack([_given(week, seen) for week in weeks.values()])
    trials = evaluate_fold(models, level, fold, seen, seed, test=given)
    ends = np.cumsum([len(week.labels) for week in weeks.values()])
    return [
        _row(model, trial, week, part, number, seed)
        for model, trial in trials.items()
        if trial.tested.train_rows
        for (number, week), part in zip(weeks.items(), np.split(trial.tested.score, ends[:-1]), strict=True)
    ]


def _given(week: Level, seen: ModelInputs) -> Floats:
    """Return what models trained on one run are given of another: forecasts of the site as it was learned there."""
    return np.column_stack([week.features, columns_of(seen.site, week.series, len(week.labels))])


def _row(model: str, trial: FoldResult, week: Level, score: Floats, number: int, seed: int) -> Scored:
    """Return a model's row on another week, given the score of each row there."""
    alarms, tested = score >= trial.threshold, np.ones(len(score), np.bool_)
    name, cases = next(iter(week.cases.items()))
    judged = evaluation_set(cases, week.labels, week.episodes)
    metrics: FoldMetrics = {
        "early": {name: {"threshold": measure(judged, alarms)}},
        "seed": number,
        "folds": 1,
        "train_rows": trial.tested.train_rows,
        "thresholds": [trial.threshold],
        "fit_s": trial.tested.fit_s,
    }
    return scored_row(week, OTHER_RUNS, model, score, alarms, tested, seed, metrics)
