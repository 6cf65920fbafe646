"""Every model on every split of every level: the rows of ``models/metrics.json``.

What is learned (imputation, scaling, model, threshold) is learned on the training side of a fold; the rows
of all test sides together are scored once. Identity columns are out, except in the splits named
``…+identity``, which one tree plays to show what they would leak.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from threadpoolctl import ThreadpoolController

from coldaisle_analysis.early import Judged, judged, of_trials
from coldaisle_analysis.levels import Level
from coldaisle_analysis.models import BARS, MODELS, POLICED, WITH_IDENTITY, WITHOUT_KIND, Matrix
from coldaisle_analysis.models.tuning import Params, tune
from coldaisle_analysis.scoring import count, intervals, recall_per_kind
from coldaisle_analysis.splits import Fold, grouped, shuffled, unseen_kinds
from coldaisle_analysis.trial import Sight, Trial, attempt, sight, with_identity

Mask = npt.NDArray[np.bool_]

CURVE_POINTS = 200
JOBS = 2


@dataclass(frozen=True)
class Scored:
    """A model's row in the metrics, and what its figures need.

    Attributes:
        row: the row of ``metrics.json``.
        recall: of the PR curve, from 1 down.
        precision: of the PR curve.
    """

    row: dict[str, Any]
    recall: Matrix
    precision: Matrix


@dataclass(frozen=True)
class _Split:
    """A way to divide a level, and what the models are given on each of its folds."""

    level: Level
    name: str
    folds: tuple[Sight, ...]
    judged: tuple[Judged, ...]


@dataclass(frozen=True)
class _Job:
    """One model on one split of one level."""

    split: _Split
    model: str


def evaluate(
    levels: list[Level], seed: int, progress: Callable[[str], None], *, tuned: bool = False
) -> list[Scored]:
    """Return a row for every level, split and model; none for a level without attacks.

    Args:
        levels: the levels of a dataset.
        seed: of shuffling, subsampling, models and bootstrap.
        progress: told each split that is done.
        tuned: choose the parameters of every model that is told on the training side of each honest fold, see :mod:`models.tuning`.
    """
    pool = ThreadpoolController()
    work = Parallel(n_jobs=JOBS, backend="threading", return_as="generator")
    wanted = [want for level in levels for want in _splits(level, seed)]
    splits = [split for some in work(delayed(_seen)(*want, pool) for want in wanted) for split in some]
    jobs = [_Job(split, model) for split in splits for model in _models(split)]
    done: list[Scored] = []
    scored = work(delayed(_score)(job, seed, pool, tuned=tuned) for job in jobs)
    for one, job, after in zip(scored, jobs, [*jobs, None][1:], strict=True):
        done.append(one)
        part = _part(job.split.level, job.split.name)
        if after is None or _part(after.split.level, after.split.name) != part:
            _tell(done, part, progress)
    return done


def _splits(level: Level, seed: int) -> Iterator[tuple[Level, str, tuple[Fold, ...]]]:
    """Yield how a level with attacks is divided: whole days, kinds never seen, and at random."""
    if not level.labels.any():
        return
    honest, kinds = tuple(grouped(level.groups, level.labels, level.known_ns)), level.kinds.to_numpy(object)
    yield level, level.held_out, honest
    yield level, "kind", tuple(unseen_kinds(honest, kinds, level.labels))
    yield level, "random", tuple(shuffled(level.labels, seed))


def _seen(level: Level, name: str, folds: tuple[Fold, ...], pool: ThreadpoolController) -> list[_Split]:
    """Return a split, what the models are given on it, and the same split with identity columns."""
    with pool.limit(limits=1):
        sights = tuple(sight(level, fold) for fold in folds)
    benches = judged(level, folds) if name != "random" else ()
    leaking = tuple(with_identity(seen, level) for seen in sights) if name != "kind" else ()
    return [_Split(level, name, sights, benches), _Split(level, f"{name}+identity", leaking, benches)]


def _models(split: _Split) -> list[str]:
    """Return the models that play a split: all on the honest one, those that are told on random folds."""
    if not split.folds:
        return []
    if split.name.endswith("+identity"):
        return [WITH_IDENTITY]
    if split.name == "kind":
        return [*BARS, WITHOUT_KIND]
    return [name for name, model in MODELS.items() if model.told or split.name == split.level.held_out]


def _part(level: Level, split: str) -> tuple[str, str]:
    """Return level and split without the identity remark: what progress tells together."""
    return level.name, split.removesuffix("+identity")


def _tell(done: list[Scored], part: tuple[str, str], progress: Callable[[str], None]) -> None:
    """Say how the split just finished went."""
    rows = [one.row for one in done if (one.row["level"], one.row["split"]) == part]
    best = max(rows, key=lambda row: float(row["f1"]))
    count = f"{len(rows)} models" if len(rows) > 1 else "1 model"
    progress(f"{part[0]}, {part[1]} split: {count} scored, best {best['model']} with F1 {best['f1']:.3f}")


def _score(job: _Job, seed: int, pool: ThreadpoolController, *, tuned: bool) -> Scored:
    """Return what one model scores on one split."""
    split, level = job.split, job.split.level
    chosen: list[Params] = [{} for _ in split.folds]
    with pool.limit(limits=1):
        if tuned and split.name == level.held_out:
            chosen = [_tuned(job.model, level, seen, seed) for seen in split.folds]
        trials = [
            attempt(job.model, seen, level.labels, seed, params)
            for seen, params in zip(split.folds, chosen, strict=True)
        ]
    tested = np.zeros(len(level.labels), np.bool_)
    alarms, score = np.zeros_like(tested), np.zeros(len(tested))
    for seen, trial in zip(split.folds, trials, strict=True):
        rows = seen.fold.test
        score[rows], alarms[rows], tested[rows] = trial.score, trial.score >= trial.threshold, True
    told = {
        **_early(split, trials, job.model),
        "fit_s": float(np.mean([trial.fit_s for trial in trials])),
        "predict_s": float(np.mean([trial.predict_s for trial in trials])),
        "folds": len(trials),
        "train_rows": int(np.mean([trial.train_rows for trial in trials])),
        "thresholds": [trial.threshold for trial in trials],
        **({"params": [repr(params) for params in chosen]} if tuned else {}),
    }
    return scored_row(level, split.name, job.model, score, alarms, tested, seed, told)


def scored_row(
    level: Level,
    split: str,
    model: str,
    score: Matrix,
    alarms: Mask,
    tested: Mask,
    seed: int,
    told: Mapping[str, Any],
) -> Scored:
    """Return a model's row on a split.

    Args:
        level: the level.
        split: name of the split.
        model: name of the model.
        score: of every row of the level; those not tested are not looked at.
        alarms: which rows alarm.
        tested: which rows were tested.
        seed: of the bootstrap.
        told: what else the row tells.
    """
    labels = level.labels[tested]
    precision, recall, _ = precision_recall_curve(labels, score[tested])
    shown = np.unique(np.searchsorted(-recall, -np.linspace(0, 1, CURVE_POINTS)))
    row = {
        "model": model, "level": level.name, "split": split,
        **_confusion(level, alarms, tested, seed),
        "average_precision": float(average_precision_score(labels, score[tested])),
        **_against_benign(level, alarms & tested, score, tested),
        **told,
    }  # fmt: skip
    return Scored(row, recall[shown], precision[shown])


def _tuned(name: str, level: Level, seen: Sight, seed: int) -> Params:
    """Return the parameters of a model, chosen on a fold's training side; none where the defaults are kept."""
    everything = np.arange(len(level.labels))
    return tune(
        MODELS[name], seen.of(everything), seen.names, level.labels, level.together, seen.fold.train, seed
    )


def _confusion(level: Level, alarms: Mask, tested: Mask, seed: int) -> dict[str, Any]:
    """Return what the alarms of a level come to, row by row, over the rows that were tested."""
    labels, alarms = level.labels[tested], alarms[tested]
    counts = count(labels, alarms)
    return {
        "precision": float(counts.precision), "recall": float(counts.recall), "f1": float(counts.f1),
        "intervals": intervals(labels, alarms, level.episodes[tested], level.groups[tested], seed),
        "recall_per_kind": recall_per_kind(labels, alarms, level.kinds[tested]),
        "false_alarms_per_day": float(counts.fp) / (level.days * float(tested.mean())),
        "true_positives": int(counts.tp), "false_positives": int(counts.fp), "false_negatives": int(counts.fn),
        "rows": len(labels), "attack_rows": int(labels.sum()),
    }  # fmt: skip


def _against_benign(level: Level, alarms: Mask, score: Matrix, tested: Mask) -> dict[str, float]:
    """Return how attacks are told from benign anomalies: ROC AUC among the two, and the share of false alarms on the latter."""
    anomalous = tested & ((level.labels == 1) | level.benign)
    truth = level.labels[anomalous]
    both = np.unique(truth).size > 1
    false = alarms & (level.labels == 0)
    return {
        "auc_against_benign": float(roc_auc_score(truth, score[anomalous])) if both else np.nan,
        "false_alarms_on_benign": float((false & level.benign).sum() / max(false.sum(), 1)),
    }


def _early(split: _Split, trials: list[Trial], model: str) -> dict[str, Any]:
    """Return how early the alarms came: of the first kind of cases in the row itself, of all of them under ``early``."""
    folds = [seen.fold for seen in split.folds]
    policed = split.name == split.level.held_out and model in POLICED
    told = of_trials(split.level, split.judged, folds, trials, policies=policed)
    first = next(iter(told.values()), None)
    return {**(first["threshold"] if first else {}), "early": told}


def write_metrics(scored: list[Scored], path: Path) -> None:
    """Write ``metrics.json``: a list of rows; a value that does not exist is ``null``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [_without_nan(result.row) for result in scored]
    path.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _without_nan(value: Any) -> Any:
    """Return the value with NaN as None, as JSON has no other word for it."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
