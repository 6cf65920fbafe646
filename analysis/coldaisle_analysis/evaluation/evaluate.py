"""Evaluation of every model on every split of every level: the rows of ``models/metrics.json``.

Imputation, scaling, model and threshold are fitted on the training side of a fold; the rows of all test sides together
are scored once. Models get no identity columns, except in the splits named ``…+identity``, where one decision tree shows what
these columns would leak.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coldaisle_analysis.evaluation.alarms import of_results
from coldaisle_analysis.evaluation.case_sets import CaseSets, case_sets
from coldaisle_analysis.evaluation.folds import FoldResult, Params, Scores, fold_result, key
from coldaisle_analysis.evaluation.jobs import IDENTITY, jobs_of, run, tuned_params, without_unused
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import FoldMetrics, Scored, scored_row
from coldaisle_analysis.evaluation.splits import Fold, grouped, shuffled, unseen_kinds
from coldaisle_analysis.models import BASELINES, MODELS, WITH_IDENTITY, WITHOUT_KIND, with_policies
from coldaisle_analysis.workers import parallel_map

Progress = Callable[[str], None]
"""Is called with one line per step."""


class Evaluated(NamedTuple):
    """What an evaluation found.

    Attributes:
        scored: a row for every level, split and model.
        held_out: by name of the level: the predictions of all models by whole days, by key of the fit.
    """

    scored: list[Scored]
    held_out: dict[str, dict[bytes, Scores]]


@dataclass(frozen=True)
class _Split:
    """A division of a level into folds.

    Attributes:
        level: the level.
        name: name of the split.
        models: models that are evaluated on it.
        folds: its folds.
        leaks: whether one of the models is evaluated with the identity columns as well.
    """

    level: Level
    name: str
    models: tuple[str, ...]
    folds: tuple[Fold, ...]
    leaks: bool = True


def evaluate(levels: list[Level], seed: int, progress: Progress, *, tuned: bool = False) -> list[Scored]:
    """Return a row for every level, split and model; none for a level without attacks.

    Args:
        levels: the levels of a dataset.
        seed: seed of shuffling, subsampling, models and bootstrap.
        progress: called with one line per split that is done.
        tuned: whether to choose the parameters of every supervised model on the training side of each grouped fold, see :mod:`tuning`.
    """
    return begin(levels, seed, tuned=tuned)(progress).scored


def begin(levels: list[Level], seed: int, *, tuned: bool = False) -> Callable[[Progress], Evaluated]:
    """Begin an evaluation in other processes, and return the function that waits for it; see :func:`evaluate`."""
    splits = [split for level in levels for split in _splits(level, seed)]
    params = _params(splits, seed, tune=tuned)
    predicted = _predicted(splits, params, seed)

    def finish(progress: Progress) -> Evaluated:
        scored: dict[int, list[Scored]] = {}
        held_out: dict[str, dict[bytes, Scores]] = {}
        for at, scores in predicted:
            level, name = splits[at].level, splits[at].name
            scored[at] = list(_scored(splits[at], scores, params[at], seed))
            if name == level.held_out:
                held_out[level.name] = scores
            progress(f"{level.name}, {name} split: {_summary(scored[at])}")
        return Evaluated([result for at in sorted(scored) for result in scored[at]], held_out)

    return finish


def _summary(scored: Sequence[Scored]) -> str:
    """Return how many models were scored on a split and which was best, without models that got identity columns."""
    rows = [result.row for result in scored if not result.row["split"].endswith("+identity")]
    baselines = sum(row["model"] in BASELINES for row in rows)
    best = max(rows, key=lambda row: float(row["f1"]))
    models = f"{len(rows) - baselines} model{'s' if len(rows) - baselines != 1 else ''}"
    beside = f" and {baselines} baselines" if baselines else ""
    return f"{models}{beside} scored, best {best['model']} with F1 {best['f1']:.3f}"


def _splits(level: Level, seed: int) -> Iterator[_Split]:
    """Yield the splits of a level with attacks: by whole days, by kinds left out of training, and at random, where its rows allow each."""
    if not level.labels.any():
        return
    days, kinds = tuple(grouped(level.groups, level.labels, level.known_ns)), level.kinds.to_numpy(object)
    supervised = tuple(name for name, model in MODELS.items() if model.supervised)
    several = len(np.unique(kinds[level.labels == 1])) > 1
    unseen = [part for fold in days if several for part in unseen_kinds(fold, kinds, level.labels)]
    splits = (
        _Split(level, level.held_out, tuple(MODELS), days),
        _Split(level, "kind", (*BASELINES, WITHOUT_KIND), tuple(unseen), leaks=False),
        _Split(level, "random", supervised, tuple(shuffled(level.labels, seed))),
    )
    yield from (split for split in splits if split.folds)


def _params(splits: Sequence[_Split], seed: int, *, tune: bool) -> list[list[Params]]:
    """Return the parameters of the models for each fold of each split; with ``tune`` those of grouped folds are tuned on the training side."""

    def is_tuned(split: _Split) -> bool:
        return tune and split.name == split.level.held_out

    jobs = [
        (without_unused(split.level), split.models, fold.train, seed)
        for split in filter(is_tuned, splits)
        for fold in split.folds
    ]
    chosen = parallel_map(tuned_params, jobs)
    return [[next(chosen) if is_tuned(split) else {} for _ in split.folds] for split in splits]


def _predicted(
    splits: Sequence[_Split], params: Sequence[Sequence[Params]], seed: int
) -> Iterator[tuple[int, dict[bytes, Scores]]]:
    """Begin the jobs of the splits, the longest first; yield the position of a split and its models' predictions once all are there."""
    jobs = [
        (at, job)
        for at, (split, chosen) in enumerate(zip(splits, params, strict=True))
        for job in jobs_of(split.level, split.models, split.folds, chosen, leaks=split.leaks)
    ]
    jobs.sort(key=lambda entry: -entry[1].cost)
    results = parallel_map(run, [(job, seed) for _, job in jobs])
    return _by_split([at for at, _ in jobs], results, len(splits))


def _by_split(
    places: Sequence[int], results: Iterator[dict[bytes, Scores]], splits: int
) -> Iterator[tuple[int, dict[bytes, Scores]]]:
    """Yield the position of a split and its results, as soon as all are there, given the position of each result's split."""
    left = [places.count(at) for at in range(splits)]
    scores: list[dict[bytes, Scores]] = [{} for _ in range(splits)]
    for at, predicted in zip(places, results, strict=True):
        scores[at] |= predicted
        left[at] -= 1
        if not left[at]:
            yield at, scores[at]


def _scored(
    split: _Split, scores: Mapping[bytes, Scores], params: Sequence[Params], seed: int
) -> Iterator[Scored]:
    """Yield the result of each model on a split, then that of the model with identity columns."""
    sets = case_sets(split.level, split.folds) if split.name != "random" else ()
    keys = [
        [key(side, chosen) for side in fold.sides] for fold, chosen in zip(split.folds, params, strict=True)
    ]

    def results(model: str, ending: str = "") -> Iterator[FoldResult]:
        for fold, side_keys in zip(split.folds, keys, strict=True):
            tested, *inner = (
                scores[side_key].of(model + ending, side.scored)
                for side_key, side in zip(side_keys, fold.sides, strict=True)
            )
            yield fold_result(model, fold, split.level.labels, tested, inner)

    for model in split.models:
        chosen = [by_model.get(model, {}) for by_model in params]
        yield _score(split, split.name, model, list(results(model)), chosen, sets, seed)
    if split.leaks:
        leaking = list(results(WITH_IDENTITY, IDENTITY))
        yield _score(split, f"{split.name}{IDENTITY}", WITH_IDENTITY, leaking, [], sets, seed)


def _score(
    split: _Split,
    name: str,
    model: str,
    results: Sequence[FoldResult],
    params: Sequence[Mapping[str, Any]],
    sets: tuple[CaseSets, ...],
    seed: int,
) -> Scored:
    """Return one model's row on one split, given its result on each fold."""
    level, folds = split.level, split.folds
    tested = np.zeros(len(level.labels), np.bool_)
    alarms, score = np.zeros_like(tested), np.zeros(len(tested))
    for fold, result in zip(folds, results, strict=True):
        rows, scores = fold.test, result.tested.score
        score[rows], alarms[rows], tested[rows] = scores, scores >= result.threshold, True
    policies = name == level.held_out and model in with_policies()
    early = of_results(level, sets, folds, results, policies=policies)
    first_case = next(iter(early.values()))["threshold"] if early else None
    metrics: FoldMetrics = {
        "early": early,
        "fit_s": float(np.mean([result.tested.fit_s for result in results])),
        "predict_s": float(np.mean([result.tested.predict_s for result in results])),
        "folds": len(results),
        "train_rows": int(np.mean([result.tested.train_rows for result in results])),
        "thresholds": [result.threshold for result in results],
    }
    if any(params):
        metrics["params"] = [repr(chosen) for chosen in params]
    return scored_row(level, name, model, score, alarms, tested, seed, metrics, first_case)
