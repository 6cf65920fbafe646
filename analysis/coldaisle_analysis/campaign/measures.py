"""Measures of a campaign's models: thresholds, budgets and policies from validation weeks, scores from test weeks."""

from collections.abc import Mapping

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.campaign.joined import Held
from coldaisle_analysis.campaign.learners import LEARNERS
from coldaisle_analysis.campaign.results import ModelRow, Scores
from coldaisle_analysis.earliness.per_kind import earliness_per_kind
from coldaisle_analysis.earliness.policies import (
    EvaluationSet,
    Policy,
    Threshold,
    Tuned,
    as_json,
    budget_threshold,
    evaluation_set,
)
from coldaisle_analysis.evaluation.alarms import BUDGETS, choose, curves_of, measure, rows_of
from coldaisle_analysis.evaluation.counts import count, intervals
from coldaisle_analysis.evaluation.metrics import (
    BudgetMetrics,
    CaseMetrics,
    DelayCurves,
    FoldMetrics,
    scored_row,
)
from coldaisle_analysis.models.model import threshold

SPLIT = "campaign"
"""Name of the split by the roles of weeks."""


def scores_of(held: Held, alarms: Mask, tested: Mask, seed: int) -> Scores:
    """Return the scores of alarms over some rows of held-out weeks.

    Args:
        held: the weeks.
        alarms: which rows alarm, shape (rows,).
        tested: which rows count, shape (rows,).
        seed: seed of the bootstrap.
    """
    level = held.level
    labels, alarming = level.labels[tested], alarms[tested]
    counts = count(labels, alarming)
    return {
        "precision": float(counts.precision), "recall": float(counts.recall), "f1": float(counts.f1),
        "intervals": intervals(labels, alarming, level.episodes[tested], level.groups[tested], seed),
        "attack_rows": int(labels.sum()), "episodes": len(np.unique(level.episodes[tested][labels == 1])),
    }  # fmt: skip


def seen_of(held: Held) -> Mask | None:
    """Return which rows count where only visible attacks do: every row but the attacks that left no trace."""
    return None if held.visible is None else (held.level.labels == 0) | held.visible


class Measured:
    """A model's scores of validation and test weeks.

    Args:
        validation: the validation weeks.
        test: the test weeks.
        scores: the score of each row of the validation weeks, then of the test weeks, shape (rows of both,).
        without: rows of the validation weeks that do not count, such as those of a kind that is left out; none by default.

    Attributes:
        test: the test weeks.
        validated: scores of the validation weeks.
        tested: scores of the test weeks.
        limit: the threshold with the best F1 on validation weeks.
        alarms: which rows of the test weeks reach it.
    """

    def __init__(self, validation: Held, test: Held, scores: Floats, without: Mask | None = None) -> None:
        self._validation, self.test = validation, test
        self.validated, self.tested = np.split(scores, [len(validation.level.labels)])
        counts = np.ones(len(self.validated), np.bool_) if without is None else ~without
        self.limit = threshold(validation.level.labels[counts], self.validated[counts])
        self.alarms = self.tested >= self.limit
        self._chosen: dict[str, dict[str, Tuned]] = {}

    def row(
        self, model: str, times: Mapping[str, float], train_rows: int, seed: int, *, policies: bool
    ) -> ModelRow:
        """Return the model's row in the results.

        Args:
            model: its name.
            times: ``fit_s`` and ``predict_s``.
            train_rows: rows that it was fitted on.
            seed: seed of the bootstrap.
            policies: whether to choose and measure alarm policies, too.
        """
        level = self.test.level
        early = {name: self._case(name, policies=policies) for name in level.cases if self._has_cases(name)}
        folds: FoldMetrics = {
            "early": early, "fit_s": times["fit_s"], "predict_s": times["predict_s"], "folds": 1,
            "train_rows": train_rows, "thresholds": [self.limit],
        }  # fmt: skip
        every = np.ones(len(self.alarms), np.bool_)
        first = next(iter(early.values()))["threshold"] if early else None
        validated = float(count(self._validation.level.labels, self.validated >= self.limit).f1)
        scored = scored_row(level, SPLIT, model, self.tested, self.alarms, every, seed, folds, first)
        row = ModelRow(**scored.row, learns=LEARNERS[model].learns, validated_f1=validated)  # type: ignore[typeddict-item]
        seen = seen_of(self.test)
        if seen is not None:
            row["visible"] = scores_of(self.test, self.alarms, seen, seed)
        return row

    def _has_cases(self, name: str) -> bool:
        return all(bool(held.level.cases[name].attacked.any()) for held in (self._validation, self.test))

    def policies(self, name: str) -> dict[str, Tuned]:
        """Return the policies chosen on the validation weeks for a kind of case, by name, see :func:`~coldaisle_analysis.evaluation.alarms.choose`."""
        if name not in self._chosen:
            on = self._set(self._validation, name)
            self._chosen[name] = choose(self.validated, on, Threshold(self.limit))
        return self._chosen[name]

    def first_policies(self) -> dict[str, Tuned]:
        """Return the policies for the first kind of case; none where no attack of the validation or the test weeks has one."""
        names = [name for name in self.test.level.cases if self._has_cases(name)]
        return self.policies(names[0]) if names else {}

    def _set(self, held: Held, name: str) -> EvaluationSet:
        return evaluation_set(held.level.cases[name], held.level.labels, held.level.episodes)

    def _case(self, name: str, *, policies: bool) -> CaseMetrics:
        on, test = self._set(self._validation, name), self._set(self.test, name)
        outcomes = test.cases.outcomes(self.alarms)
        curves = curves_of(outcomes)

        def budgeted(policy: Policy) -> BudgetMetrics:
            alarms = test.alarms(policy, self.tested)
            return {**measure(test, alarms), **rows_of(self.test.level, test, alarms)}

        within = {
            budget: budgeted(Threshold(budget_threshold(self.validated, on, per_day)))
            for budget, per_day in BUDGETS.items()
        }
        metrics: CaseMetrics = {
            "threshold": measure(test, self.alarms),
            "1 a day": within["1 a day"],
            "1 a week": within["1 a week"],
            "per_kind": earliness_per_kind(outcomes, test.cases.kinds),
            "recall_by_items": curves["recall_by_items"],
            "recall_by_seconds": curves["recall_by_seconds"],
        }
        no_curves: DelayCurves = {}
        if policies:
            metrics["policies"] = {
                rule: {
                    **budgeted(tuned.policy),
                    "chosen": [as_json(tuned.policy)],
                    "on_training": tuned.value,
                    **no_curves,
                }
                for rule, tuned in self.policies(name).items()
            }
        return metrics
