"""Parameters of a policy, chosen on training rows: the best for an early-detection score within a budget of false alarms.

The scores must come from a model that was not fitted on the rows it scored (out of fold), or the choice is as
optimistic as the model. The grids are small and made of quantiles, so a choice hangs on no single row; the same input
gives the same policy.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.earliness.erde import Outcomes, erde, f_latency
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
"""Budgets of false alarms, incidents per day."""
OBJECTIVES: dict[str, Callable[[Outcomes], float]] = {
    "erde_5": lambda outcomes: erde(outcomes, 5),
    "erde_50": lambda outcomes: erde(outcomes, 50),
    "f_latency": lambda outcomes: -f_latency(outcomes),
}
"""What a policy may be best for; lower is better."""

Ladder = Iterable[Policy]
"""Policies that differ in one limit, from the highest down: each alarms wherever the one before does."""

_LIMITS = 14
"""Limits taken from the scores of rows that must not alarm, and as many from those of the positive cases."""
_TAIL = 0.1
"""Largest share of the rows that must not alarm which a limit lets alarm."""
_IN_A_ROW = (10, 5, 3, 2, 1)
"""Items in a row."""
_AMONG = ((5, 20), (3, 10), (2, 5))
"""Items, and the last few they are among."""
_SUMS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""Limits of a CUSUM, in what one item of score 1 adds to it."""
NEGLIGIBLE = 0.02
"""A score on training rows that is better by less than this share of its range is no reason for a less simple policy."""
_DIGITS = 12
"""Scores that agree to so many decimals are equal: which sum came first must not decide."""


@dataclass(frozen=True)
class Tuned:
    """A policy, and what it came to on the rows it was chosen on.

    Attributes:
        policy: the choice; :data:`~coldaisle_analysis.policies.policy.NEVER` where nothing better keeps the budget.
        value: its score, NaN without a positive case.
        incidents_per_day: its false alarms.
    """

    policy: Policy
    value: float
    incidents_per_day: float


def tune(family: str, score: Floats, judged: EvaluationSet, objective: str, budget_per_day: float) -> Tuned:
    """Return the policy of a family that is best on these rows, with at most so many incidents per day.

    See :func:`tune_all`, which tells all families and several budgets at once.
    """
    return tune_all([family], score, judged, objective, [budget_per_day])[0][0]


def tune_all(
    families: Sequence[str], score: Floats, judged: EvaluationSet, objective: str, budgets: Sequence[float]
) -> list[list[Tuned]]:
    """Return for each budget the policy of each family that is best on these rows within it.

    The lowest limit that keeps a budget is always among those tried, see :func:`budget_threshold`. Of equal
    policies it is the more cautious: fewer incidents, then more items and higher limits; but one that never alarms only where every
    other costs more, for an attack of another kind may score higher than any row here.

    Args:
        families: keys of :data:`GRIDS`.
        score: of every row of the frame, out of fold where it is judged, shape (rows,).
        judged: the training rows.
        objective: a key of :data:`OBJECTIVES`.
        budgets: incidents per day, such as :data:`ONE_A_DAY`.
    """
    kept = {budget_threshold(score, judged, budget) for budget in budgets}
    limits = sorted({*_limits(score, judged), *kept}, reverse=True)
    own, most = score[judged.order], max(budgets)
    tried = [
        [
            one
            for ladder in (*GRIDS[family](limits), [NEVER])
            for one in _descend(ladder, own, judged, objective, most)
        ]
        for family in families
    ]
    return [[_best(each, budget) for each in tried] for budget in budgets]


def _descend(
    ladder: Ladder, score: Floats, judged: EvaluationSet, objective: str, most_per_day: float
) -> Iterator[Tuned]:
    """Yield what policies come to, each less cautious than the one before, until one raises more incidents than any budget allows."""
    for policy in ladder:
        tried = _try(policy, score, judged, objective, most_per_day)
        yield tried
        if tried.incidents_per_day > most_per_day:
            return


def _try(policy: Policy, score: Floats, judged: EvaluationSet, objective: str, most_per_day: float) -> Tuned:
    """Return what a policy comes to on rows in their order; NaN for one that raises more incidents than any budget allows."""
    alarming = policy.alarms(score, judged.streams)
    rate = judged.per_day(judged.incidents_of(alarming))
    if rate > most_per_day:
        return Tuned(policy, float("nan"), rate)
    return Tuned(policy, OBJECTIVES[objective](judged.outcomes_of(alarming)), rate)


def _best(tried: Sequence[Tuned], budget_per_day: float) -> Tuned:
    """Return the best policy within a budget, of equal ones the first; the one that never alarms where none has a score."""
    able = [one for one in tried if one.incidents_per_day <= budget_per_day and not np.isnan(one.value)]
    if not able:
        return Tuned(NEVER, float("nan"), 0.0)
    best = min(able, key=lambda one: (round(one.value, _DIGITS), one.incidents_per_day))
    return Tuned(best.policy, abs(best.value), best.incidents_per_day)


def simplest(choices: Sequence[Tuned], judged: EvaluationSet) -> Tuned:
    """Return the first choice that is hardly worse than the best one; so name the simplest family first.

    Args:
        choices: of policies, each with its score on the training rows, for an objective that lies between 0 and the share of
            positive cases.
        judged: the training rows; hardly is :data:`NEGLIGIBLE` of that share.
    """
    values = [np.inf if np.isnan(one.value) else one.value for one in choices]
    slack = NEGLIGIBLE * float(judged.cases.attacked.mean()) if len(judged.cases.attacked) else 0.0
    return next(one for one, value in zip(choices, values, strict=True) if value <= min(values) + slack)


def budget_threshold(score: Floats, judged: EvaluationSet, budget_per_day: float) -> float:
    """Return the lowest limit of a :class:`~coldaisle_analysis.policies.policy.Threshold` that keeps a budget.

    Between this limit and the next score below, of a row that must not alarm, lies the budget: found by bisection,
    for fewer alarms are fewer incidents but for those that join two. 0 where every row may alarm.
    """
    own = score[judged.order]
    clean = np.unique(own[judged.false])
    limits = np.append(0.0, np.nextafter(clean, ABOVE_ALL))
    low, high = 0, len(limits) - 1
    while low < high:
        middle = (low + high) // 2
        kept = judged.per_day(judged.incidents_of(own >= limits[middle])) <= budget_per_day
        low, high = (low, middle) if kept else (middle + 1, high)
    return float(limits[low])


def _limits(score: Floats, judged: EvaluationSet) -> set[float]:
    """Return limits worth trying: between quantiles of the clean rows' tail and of positive cases.

    Each lies half way between two neighbours, or just above the highest score of a clean row: a model learned anew
    gives the rows of a flood, which all look alike, another score, and a limit must not sit on the old one.
    """
    clean = score[judged.order[judged.false]]
    attacked = [rows for rows, hit in zip(judged.cases.rows, judged.cases.attacked, strict=True) if hit]
    found, limits = [np.zeros(1)], set[float]()
    if len(clean):
        tail = 1 - np.geomspace(min(0.5 / len(clean), _TAIL), _TAIL, _LIMITS)
        found.append(np.quantile(clean, tail, method="higher"))
        limits.add(float(np.nextafter(clean.max(), ABOVE_ALL)))
    if attacked:
        found.append(np.quantile(score[np.concatenate(attacked)], np.linspace(0, 1, _LIMITS), method="lower"))
    values = np.unique(np.concatenate(found))
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
"""The policies of a family worth trying, given limits from the highest down: the most cautious ladder first."""
