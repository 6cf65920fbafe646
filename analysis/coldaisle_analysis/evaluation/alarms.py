"""What a model's scores come to in cases: how early it speaks, with which policy, at which price in false alarms.

Everything is chosen on rows of a fold's training side that the scoring model had not seen, and measured on its test side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask, Rows
from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.earliness.curves import earliness_per_kind, recall_by_items, recall_by_seconds
from coldaisle_analysis.earliness.erde import (
    Outcomes,
    erde,
    erde_bounds,
    f_latency,
    latency_weighted_f1,
    seconds_to_detect,
)
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
    evaluation_set,
    simplest,
    tune_all,
)
from coldaisle_analysis.evaluation.folds import FoldResult
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    AlarmRows,
    Budget,
    BudgetMetrics,
    CaseMetrics,
    DelayCurves,
    OptionalCurves,
    PolicyMetrics,
)
from coldaisle_analysis.evaluation.splits import Fold

BUDGETS: dict[Budget, float] = {"1 a day": ONE_A_DAY, "1 a week": ONE_A_WEEK}
"""False alarms an operator accepts, incidents per day."""
OBJECTIVE = "erde_5"
"""What policies are chosen for."""


@dataclass(frozen=True)
class CaseSets:
    """What a split is judged on, for one way to cut the level into cases.

    Attributes:
        name: such as ``connection``.
        whole: the rows of all test sides.
        train: for each fold the rows held out of its training side.
        test: for each fold its test side.
    """

    name: str
    whole: EvaluationSet
    train: tuple[EvaluationSet, ...]
    test: tuple[EvaluationSet, ...]


def judged(level: Level, folds: Sequence[Fold]) -> tuple[CaseSets, ...]:
    """Return what a split of a level is judged on, for each way to cut it into cases that has an attacked one."""

    def on(cases: Cases, *rows: Rows) -> EvaluationSet:
        mask = np.zeros(len(level.labels), np.bool_)
        mask[np.concatenate(rows)] = True
        return evaluation_set(cases, level.labels, level.episodes, mask)

    return tuple(
        CaseSets(
            name,
            on(cases, *(fold.test for fold in folds)),
            tuple(on(cases, *(side.scored for side in fold.inner)) for fold in folds),
            tuple(on(cases, fold.test) for fold in folds),
        )
        for name, cases in level.cases.items()
        if folds and cases.attacked.any()
    )


def measure(judged: EvaluationSet, alarms: Mask) -> AlarmMetrics:
    """Return what the alarms of a level come to in cases and in incidents, given for every row."""
    outcomes = judged.cases.outcomes(alarms)
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
        "incidents_per_day": judged.per_day(judged.incidents(alarms)),
    }


def of_trials(
    level: Level,
    benches: Sequence[CaseSets],
    folds: Sequence[Fold],
    trials: Sequence[FoldResult],
    *,
    policies: bool,
) -> dict[str, CaseMetrics]:
    """Return for each way to cut a level into cases what a model comes to.

    Args:
        level: the level.
        benches: what the split is judged on.
        folds: the split's folds.
        trials: what the model did on each.
        policies: whether policies are chosen and tried, too.

    Returns:
        By kind of case: ``threshold`` (best F1 on training rows), every budget, with ``policies`` those chosen for
        :data:`OBJECTIVE` at no more false alarms than that threshold raised there, and within every budget; recall against delay, and
        earliness by kind.
    """
    scores = [_spread(len(level.labels), fold, trial) for fold, trial in zip(folds, trials, strict=True)]
    return {
        one.name: _CaseScorer(level, one, scores).told(
            [trial.threshold for trial in trials], policies=policies
        )
        for one in benches
    }


def _spread(rows: int, fold: Fold, trial: FoldResult) -> tuple[Floats, Floats]:
    """Return the scores of the rows held out of the training side, and of the test side, each over all rows of the level."""
    known, tested = np.zeros(rows), np.zeros(rows)
    known[trial.held_out], tested[fold.test] = trial.held_out_scores, trial.tested.score
    return known, tested


@dataclass(frozen=True)
class _CaseScorer:
    """Plays policies over a model's scores."""

    level: Level
    judged: CaseSets
    scores: Sequence[tuple[Floats, Floats]]

    def told(self, thresholds: Sequence[float], *, policies: bool) -> CaseMetrics:
        """Return what the model comes to, see :func:`of_trials`."""
        limits = [Threshold(limit) for limit in thresholds]
        plain, whole = self._alarms(limits), self.judged.whole
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
            Threshold(budget_threshold(known, train, per_day))
            for (known, _), train in zip(self.scores, self.judged.train, strict=True)
        ]
        return self._budgeted(self._alarms(limits))

    def _budgeted(self, alarms: Mask) -> BudgetMetrics:
        whole = self.judged.whole
        return {**measure(whole, alarms), **rows_of(self.level, whole, alarms)}

    def _alarms(self, chosen: Sequence[Policy]) -> Mask:
        """Return which rows alarm with a policy a fold."""
        alarms = np.zeros(len(self.level.labels), np.bool_)
        for (_, tested), test, policy in zip(self.scores, self.judged.test, chosen, strict=True):
            alarms |= test.alarms(policy, tested)
        return alarms

    def _policies(self, limits: Sequence[Policy]) -> dict[str, PolicyMetrics]:
        """Return what the families come to, the simplest that was good on each fold's training rows, and the same within budgets."""
        chosen: dict[str, list[Tuned]] = {way: [] for way in (*FAMILIES, "best", *BUDGETS)}
        for (known, _), train, limit in zip(self.scores, self.judged.train, limits, strict=True):
            spent = train.per_day(train.incidents(train.alarms(limit, known)))
            plain, *kept = tune_all(list(FAMILIES), known, train, OBJECTIVE, [spent, *BUDGETS.values()])
            for way, one in zip(FAMILIES, plain, strict=True):
                chosen[way].append(one)
            for way, families in zip(("best", *BUDGETS), (plain, *kept), strict=True):
                chosen[way].append(simplest(families, train))
        return {way: self._tried(own, curves=way == "best") for way, own in chosen.items()}

    def _tried(self, tuned: Sequence[Tuned], *, curves: bool) -> PolicyMetrics:
        """Return what policies, one a fold, come to on the test sides, and what they promised on the training rows."""
        alarms = self._alarms([choice.policy for choice in tuned])
        points: OptionalCurves = {**curves_of(self.judged.whole.cases.outcomes(alarms))} if curves else {}
        return {
            **self._budgeted(alarms),
            "chosen": [as_json(choice.policy) for choice in tuned],
            "on_training": float(np.mean([choice.value for choice in tuned])),
            **points,
        }


def curves_of(outcomes: Outcomes) -> DelayCurves:
    """Return recall against delay, in items and in seconds, as :meth:`curves.Curve.points`."""
    return {
        "recall_by_items": recall_by_items(outcomes).points(),
        "recall_by_seconds": recall_by_seconds(outcomes).points(),
    }


def rows_of(level: Level, judged: EvaluationSet, alarms: Mask) -> AlarmRows:
    """Return precision and recall of alarming rows; those that belong to an attack and are none themselves count for neither."""
    attack, false = np.zeros_like(alarms), np.zeros_like(alarms)
    attack[judged.order] = level.labels[judged.order] == 1
    false[judged.order[judged.false]] = True
    caught, wrong = int((alarms & attack).sum()), int((alarms & false).sum())
    return {
        "precision": caught / max(caught + wrong, 1),
        "recall": caught / max(int(attack.sum()), 1),
        "episodes_caught": len(np.unique(level.episodes[alarms & attack])),
        "episodes": len(np.unique(level.episodes[attack])),
    }
