"""Metrics of a model's alarms by case: how early it detects with which policy, and how many false alarms it raises.

Thresholds and policies are chosen on rows of a fold's training side that the model was not fitted on, and measured on the test side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.earliness.chains import earliness_per_chain
from coldaisle_analysis.earliness.curves import recall_by_items, recall_by_seconds
from coldaisle_analysis.earliness.erde import (
    erde,
    erde_bounds,
    f_latency,
    latency_weighted_f1,
    seconds_to_detect,
)
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.per_kind import earliness_per_kind
from coldaisle_analysis.earliness.policies import (
    FAMILIES,
    ONE_A_DAY,
    ONE_A_WEEK,
    EvaluationSet,
    Policy,
    Threshold,
    Tuned,
    as_json,
    budget_threshold,
    simplest,
    tune_all,
)
from coldaisle_analysis.evaluation.case_sets import CaseSets
from coldaisle_analysis.evaluation.folds import FoldResult
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    AlarmRows,
    Budget,
    BudgetMetrics,
    CaseMetrics,
    DelayCurves,
    PolicyMetrics,
)
from coldaisle_analysis.evaluation.splits import Fold

BUDGETS: dict[Budget, float] = {"1 a day": ONE_A_DAY, "1 a week": ONE_A_WEEK}
"""Budgets of false alarms, in incidents per day."""
OBJECTIVE = "erde_5"
"""The score that policies are chosen for."""
BEST = "best"
"""The simplest good policy of all families."""


def measure(evaluated: EvaluationSet, alarms: Mask) -> AlarmMetrics:
    """Return the metrics of alarms in cases and incidents; ``alarms`` has one entry per row of the level."""
    outcomes = evaluated.cases.outcomes(alarms)
    median, late = seconds_to_detect(outcomes)
    return {
        "erde_5": erde(outcomes, 5),
        "erde_50": erde(outcomes, 50),
        "erde_5_bounds": list(erde_bounds(outcomes.share, 5)),
        "erde_50_bounds": list(erde_bounds(outcomes.share, 50)),
        "f_latency": f_latency(outcomes),
        "latency_weighted_f1": latency_weighted_f1(outcomes),
        "seconds_to_detect": median,
        "seconds_to_detect_p90": late,
        "cases": len(outcomes.attacked),
        "positive_cases": int(outcomes.attacked.sum()),
        "caught_cases": int(outcomes.caught.sum()),
        "incidents_per_day": evaluated.per_day(evaluated.incidents(alarms)),
    }


def of_results(
    level: Level,
    sets: Sequence[CaseSets],
    folds: Sequence[Fold],
    results: Sequence[FoldResult],
    *,
    policies: bool,
) -> dict[str, CaseMetrics]:
    """Return a model's metrics for each kind of case.

    Args:
        level: the level.
        sets: the evaluation sets of the split.
        folds: the folds of the split.
        results: the model's result on each fold.
        policies: whether to choose and measure alarm policies, too.

    Returns:
        By kind of case: ``threshold`` (best F1 on training rows) and a threshold for every budget; recall against delay, and earliness
        by kind of attack. With ``policies`` also those chosen for :data:`OBJECTIVE`, with no more false alarms on training rows than that
        threshold raised there, and within every budget.
    """
    rows = len(level.labels)
    scores = [_over_level(rows, fold, result) for fold, result in zip(folds, results, strict=True)]
    limits = [Threshold(result.threshold) for result in results]
    return {case.name: _CaseScorer(level, case, scores).metrics(limits, policies=policies) for case in sets}


def _over_level(rows: int, fold: Fold, result: FoldResult) -> tuple[Floats, Floats]:
    """Return the scores of the rows held out of the training side, and of the test side, each over all rows of the level."""
    held_out, tested = np.zeros(rows), np.zeros(rows)
    held_out[result.held_out], tested[fold.test] = result.held_out_scores, result.tested.score
    return held_out, tested


@dataclass(frozen=True)
class _CaseScorer:
    """Applies policies to a model's scores.

    Attributes:
        level: the level.
        sets: its evaluation sets for one kind of case.
        scores: for each fold the scores of the held-out rows and of the test rows, each over all rows of the level.
    """

    level: Level
    sets: CaseSets
    scores: Sequence[tuple[Floats, Floats]]

    def metrics(self, limits: Sequence[Threshold], *, policies: bool) -> CaseMetrics:
        """Return the model's metrics, see :func:`of_results`."""
        plain, whole = self._alarms(limits), self.sets.whole
        outcomes = whole.cases.outcomes(plain)
        curves = curves_of(outcomes)
        metrics: CaseMetrics = {
            "threshold": measure(whole, plain),
            "1 a day": self._within(ONE_A_DAY),
            "1 a week": self._within(ONE_A_WEEK),
            "per_kind": earliness_per_kind(outcomes, whole.cases.kinds),
            "recall_by_items": curves["recall_by_items"],
            "recall_by_seconds": curves["recall_by_seconds"],
        }
        if policies:
            metrics["policies"] = self._policies(limits)
        return metrics

    def _within(self, per_day: float) -> BudgetMetrics:
        """Return the metrics of thresholds that keep a budget of false alarms per day on each fold's training rows."""
        limits = [
            Threshold(budget_threshold(scores, train, per_day))
            for (scores, _), train in zip(self.scores, self.sets.train, strict=True)
        ]
        return self._budgeted(self._alarms(limits))

    def _budgeted(self, alarms: Mask) -> BudgetMetrics:
        return {**measure(self.sets.whole, alarms), **rows_of(self.level, self.sets.whole, alarms)}

    def _alarms(self, chosen: Sequence[Policy]) -> Mask:
        """Return which rows alarm, given one policy per fold."""
        alarms = np.zeros(len(self.level.labels), np.bool_)
        for (_, tested), test, policy in zip(self.scores, self.sets.test, chosen, strict=True):
            alarms |= test.alarms(policy, tested)
        return alarms

    def _policies(self, limits: Sequence[Policy]) -> dict[str, PolicyMetrics]:
        """Return the metrics of each policy family, of the simplest good one of each fold (``best``), and of the latter within each budget."""
        chosen = [
            choose(scores, train, limit)
            for (scores, _), train, limit in zip(self.scores, self.sets.train, limits, strict=True)
        ]
        by_rule = {rule: [fold[rule] for fold in chosen] for rule in chosen[0]}
        return {rule: self._measured(tuned, curves=rule == BEST) for rule, tuned in by_rule.items()}

    def _measured(self, tuned: Sequence[Tuned], *, curves: bool) -> PolicyMetrics:
        """Return the metrics of policies, one per fold, on the test sides, and their score on the training rows."""
        alarms = self._alarms([choice.policy for choice in tuned])
        points: DelayCurves = curves_of(self.sets.whole.cases.outcomes(alarms)) if curves else {}
        return {
            **self._budgeted(alarms),
            "chosen": [as_json(choice.policy) for choice in tuned],
            "on_training": float(np.mean([choice.value for choice in tuned])),
            **points,
        }


def choose(scores: Floats, train: EvaluationSet, limit: Policy) -> dict[str, Tuned]:
    """Return the policies chosen on training rows by name: the best of each family, :data:`BEST`, and the simplest good one within each budget.

    All but the last raise no more false alarms on these rows than the threshold ``limit``.
    """
    per_day = train.per_day(train.incidents(train.alarms(limit, scores)))
    families = tune_all(list(FAMILIES), scores, train, OBJECTIVE, [per_day, *BUDGETS.values()])
    good = [simplest(tuned, train) for tuned in families]
    return dict(zip((*FAMILIES, BEST, *BUDGETS), (*families[0], *good), strict=True))


def curves_of(outcomes: Outcomes) -> DelayCurves:
    """Return recall against delay, in items and in seconds, as :meth:`curves.Curve.points`."""
    return {
        "recall_by_items": recall_by_items(outcomes).points(),
        "recall_by_seconds": recall_by_seconds(outcomes).points(),
    }


def rows_of(level: Level, evaluated: EvaluationSet, alarms: Mask) -> AlarmRows:
    """Return precision and recall of alarming rows; a row of an attack's episode that is no attack itself counts for neither."""
    attack, false = np.zeros_like(alarms), np.zeros_like(alarms)
    attack[evaluated.order] = level.labels[evaluated.order] == 1
    false[evaluated.order[evaluated.false]] = True
    caught, wrong = int((alarms & attack).sum()), int((alarms & false).sum())
    rows: AlarmRows = {
        "precision": caught / max(caught + wrong, 1),
        "recall": caught / max(int(attack.sum()), 1),
        "episodes_caught": len(np.unique(level.episodes[alarms & attack])),
        "episodes": len(np.unique(level.episodes[attack])),
    }
    if level.chains is not None:
        rows["chains"] = earliness_per_chain(level.chains, attack, alarms)
    return rows
