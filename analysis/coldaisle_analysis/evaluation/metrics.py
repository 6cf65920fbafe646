"""The rows of ``models/metrics.json``: what a model scores on a split of a level."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_auc_score

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.evaluation.counts import count, intervals, recall_per_kind
from coldaisle_analysis.evaluation.levels import Level

CURVE_POINTS = 200


@dataclass(frozen=True)
class Scored:
    """A model's row in the metrics, and what its figures need.

    Attributes:
        row: the row of ``metrics.json``.
        recall: of the PR curve, from 1 down.
        precision: of the PR curve.
    """

    row: dict[str, Any]
    recall: Floats
    precision: Floats


def scored_row(
    level: Level,
    split: str,
    model: str,
    score: Floats,
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
        "average_precision": float(-np.diff(recall) @ precision[:-1]),  # as scikit-learn's function, without the curve once more
        **_against_benign(level, alarms & tested, score, tested),
        **told,
    }  # fmt: skip
    return Scored(row, recall[shown], precision[shown])


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


def _against_benign(level: Level, alarms: Mask, score: Floats, tested: Mask) -> dict[str, float]:
    """Return how attacks are told from benign anomalies: ROC AUC among the two, and the share of false alarms on the latter."""
    anomalous = tested & ((level.labels == 1) | level.benign)
    truth = level.labels[anomalous]
    both = np.unique(truth).size > 1
    false = alarms & (level.labels == 0)
    return {
        "auc_against_benign": float(roc_auc_score(truth, score[anomalous])) if both else np.nan,
        "false_alarms_on_benign": float((false & level.benign).sum() / max(false.sum(), 1)),
    }


def write(scored: list[Scored], path: Path) -> None:
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
