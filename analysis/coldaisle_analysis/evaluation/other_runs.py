"""Tests on other runs: models are trained on the whole of one run and tested on others, each with a seed of its own."""

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
from coldaisle_analysis.evaluation.splits import OTHER_RUNS, whole_run
from coldaisle_analysis.forecast.columns import columns_of
from coldaisle_analysis.models import MODELS
from coldaisle_analysis.twins import visibility_of
from coldaisle_analysis.workers import parallel_map
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

PARTS = 4
"""Number of parts that the models of a level are divided into, to be fitted in parallel."""
LevelsBySeed = Mapping[int, Sequence[Level]]
"""The levels of other runs, by the seed of each."""


def seeds(runs: Sequence[Path], seed: int) -> list[int]:
    """Return the seeds of finished runs.

    Args:
        runs: their folders.
        seed: seed of the run that they are compared with.

    Raises:
        InputError: if one is no finished run, or was played with the same seed as another.
    """
    checked: list[int] = []
    for run in runs:
        run_seed = Manifest.load(run).seed
        if run_seed == seed or run_seed in checked:
            remedy = "has the seed of another run: play one with `coldaisle up --seed N`"
            raise InputError(f"--weeks: {run}", remedy, run_seed)
        checked.append(run_seed)
    return checked


def load(runs: Sequence[Path], seed: int) -> dict[int, list[Level]]:
    """Return the levels of finished runs by their seeds, see :func:`seeds`.

    Raises:
        InputError: see there, or if a run has no dataset.
    """
    by_seed = zip(seeds(runs, seed), runs, strict=True)
    return {
        number: [prepare(tables.read_level(run, name), name, visibility_of(run, name)) for name in LEARNED]
        for number, run in by_seed
    }


def evaluate(
    levels: Sequence[Level], weeks: LevelsBySeed, seed: int, progress: Callable[[str], None]
) -> list[Scored]:
    """Return a row for every model, level and other run.

    Args:
        levels: the levels to train on.
        weeks: the levels to test on.
        seed: seed of models, draws of rows and bootstrap.
        progress: called with one line when it is done.
    """
    trained = [(at, level) for at, level in enumerate(levels) if level.labels.any() and weeks]
    jobs = [
        (level, {number: week[at] for number, week in weeks.items()}, tuple(MODELS)[part::PARTS], seed)
        for at, level in trained
        for part in range(PARTS)
    ]
    scored = [result for results in parallel_map(_tested, jobs) for result in results]
    if scored:
        progress(f"every model tested on other runs: seed {', '.join(map(str, weeks))}")
    return scored


def _tested(level: Level, weeks: Mapping[int, Level], models: Sequence[str], seed: int) -> list[Scored]:
    """Return one row per model and other run; none for a model that could not be fitted."""
    fold = whole_run(level.groups, level.labels, level.known_ns)
    inputs = model_inputs(level, fold.train)
    features = np.vstack([_features(week, inputs) for week in weeks.values()])
    results = evaluate_fold(models, level, fold, inputs, seed, test=features)
    ends = np.cumsum([len(week.labels) for week in weeks.values()])
    return [
        _row(model, result, week, part, number, seed)
        for model, result in results.items()
        if result.tested.train_rows
        for (number, week), part in zip(weeks.items(), np.split(result.tested.score, ends[:-1]), strict=True)
    ]


def _features(week: Level, inputs: ModelInputs) -> Floats:
    """Return the input columns of another run, with forecasts of the site that was learned from the training run."""
    return np.column_stack([week.features, columns_of(inputs.site, week.sensor_values, len(week.labels))])


def _row(model: str, result: FoldResult, week: Level, score: Floats, number: int, seed: int) -> Scored:
    """Return a model's row on another run, given the score of each row of that run."""
    alarms, tested = score >= result.threshold, np.ones(len(score), np.bool_)
    name, cases = next(iter(week.cases.items()))
    evaluated = evaluation_set(cases, week.labels, week.episodes)
    metrics: FoldMetrics = {
        "early": {name: {"threshold": measure(evaluated, alarms)}},
        "seed": number,
        "folds": 1,
        "train_rows": result.tested.train_rows,
        "thresholds": [result.threshold],
        "fit_s": result.tested.fit_s,
    }
    return scored_row(week, OTHER_RUNS, model, score, alarms, tested, seed, metrics)
