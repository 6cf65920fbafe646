"""The rows of ``models/metrics.json``: their types, and what a model scores on a split of a level.

A value that does not exist is NaN in memory and ``null`` in the file. ``docs/schemas/metrics.json`` is printed from these types.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired

import numpy as np
from sklearn.metrics import roc_auc_score
from typing_extensions import TypedDict

from coldaisle_analysis.arrays import Floats, Labels, Mask
from coldaisle_analysis.earliness.chains import ChainEarliness
from coldaisle_analysis.earliness.per_kind import KindEarliness, Number
from coldaisle_analysis.evaluation.counts import Intervals, count, intervals, recall_per_kind
from coldaisle_analysis.evaluation.levels import Level

CURVE_POINTS = 200
Budget = Literal["1 a day", "1 a week"]
"""Names of the budgets of false alarms."""


class AlarmMetrics(TypedDict):
    """The alarms of one decision rule, counted in cases and incidents, see :func:`~coldaisle_analysis.evaluation.alarms.measure`.

    Attributes:
        erde_5: ERDE with a deadline of 5 items.
        erde_50: ERDE with a deadline of 50 items.
        erde_5_bounds: ERDE_5 of a perfect detector and of one that never alarms.
        erde_50_bounds: the same for ERDE_50.
        f_latency: F_latency at the rate that follows from these cases.
        latency_weighted_f1: F_latency at the rate of eRisk.
        seconds_to_detect: median time from onset to alarm, in s.
        seconds_to_detect_p90: 90th percentile of that time, in s.
        cases: positive cases and clean windows.
        positive_cases: cases of an attack.
        caught_cases: positive cases with an alarm.
        incidents_per_day: false alarms per day; false alarms of a stream that follow each other closely are one incident.
    """

    erde_5: Number
    erde_50: Number
    erde_5_bounds: list[Number]
    erde_50_bounds: list[Number]
    f_latency: Number
    latency_weighted_f1: Number
    seconds_to_detect: Number
    seconds_to_detect_p90: Number
    cases: int
    positive_cases: int
    caught_cases: int
    incidents_per_day: float


class AlarmRows(TypedDict):
    """The alarms of one decision rule, counted in rows and episodes.

    Attributes:
        precision: share of the alarming rows that are attacks.
        recall: share of the attack rows that alarm.
        episodes_caught: episodes with an alarming row.
        episodes: episodes with an attack row.
        chains: by name of a chain of attacks: at which step, and after what time, an alarm came; absent in a run without a chain. A model
            may have learned from other steps of the chain, on other days.
    """

    precision: float
    recall: float
    episodes_caught: int
    episodes: int
    chains: NotRequired[dict[str, ChainEarliness]]


class BudgetMetrics(AlarmMetrics, AlarmRows):
    """A decision rule that was set for a budget of false alarms."""


class DelayCurves(TypedDict, total=False):
    """Recall against delay; the rows of other runs and most policies have no curves.

    Attributes:
        recall_by_items: recall against the delay counted in items from the onset, as points ``[delay, recall]``.
        recall_by_seconds: recall against the delay in s from the onset, as points ``[delay, recall]``.
    """

    recall_by_items: list[list[float]]
    recall_by_seconds: list[list[float]]


class PolicyMetrics(BudgetMetrics, DelayCurves):
    """An alarm policy that was chosen on training rows; the policy ``best`` has curves, too.

    Attributes:
        chosen: the policy of each fold, see :func:`~coldaisle_analysis.earliness.policies.policy.as_json`.
        on_training: the mean ERDE_5 of these policies on the training rows they were chosen on.
    """

    chosen: list[dict[str, str | float]]
    on_training: Number


_Budgets = TypedDict("_Budgets", {"1 a day": BudgetMetrics, "1 a week": BudgetMetrics}, total=False)


class CaseMetrics(_Budgets, DelayCurves):
    """A model's alarms on one kind of case.

    Attributes:
        1 a day: a threshold that was set on training rows for one false alarm per day.
        1 a week: likewise for one false alarm per week.
        threshold: the threshold with the best F1 on training rows; it alone is there in the rows of other runs.
        per_kind: earliness of that threshold by kind of attack.
        policies: by name of a policy family, ``best`` for the best of them, and by budget: the policies chosen on training rows.
    """

    threshold: AlarmMetrics
    per_kind: NotRequired[dict[str, KindEarliness]]
    policies: NotRequired[dict[str, PolicyMetrics]]


class RowCounts(TypedDict):
    """The alarms of a model, counted in rows that were tested.

    Attributes:
        precision: share of the alarming rows that are attacks.
        recall: share of the attack rows that alarm.
        f1: the harmonic mean of both.
        intervals: how sure these three are.
        recall_per_kind: recall on the attack rows of each kind.
        false_alarms_per_day: alarming rows that are no attack, per day.
        true_positives: attack rows that alarm.
        false_positives: rows that alarm and are no attack.
        false_negatives: attack rows that do not alarm.
        rows: rows that were tested.
        attack_rows: attack rows among them.
    """

    precision: float
    recall: float
    f1: float
    intervals: Intervals
    recall_per_kind: dict[str, float]
    false_alarms_per_day: float
    true_positives: int
    false_positives: int
    false_negatives: int
    rows: int
    attack_rows: int


class BenignMetrics(TypedDict):
    """Attacks against benign anomalies.

    Attributes:
        auc_against_benign: ROC AUC of the score among the two.
        false_alarms_on_benign: share of the false alarms that are benign anomalies.
    """

    auc_against_benign: Number
    false_alarms_on_benign: float


class FoldMetrics(TypedDict):
    """The values of a row that come from the folds.

    Attributes:
        early: by kind of case (``connection``, ``unit``, ``sensor``).
        fit_s: mean time to fit the model, in s.
        predict_s: mean time to score the test rows, in s; absent in rows of other runs.
        folds: folds of the split.
        train_rows: mean number of rows the model was fitted on.
        thresholds: the threshold of each fold.
        params: tuned parameters of each fold as text; absent where nothing was tuned.
        seed: seed of the other run that was tested on; absent in other splits.
    """

    early: dict[str, CaseMetrics]
    fit_s: float
    predict_s: NotRequired[float]
    folds: int
    train_rows: int
    thresholds: list[float]
    params: NotRequired[list[str]]
    seed: NotRequired[int]


class VisibleMetrics(TypedDict, total=False):
    """What could be found, where the run was compared with twins; absent in other rows.

    Attributes:
        visible_rows: attack rows among those tested that left a trace.
        visible_per_kind: share of the attack rows of each kind that left a trace, the ceiling of its recall.
        recall_visible: recall on the attack rows that left a trace.
        f1_visible: F1 where the attack rows that left none are not counted.
    """

    visible_rows: int
    visible_per_kind: dict[str, float]
    recall_visible: float
    f1_visible: float


class MetricsRow(RowCounts, BenignMetrics, FoldMetrics, VisibleMetrics):
    """A row of ``metrics.json``: one model on one split of one level.

    Attributes:
        model: name of the model.
        level: ``packets`` or ``readings``.
        split: name of the split.
        average_precision: area under the PR curve.
    """

    model: str
    level: str
    split: str
    average_precision: float


class CaseRow(MetricsRow, AlarmMetrics):
    """A row of ``metrics.json`` of a model that was tested on cases: it repeats the metrics of the threshold on the first kind of case."""


@dataclass(frozen=True)
class Scored:
    """A model's row in the metrics, and its precision-recall curve.

    Attributes:
        row: the row of ``metrics.json``.
        recall: recall at the points of the curve, from 1 down.
        precision: precision at these points.
    """

    row: MetricsRow
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
    folds: FoldMetrics,
    first: AlarmMetrics | None = None,
) -> Scored:
    """Return a model's row on a split, and its precision-recall curve.

    Args:
        level: the level.
        split: name of the split.
        model: name of the model.
        score: score of every row of the level; only those of tested rows are read.
        alarms: which rows alarm.
        tested: which rows were tested.
        seed: seed of the bootstrap.
        folds: the values that come from the folds.
        first: the metrics of the first kind of case, where one was tested.
    """
    labels = level.labels[tested]
    precision, recall = precision_and_recall(labels, score[tested])
    points = np.unique(np.searchsorted(-recall, -np.linspace(0, 1, CURVE_POINTS)))
    row: MetricsRow = {
        "model": model, "level": level.name, "split": split,
        **_confusion(level, alarms, tested, seed),
        "average_precision": float(-np.diff(recall) @ precision[:-1]),  # as scikit-learn's function, without the curve once more
        **_against_benign(level, alarms & tested, score, tested),
        **folds,
        **_visible(level, alarms, tested),
    }  # fmt: skip
    case_row: MetricsRow = CaseRow(**row, **first) if first else row
    return Scored(case_row, recall[points], precision[points])


def precision_and_recall(labels: Labels, score: Floats) -> tuple[Floats, Floats]:
    """Return precision and recall at every threshold, from the lowest up, as scikit-learn's ``precision_recall_curve``.

    Values are sorted, which takes NumPy much less time than to put rows in order. Without an attack recall is 1.
    """
    ranked, hits = np.sort(score), np.sort(score[labels == 1])
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    caught = len(hits) - np.searchsorted(hits, ranked[first], side="left")
    recall = caught / len(hits) if len(hits) else np.ones(len(first))
    return np.append(caught / (len(ranked) - first), 1.0), np.append(recall, 0.0)


def _confusion(level: Level, alarms: Mask, tested: Mask, seed: int) -> RowCounts:
    """Return the counts and scores of the alarms over the tested rows."""
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


def _against_benign(level: Level, alarms: Mask, score: Floats, tested: Mask) -> BenignMetrics:
    """Return how well the score separates attacks from benign anomalies, and the share of false alarms on the latter."""
    anomalous = tested & ((level.labels == 1) | level.benign)
    truth = level.labels[anomalous]
    both = np.unique(truth).size > 1
    false = alarms & (level.labels == 0)
    return {
        "auc_against_benign": float(roc_auc_score(truth, score[anomalous])) if both else np.nan,
        "false_alarms_on_benign": float((false & level.benign).sum() / max(false.sum(), 1)),
    }


def _visible(level: Level, alarms: Mask, tested: Mask) -> VisibleMetrics:
    """Return what could be found, and the scores of the alarms without the attack rows that left no trace."""
    if level.visible is None:
        return {}
    attack = tested & (level.labels == 1)
    counted = tested & (level.visible | (level.labels != 1))
    counts = count(level.labels[counted], alarms[counted])
    return {
        "visible_rows": int((attack & level.visible).sum()),
        "visible_per_kind": recall_per_kind(level.labels[tested], level.visible[tested], level.kinds[tested]),
        "recall_visible": float(counts.recall),
        "f1_visible": float(counts.f1),
    }


def write(scored: list[Scored], path: Path) -> None:
    """Write ``metrics.json``: a list of rows; a value that does not exist is ``null``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [without_nan(result.row) for result in scored]
    path.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def without_nan(value: object) -> object:
    """Return the value with ``None`` in place of NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
