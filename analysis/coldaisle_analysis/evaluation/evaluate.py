"""Every model on every split of every level: the rows of ``models/metrics.json``.

What is learned (imputation, scaling, model, threshold) is learned on the training side of a fold; the rows
of all test sides together are scored once. Identity columns are out, except in the splits named
``…+identity``, which one tree plays to show what they would leak.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coldaisle_analysis.evaluation.alarms import CaseSets, judged, of_trials
from coldaisle_analysis.evaluation.folds import FoldResult, Params, fold_result
from coldaisle_analysis.evaluation.jobs import IDENTITY, Scores, jobs_of, key, lean, run, tuned_params
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import FirstCase, FoldMetrics, Scored, scored_row
from coldaisle_analysis.evaluation.splits import Fold, grouped, shuffled, unseen_kinds
from coldaisle_analysis.models import BASELINES, MODELS, WITH_IDENTITY, WITH_POLICIES, WITHOUT_KIND
from coldaisle_analysis.workers import parallel_map


@dataclass(frozen=True)
class _Split:
    """A way to divide a level.

    Attributes:
        level: the level.
        name: of the split.
        models: that play it.
        folds: its folds.
        leaks: whether one of the models is given the identity columns as well.
    """

    level: Level
    name: str
    models: tuple[str, ...]
    folds: tuple[Fold, ...]
    leaks: bool = True


def evaluate(
    levels: list[Level], seed: int, progress: Callable[[str], None], *, tuned: bool = False
) -> list[Scored]:
    """Return a row for every level, split and model; none for a level without attacks.

    Args:
        levels: the levels of a dataset.
        seed: of shuffling, subsampling, models and bootstrap.
        progress: told each split that is played, and how it went.
        tuned: choose the parameters of every model that is told on the training side of each honest fold, see :mod:`tuning`.
    """
    splits = [split for level in levels for split in _splits(level, seed)]
    params = _params(splits, seed, tune=tuned)
    scored: dict[int, list[Scored]] = {}
    for at, scores in _played(splits, params, seed):
        scored[at] = list(_scored(splits[at], scores, params[at], seed))
        progress(f"{splits[at].level.name}, {splits[at].name} split: {_told(scored[at])}")
    return [one for at in sorted(scored) for one in scored[at]]


def _told(scored: Sequence[Scored]) -> str:
    """Return how many models were scored on a split and which was best, those aside that are given identity columns, too."""
    rows = [one.row for one in scored if not one.row["split"].endswith("+identity")]
    bars = sum(row["model"] in BASELINES for row in rows)
    best = max(rows, key=lambda row: float(row["f1"]))
    models = f"{len(rows) - bars} model{'s' if len(rows) - bars != 1 else ''}"
    baselines = f" and {bars} baselines" if bars else ""
    return f"{models}{baselines} scored, best {best['model']} with F1 {best['f1']:.3f}"


def _splits(level: Level, seed: int) -> Iterator[_Split]:
    """Yield how a level with attacks is divided: whole days, kinds never seen, and at random, where it has enough of each."""
    if not level.labels.any():
        return
    honest, kinds = tuple(grouped(level.groups, level.labels, level.known_ns)), level.kinds.to_numpy(object)
    told = tuple(name for name, model in MODELS.items() if model.supervised)
    several = len(np.unique(kinds[level.labels == 1])) > 1
    unseen = [one for fold in honest if several for one in unseen_kinds(fold, kinds, level.labels)]
    splits = (
        _Split(level, level.held_out, tuple(MODELS), honest),
        _Split(level, "kind", (*BASELINES, WITHOUT_KIND), tuple(unseen), leaks=False),
        _Split(level, "random", told, tuple(shuffled(level.labels, seed))),
    )
    yield from (split for split in splits if split.folds)


def _params(splits: Sequence[_Split], seed: int, *, tune: bool) -> list[list[Params]]:
    """Return for each fold of each split the parameters of its models; on honest folds tuned on the training side, if so asked."""
    honest = [tune and split.name == split.level.held_out for split in splits]
    found = parallel_map(
        tuned_params,
        [
            (lean(split.level), split.models, fold.train, seed)
            for split, own in zip(splits, honest, strict=True)
            if own
            for fold in split.folds
        ],
    )
    return [
        [next(found) if own else {} for _ in split.folds] for split, own in zip(splits, honest, strict=True)
    ]


def _played(
    splits: Sequence[_Split], params: Sequence[Sequence[Params]], seed: int
) -> Iterator[tuple[int, dict[bytes, Scores]]]:
    """Yield the place of a split and what its models predict, once all have; the longest work comes first."""
    jobs = [
        (at, job)
        for at, (split, own) in enumerate(zip(splits, params, strict=True))
        for job in jobs_of(split.level, split.models, split.folds, own, leaks=split.leaks)
    ]
    jobs.sort(key=lambda each: -each[1].cost)
    left = [sum(at == number for number, _ in jobs) for at in range(len(splits))]
    scores: list[dict[bytes, Scores]] = [{} for _ in splits]
    for (at, _), found in zip(jobs, parallel_map(run, [(job, seed) for _, job in jobs]), strict=True):
        scores[at] |= found
        left[at] -= 1
        if not left[at]:
            yield at, scores[at]


def _scored(
    split: _Split, scores: Mapping[bytes, Scores], params: Sequence[Params], seed: int
) -> Iterator[Scored]:
    """Yield what each model scores on a split, and the one that saw identity columns."""
    benches = judged(split.level, split.folds) if split.name != "random" else ()
    keys = [[key(side, own) for side in fold.sides] for fold, own in zip(split.folds, params, strict=True)]

    def trials(model: str, ending: str = "") -> Iterator[FoldResult]:
        for fold, own in zip(split.folds, keys, strict=True):
            tested, *inner = (
                scores[each].of(model + ending, side.scored)
                for each, side in zip(own, fold.sides, strict=True)
            )
            yield fold_result(model, fold, split.level.labels, tested, inner)

    for model in split.models:
        chosen = [own.get(model, {}) for own in params]
        yield _score(split, split.name, model, list(trials(model)), chosen, benches, seed)
    if split.leaks:
        leaking = list(trials(WITH_IDENTITY, IDENTITY))
        yield _score(split, f"{split.name}{IDENTITY}", WITH_IDENTITY, leaking, [], benches, seed)


def _score(
    split: _Split,
    name: str,
    model: str,
    trials: Sequence[FoldResult],
    params: Sequence[Mapping[str, Any]],
    benches: tuple[CaseSets, ...],
    seed: int,
) -> Scored:
    """Return what one model scores on one split, given what it did on each fold."""
    level, folds = split.level, split.folds
    tested = np.zeros(len(level.labels), np.bool_)
    alarms, score = np.zeros_like(tested), np.zeros(len(tested))
    for fold, trial in zip(folds, trials, strict=True):
        rows, said = fold.test, trial.tested.score
        score[rows], alarms[rows], tested[rows] = said, said >= trial.threshold, True
    policed = name == level.held_out and model in WITH_POLICIES
    early = of_trials(level, benches, folds, trials, policies=policed)
    early_first: FirstCase = {**next(iter(early.values()))["threshold"]} if early else {}
    metrics: FoldMetrics = {
        "early": early,
        "fit_s": float(np.mean([trial.tested.fit_s for trial in trials])),
        "predict_s": float(np.mean([trial.tested.predict_s for trial in trials])),
        "folds": len(trials),
        "train_rows": int(np.mean([trial.tested.train_rows for trial in trials])),
        "thresholds": [trial.threshold for trial in trials],
    }
    if any(params):
        metrics["params"] = [repr(chosen) for chosen in params]
    return scored_row(level, name, model, score, alarms, tested, seed, metrics, early_first)
