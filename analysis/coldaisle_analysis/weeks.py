"""Other weeks: models trained on the whole of one run and tried on others, each with a seed of its own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController

from coldaisle_analysis import dataset
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.early import measure
from coldaisle_analysis.evaluate import JOBS, Scored, scored_row
from coldaisle_analysis.forecasting import columns_of
from coldaisle_analysis.levels import Level, prepare
from coldaisle_analysis.models import MODELS, scores
from coldaisle_analysis.policies import bench
from coldaisle_analysis.splits import Fold, inner
from coldaisle_analysis.trial import Sight, fit, held_out, limit, sight
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

SPLIT = "week"
Weeks = Mapping[int, Sequence[Level]]
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
    return {own: [prepare(dataset.read_level(run, name), name) for name in LEARNED] for own, run in found}


def evaluate(
    levels: Sequence[Level], weeks: Weeks, seed: int, progress: Callable[[str], None]
) -> list[Scored]:
    """Return a row for every model, level and other week.

    Args:
        levels: what is learned from, whole.
        weeks: what is tested on.
        seed: of models, draws of rows and bootstrap.
        progress: told a line a level.
    """
    pool, found = ThreadpoolController(), list[Scored]()
    for at, level in enumerate(levels):
        if not level.labels.any() or not weeks:
            continue
        rows = np.arange(len(level.labels))
        seen = sight(level, Fold(rows, inner(level.groups, level.labels, level.known_ns, rows), rows[:0]))
        others = {number: _sight_of(week[at], seen) for number, week in weeks.items()}
        work = Parallel(n_jobs=JOBS, backend="threading")
        done = work(delayed(_tried)(model, level, seen, others, weeks, at, seed, pool) for model in MODELS)
        found += [one for some in done for one in some]
        progress(f"{level.name}: every model tried on {len(weeks)} other weeks")
    return found


def _sight_of(level: Level, seen: Sight) -> Sight:
    """Return what models trained on one run are given of another: forecasts of the site as it was learned there."""
    forecasts = columns_of(seen.site, level.series, len(level.labels))
    rows = np.arange(len(level.labels))
    return Sight(Fold(rows[:0], (), rows), seen.names, (level.features, forecasts), seen.site)


def _tried(
    model: str,
    level: Level,
    seen: Sight,
    others: Mapping[int, Sight],
    weeks: Weeks,
    at: int,
    seed: int,
    pool: ThreadpoolController,
) -> list[Scored]:
    """Return a model's rows, one a week; none where it cannot learn."""
    with pool.limit(limits=1):
        fitted = fit(model, seen, seen.fold.train, level.labels, seed)
        held, known = held_out(model, seen, level.labels, seed)
        if fitted is None or known is None:
            return []
        threshold = limit(model, level.labels[held], known)
        found = []
        for number, other in others.items():
            week = weeks[number][at]
            score = scores(fitted.pipeline, other.of(other.fold.test))
            alarms, tested = score >= threshold, np.ones(len(score), np.bool_)
            name, cases = next(iter(week.cases.items()))
            early = {
                "early": {name: {"threshold": measure(bench(cases, week.labels, week.episodes), alarms)}}
            }
            facts = {"seed": number, "folds": 1, "train_rows": fitted.rows, "thresholds": [threshold]}
            found.append(scored_row(week, SPLIT, model, score, alarms, tested, seed, early | facts))
        return found
