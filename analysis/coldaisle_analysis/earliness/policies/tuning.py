"""Choice of policies on training rows: the best for an early-detection score within a budget of false alarms.

The scores must come from a model that was not fitted on the rows it scores (out of fold); otherwise the choice is too
optimistic. The grids are small and made of quantiles, so a choice does not depend on a single row; the same input
gives the same policy.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.earliness.erde import erde, f_latency
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.policies.evaluation_sets import EvaluationSet
from coldaisle_analysis.earliness.policies.policy import (
    ABOVE_ALL,
    NEVER,
    Cusum,
    InARow,
    Policy,
    Threshold,
    TwoThresholds,
)

ONE_A_DAY, ONE_A_WEEK = 1.0, 1 / 7
"""Budgets of false alarms, in incidents per day."""
OBJECTIVES: dict[str, Callable[[Outcomes], float]] = {
    "erde_5": lambda outcomes: erde(outcomes, 5),
    "erde_50": lambda outcomes: erde(outcomes, 50),
    "f_latency": lambda outcomes: -f_latency(outcomes),
}
"""Objectives that a policy can be chosen for; lower is better."""

Ladder = Iterable[Policy]
"""Policies that differ in one limit, from the highest down: each alarms wherever the previous one does."""

_LIMITS = 14
"""Number of limits taken from the scores of rows that must not alarm, and of those taken from positive cases."""
_TAIL = 0.1
"""Largest share of the rows that must not alarm and that reach a limit."""
_IN_A_ROW = (10, 5, 3, 2, 1)
"""Numbers of consecutive items."""
_AMONG = ((5, 20), (3, 10), (2, 5))
"""Numbers of items, and of the last items among which they must lie."""
_SUMS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""Limits of a CUSUM, in units of the increase by one item of score 1."""
NEGLIGIBLE = 0.02
"""A less simple policy must be better on training rows by more than this share of the score's range."""
_DIGITS = 12
"""Scores that agree to so many decimals are equal: rounding errors of sums must not decide."""


@dataclass(frozen=True)
class Tuned:
    """A policy, and its results on the rows it was chosen on.

    Attributes:
        policy: the choice; :data:`~coldaisle_analysis.earliness.policies.policy.NEVER` where nothing better keeps the budget.
        value: its score; NaN without a positive case.
        incidents_per_day: its false alarms, in incidents per day.
    """

    policy: Policy
    value: float
    incidents_per_day: float


def tune(family: str, score: Floats, train: EvaluationSet, objective: str, budget_per_day: float) -> Tuned:
    """Return the best policy of a family on these rows within a budget.

    See :func:`tune_all`, which takes several families and budgets at once.
    """
    return tune_all([family], score, train, objective, [budget_per_day])[0][0]


def tune_all(
    families: Sequence[str], score: Floats, train: EvaluationSet, objective: str, budgets: Sequence[float]
) -> list[list[Tuned]]:
    """Return for each budget the best policy of each family on these rows within it.

    The lowest limit that keeps a budget is always tried, see :func:`budget_threshold`. Of equally good policies the more cautious one
    is chosen: fewer incidents, then more items and higher limits. A policy that never alarms is chosen only if every other one is
    worse, because an attack of another kind may score higher than any row here.

    Args:
        families: keys of :data:`GRIDS`.
        score: score of every row of the frame, out of fold on the training rows, shape (rows,).
        train: the training rows.
        objective: a key of :data:`OBJECTIVES`.
        budgets: budgets in incidents per day, such as :data:`ONE_A_DAY`.
    """
    within = {budget_threshold(score, train, budget) for budget in budgets}
    limits = sorted({*_limits(score, train), *within}, reverse=True)
    trial = _Trial(score[train.order], train, objective, max(budgets))
    tried = [
        [result for ladder in (*GRIDS[family](limits), [NEVER]) for result in trial.descend(ladder)]
        for family in families
    ]
    return [[_best(results, budget) for results in tried] for budget in budgets]


class _Trial:
    """Tries policies on rows; those that raise the same alarms are measured once.

    Args:
        score: score of each row in order, shape (rows,).
        train: the rows.
        objective: a key of :data:`OBJECTIVES`.
        most_per_day: the largest budget in incidents per day.
    """

    def __init__(self, score: Floats, train: EvaluationSet, objective: str, most_per_day: float) -> None:
        self._score, self._train, self._objective, self._most = score, train, objective, most_per_day
        self._measured: dict[bytes, tuple[float, float]] = {}

    def descend(self, ladder: Ladder) -> Iterator[Tuned]:
        """Yield the results of policies, each less cautious than the one before, until one raises more incidents than any budget allows."""
        for policy in ladder:
            alarming = policy.alarms(self._score, self._train.streams)
            alarms = alarming.tobytes()
            if alarms not in self._measured:
                self._measured[alarms] = self._measure(alarming)
            value, rate = self._measured[alarms]
            yield Tuned(policy, value, rate)
            if rate > self._most:
                return

    def _measure(self, alarming: Mask) -> tuple[float, float]:
        """Return the score of alarms, NaN if they are more incidents than any budget allows, and their incidents per day."""
        rate = self._train.per_day(self._train.incidents_of(alarming))
        if rate > self._most:
            return float("nan"), rate
        return OBJECTIVES[self._objective](self._train.outcomes_of(alarming)), rate


def _best(tried: Sequence[Tuned], budget_per_day: float) -> Tuned:
    """Return the best policy within a budget, the first of equals; :data:`NEVER` where none has a score."""
    able = [
        result
        for result in tried
        if result.incidents_per_day <= budget_per_day and not np.isnan(result.value)
    ]
    if not able:
        return Tuned(NEVER, float("nan"), 0.0)
    best = min(able, key=lambda result: (round(result.value, _DIGITS), result.incidents_per_day))
    return Tuned(best.policy, abs(best.value), best.incidents_per_day)


def simplest(choices: Sequence[Tuned], train: EvaluationSet) -> Tuned:
    """Return the first choice that is not notably worse than the best one; so the simplest family must come first.

    Args:
        choices: policies with their scores on the training rows, for an objective that lies between 0 and the share of
            positive cases; :data:`NEGLIGIBLE` of that share is not notable.
        train: the training rows.
    """
    values = [np.inf if np.isnan(choice.value) else choice.value for choice in choices]
    slack = NEGLIGIBLE * float(train.cases.attacked.mean()) if len(train.cases.attacked) else 0.0
    return next(choice for choice, value in zip(choices, values, strict=True) if value <= min(values) + slack)


def budget_threshold(score: Floats, train: EvaluationSet, budget_per_day: float) -> float:
    """Return the lowest limit of a :class:`~coldaisle_analysis.earliness.policies.policy.Threshold` that keeps a budget.

    It lies just above the score of a row that must not alarm and is found by bisection: fewer alarms are fewer incidents, except
    where an alarm joins two incidents. It is 0 where every row may alarm.
    """
    ordered = score[train.order]
    clean = np.unique(ordered[train.false])
    limits = np.append(0.0, np.nextafter(clean, ABOVE_ALL))
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        keeps = train.per_day(train.incidents_of(ordered >= limits[middle])) <= budget_per_day
        low, high = (low, middle) if keeps else (middle + 1, high)
    return float(limits[low])


def _limits(score: Floats, train: EvaluationSet) -> set[float]:
    """Return the limits to try: between quantiles of the clean rows' tail and of positive cases.

    Each lies half way between two neighbours, or just above the highest score of a clean row. The rows of a flood look alike and have
    one score, which differs from fit to fit, so a limit must not equal it.
    """
    clean = score[train.order[train.false]]
    attacked = [rows for rows, hit in zip(train.cases.rows, train.cases.attacked, strict=True) if hit]
    quantiles, limits = [np.zeros(1)], set[float]()
    if len(clean):
        tail = 1 - np.geomspace(min(0.5 / len(clean), _TAIL), _TAIL, _LIMITS)
        quantiles.append(np.quantile(clean, tail, method="higher"))
        limits.add(float(np.nextafter(clean.max(), ABOVE_ALL)))
    if attacked:
        quantiles.append(
            np.quantile(score[np.concatenate(attacked)], np.linspace(0, 1, _LIMITS), method="lower")
        )
    values = np.unique(np.concatenate(quantiles))
    return limits | set(((values[1:] + values[:-1]) / 2).tolist())


def _thresholds(limits: list[float]) -> Iterator[Ladder]:
    yield map(Threshold, limits)


def _in_a_row(limits: list[float]) -> Iterator[Ladder]:
    for items in _IN_A_ROW:
        yield [InARow(limit, items) for limit in limits]


def _two_thresholds(limits: list[float]) -> Iterator[Ladder]:
    for (items, among), high in product(_AMONG, [ABOVE_ALL, *limits[::5]]):
        yield [TwoThresholds(high, low, items, among) for low in limits[::2] if low < high]


def _cusums(limits: list[float]) -> Iterator[Ladder]:
    drifts = [limit for limit in limits[::4] if limit < 1]
    yield from ([Cusum(drift, size * (1 - drift))] for size, drift in product(_SUMS, drifts))


GRIDS: dict[str, Callable[[list[float]], Iterator[Ladder]]] = {
    Threshold.family: _thresholds,
    InARow.family: _in_a_row,
    TwoThresholds.family: _two_thresholds,
    Cusum.family: _cusums,
}
"""The policies of each family to try, given limits from the highest down; the most cautious ladder comes first."""
