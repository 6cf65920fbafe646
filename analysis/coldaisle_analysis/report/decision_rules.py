"""The results of decision rules, thresholds and alarm policies, for each kind of case and each budget of false alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    CaseMetrics,
    DelayCurves,
    MetricsRow,
    Scored,
)
from coldaisle_analysis.models import BASELINES
from coldaisle_analysis.report.lookup import (
    BEST_F1,
    case_kinds,
    earliest_row,
    first_case,
    grouped_rows,
    row_of,
    title,
)

EARLY = "early"
"""The first word in the name of a policy that is chosen for earliness; the rest names the threshold it is compared with."""


def policy_for(budget: str) -> str:
    """Return the name of the policy that is chosen for a budget of false alarms."""
    return f"{EARLY}, {budget}"


BUDGET_TEXTS = {budget: budget.replace("1", "one false alarm", 1) for budget in BUDGETS}
DECISION_RULES = {
    BEST_F1: "plain threshold (best F1)",
    EARLY: "policy, no more false alarms in training",
} | {
    name: text
    for budget, words in BUDGET_TEXTS.items()
    for name, text in ((budget, f"threshold, {words}"), (policy_for(budget), f"policy, {words}"))
}
"""The decision rules that are compared, with their titles, in the order of the tables."""


@dataclass(frozen=True)
class BudgetResult:
    """A model's row of the metrics, and its metrics on the first kind of case, which include every budget."""

    row: MetricsRow
    metrics: CaseMetrics


@dataclass(frozen=True)
class CaseResult:
    """A model's results on a kind of case, one for each decision rule.

    Attributes:
        level: ``packets`` or ``readings``.
        case: ``connection``, ``unit`` or ``sensor``.
        model: its title.
        by_rule: the metrics of each decision rule, a key of :data:`DECISION_RULES`.
        always: ERDE_5 of a detector that always alarms, ``None`` if none was scored.
        curves: recall against delay of some decision rules.
    """

    level: str
    case: str
    model: str
    by_rule: dict[str, AlarmMetrics]
    always: float | None
    curves: dict[str, DelayCurves]


def earliest(scored: Sequence[Scored]) -> list[CaseResult]:
    """Return for each kind of case the result of the model with the lowest ERDE_5 of its policies on training rows."""
    return [_result(scored, level, case, row) for level, case in case_kinds(scored)
            if (row := earliest_row(scored, level, case)) is not None]  # fmt: skip


def _result(scored: Sequence[Scored], level: str, case: str, row: MetricsRow) -> CaseResult:
    metrics = row["early"][case]
    policies = metrics.get("policies", {})
    always = row_of(scored, level, row["split"], BASELINES[0])
    by_rule: dict[str, AlarmMetrics | None] = {BEST_F1: metrics[BEST_F1], EARLY: policies.get("best")}
    for budget in BUDGETS:
        by_rule |= {budget: metrics[budget], policy_for(budget): policies.get(budget)}
    return CaseResult(
        level,
        case,
        title(row["model"]),
        {rule: measured for rule, measured in by_rule.items() if measured},
        always["early"][case][BEST_F1]["erde_5"] if always and case in always["early"] else None,
        {BEST_F1: metrics, **({EARLY: policies["best"]} if policies else {})},
    )


def policy_results(scored: Sequence[Scored]) -> list[CaseResult]:
    """Return the results of every model that policies were chosen for, by kind of case."""
    return [_result(scored, level, case, row) for level, case in case_kinds(scored)
            for row in grouped_rows(scored, level) if case in row["early"] and "policies" in row["early"][case]]  # fmt: skip


def budgets(scored: Sequence[Scored]) -> dict[str, list[BudgetResult]]:
    """Return by level the results of every model with budgets of false alarms: those that kept the first budget, then the others; the most episodes caught first."""
    first, most = next(iter(BUDGETS.items()))

    def order(result: BudgetResult) -> tuple[bool, int, float]:
        measured = result.metrics[first]
        spent = measured["incidents_per_day"]
        return spent > most, -measured["episodes_caught"], spent

    return {
        level: sorted(
            (BudgetResult(row, pair[1]) for row in grouped_rows(scored, level) if (pair := first_case(row))),
            key=order,
        )
        for level in LEARNED
    }
