"""Every model on every split of every level: the rows of ``models/metrics.json``.

What is learned (imputation, scaling, model, threshold) is learned on the training side of a fold; the rows
of all test sides together are scored once. Identity columns are out, except in the splits named
``…+identity``, which one tree plays to show what they would leak.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.metrics import average_precision_score, precision_recall_curve
from threadpoolctl import ThreadpoolController

from coldaisle_analysis.cases import Cases
from coldaisle_analysis.earliness import erde, erde_bounds, f_latency, seconds_to_detect
from coldaisle_analysis.levels import Level
from coldaisle_analysis.models import (
    EVEN_CHANCE,
    FEWEST,
    MODELS,
    WITH_IDENTITY,
    Matrix,
    scores,
    threshold,
    untold_threshold,
)
from coldaisle_analysis.scoring import count, intervals, recall_per_kind
from coldaisle_analysis.splits import Fold, Labels, grouped, shuffled, thin

CURVE_POINTS = 200
DEADLINES = (5, 50)
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
class _Job:
    """One model on one split of one level."""

    level: Level
    split: str
    model: str
    folds: tuple[Fold, ...]

    @property
    def columns(self) -> Matrix:
        """Return the columns the model is given."""
        if self.split.endswith("+identity"):
            return np.column_stack([self.level.features, self.level.identity])
        return self.level.features


@dataclass(frozen=True)
class _Fitted:
    """What one fold gave."""

    score: Matrix
    threshold: float
    fit_s: float
    predict_s: float
    train_rows: int


def evaluate(levels: list[Level], seed: int, progress: Callable[[str], None]) -> list[Scored]:
    """Return a row for every level, split and model; none for a level without attacks.

    Args:
        levels: the levels of a dataset.
        seed: of shuffling, subsampling, models and bootstrap.
        progress: told each split that is done.
    """
    jobs = [job for level in levels for job in _jobs(level, seed)]
    if not jobs:
        return []
    pool = ThreadpoolController()
    work = Parallel(n_jobs=JOBS, backend="threading", return_as="generator")
    done: list[Scored] = []
    for scored, after in zip(
        work(delayed(_score)(job, seed, pool) for job in jobs), [*jobs[1:], None], strict=True
    ):
        done.append(scored)
        if after is None or _part(scored.row["level"], scored.row["split"]) != _part(
            after.level.name, after.split
        ):
            _tell(done, progress)
    return done


def _part(level: str, split: str) -> tuple[str, str]:
    """Return level and split without the identity remark: what progress tells together."""
    return level, split.removesuffix("+identity")


def _tell(done: list[Scored], progress: Callable[[str], None]) -> None:
    """Say how the split just finished went."""
    part = _part(done[-1].row["level"], done[-1].row["split"])
    rows = [one.row for one in done if _part(one.row["level"], one.row["split"]) == part]
    best = max((row for row in rows if "+" not in row["split"]), key=lambda row: float(row["f1"]))
    progress(
        f"{part[0]}, {part[1]} split: {len(rows)} models scored, best {best['model']} with F1 {best['f1']:.3f}"
    )


def _jobs(level: Level, seed: int) -> Iterator[_Job]:
    """Yield the models and splits of a level: all models with features, one tree with identity too."""
    if not level.labels.any():
        return
    splits = {
        level.held_out: tuple(grouped(level.groups, level.labels, seed)),
        "random": tuple(shuffled(level.labels, seed)),
    }
    for split, folds in splits.items():
        if folds:
            told = (name for name, model in MODELS.items() if model.told or split == level.held_out)
            yield from (_Job(level, split, model, folds) for model in told)
            yield _Job(level, f"{split}+identity", WITH_IDENTITY, folds)


def _score(job: _Job, seed: int, pool: ThreadpoolController) -> Scored:
    """Return what one model scores on one split."""
    level, columns = job.level, job.columns
    with pool.limit(limits=1):
        fitted = [_fit(job.model, columns, level.names, level.labels, fold, seed) for fold in job.folds]
    alarms, score = np.zeros(len(level.labels), dtype=bool), np.zeros(len(level.labels))
    for fold, part in zip(job.folds, fitted, strict=True):
        score[fold.test], alarms[fold.test] = part.score, part.score >= part.threshold
    precision, recall, _ = precision_recall_curve(level.labels, score)
    shown = np.unique(np.searchsorted(-recall, -np.linspace(0, 1, CURVE_POINTS)))
    row = {
        "model": job.model, "level": level.name, "split": job.split,
        **_confusion(level, alarms, seed),
        "average_precision": float(average_precision_score(level.labels, score)),
        **_earliness(level.cases, alarms),
        "fit_s": float(np.mean([part.fit_s for part in fitted])),
        "predict_s": float(np.mean([part.predict_s for part in fitted])),
        "folds": len(fitted),
        "train_rows": int(np.mean([part.train_rows for part in fitted])),
        "thresholds": [part.threshold for part in fitted],
    }  # fmt: skip
    return Scored(row, recall[shown], precision[shown])


def _fit(name: str, columns: Matrix, names: Sequence[str], labels: Labels, fold: Fold, seed: int) -> _Fitted:
    """Fit on a fold's training side, set the threshold there, score its test side.

    A training side with too few rows of a class teaches nothing: no row of the test side alarms. A model that is not
    told which rows are attacks sees no label, and its threshold neither.
    """
    model = MODELS[name]
    truth = labels if model.told else np.zeros_like(labels)
    rows = thin(fold.fit, truth, model.most_rows, seed)
    if model.told and np.bincount(labels[rows], minlength=2).min() < FEWEST:
        return _Fitted(np.zeros(len(fold.test)), EVEN_CHANCE, 0.0, 0.0, 0)
    pipeline, start = model.build(seed, names), time.perf_counter()
    pipeline.fit(columns[rows], truth[rows])
    fitted = time.perf_counter()
    seen = scores(pipeline, columns[fold.calibrate])
    limit = threshold(labels[fold.calibrate], seen) if model.told else untold_threshold(seen)
    calibrated = time.perf_counter()
    score = scores(pipeline, columns[fold.test])
    return _Fitted(score, limit, fitted - start, time.perf_counter() - calibrated, len(rows))


def _confusion(level: Level, alarms: npt.NDArray[np.bool_], seed: int) -> dict[str, Any]:
    """Return what the alarms of a level come to, row by row."""
    counts = count(level.labels, alarms)
    return {
        "precision": float(counts.precision), "recall": float(counts.recall), "f1": float(counts.f1),
        "intervals": intervals(level.labels, alarms, level.episodes, level.groups, seed),
        "recall_per_kind": recall_per_kind(level.labels, alarms, level.kinds),
        "false_alarms_per_day": float(counts.fp) / level.days,
        "true_positives": int(counts.tp), "false_positives": int(counts.fp), "false_negatives": int(counts.fn),
        "rows": len(level.labels), "attack_rows": int(level.labels.sum()),
    }  # fmt: skip


def _earliness(cases: Cases, alarms: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return how early the alarms came."""
    outcomes = cases.outcomes(alarms)
    median, late = seconds_to_detect(outcomes)
    scored = {f"erde_{deadline}": erde(outcomes, deadline) for deadline in DEADLINES}
    bounds = {
        f"erde_{deadline}_bounds": list(erde_bounds(outcomes.share, deadline)) for deadline in DEADLINES
    }
    return {
        **scored, **bounds, "f_latency": f_latency(outcomes),
        "seconds_to_detect": median, "seconds_to_detect_p90": late,
        "cases": len(outcomes.attacked), "positive_cases": int(outcomes.attacked.sum()),
        "caught_cases": int(outcomes.caught.sum()),
    }  # fmt: skip


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
