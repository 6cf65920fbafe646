"""Sentences on what alarm policies gain compared with thresholds, and what a budget of false alarms costs."""

from collections.abc import Iterator, Sequence

from coldaisle_analysis.evaluation.metrics import AlarmMetrics
from coldaisle_analysis.report.decision_rules import BUDGET_TEXTS, EARLY, CaseResult, policy_for
from coldaisle_analysis.report.lookup import BEST_F1
from coldaisle_analysis.report.numbers import number

SLIGHT = 0.02
"""A change of ERDE below this share of the distance between its bounds is no material change."""
FEWER = 0.2
"""Share of the false alarms that a policy must avoid to be called a saving."""
BETTER = "better"
WORSE = "worse: did not generalise from training rows"
FEWER_ALARMS = "as early, with fewer false alarms"
UNCHANGED = "no material change"


def headline(results: Sequence[CaseResult]) -> str:
    """Return the comparison of policies with thresholds over all models and kinds of case; empty without results.

    A budget is kept on the rows it was chosen on; the text gives the false alarms on the rows tested.
    """
    if not results:
        return ""
    budget, words = next(iter(BUDGET_TEXTS.items()))
    pair = (budget, policy_for(budget))
    verdicts = [_verdict(result, *pair) for result in results]
    better, worse = verdicts.count(BETTER), verdicts.count(WORSE)
    raised = [result.by_rule[rule]["incidents_per_day"] for result in results for rule in pair]
    return (
        f"Policies chosen for earliness are compared with thresholds, both set on training days for {words}. ERDE_5 is better (lower) with the "
        f"policy in {better} of {len(verdicts)} combinations of model and kind of case, worse in {worse}, and about the same in the other "
        f"{len(verdicts) - better - worse}. On the days tested, policies and thresholds raised {number(min(raised))} to {number(max(raised))} false alarms a day."
    )


def gains(results: Sequence[CaseResult]) -> Iterator[tuple[str, list[str]]]:
    """Yield comparisons of decision rules: what is compared, and the outcome for each kind of case."""
    pairs = {
        f"both set on training days for {words}": (budget, policy_for(budget))
        for budget, words in BUDGET_TEXTS.items()
    } | {"with no more false alarms on training days than the threshold with the best F1": (BEST_F1, EARLY)}
    for condition, (threshold, policy) in pairs.items():
        texts = [_comparison(result, threshold, policy) for result in results if policy in result.by_rule]
        if texts:
            yield f"Policies chosen for earliness compared with thresholds, {condition}", texts
    tight, words = list(BUDGET_TEXTS.items())[-1]
    if results:
        yield (
            f"Thresholds set on training days for {words}, compared with the best F1",
            [_cost(result, result.by_rule[tight], result.by_rule[BEST_F1]) for result in results],
        )
    constant = [
        f"{result.case}s: {plain['positive_cases'] / plain['cases']:.0%} of the cases are attacks, so a constant alarm scores "
        f"{result.always:.3f}, better than the threshold with the best F1"
        for result in results
        if result.always is not None and result.always < (plain := result.by_rule[BEST_F1])["erde_5"]
    ]
    if constant:
        yield "Cases for which ERDE_5 has little meaning", constant


def gained(result: CaseResult, budget: str) -> bool:
    """Return whether a policy is better than a threshold, both chosen for a budget of false alarms on training days."""
    return _verdict(result, budget, policy_for(budget)) == BETTER


def _verdict(result: CaseResult, threshold: str, policy: str) -> str:
    """Return the comparison of a policy with a threshold in words."""
    before, after = result.by_rule[threshold], result.by_rule[policy]
    perfect, silent = before["erde_5_bounds"]
    change = after["erde_5"] - before["erde_5"]
    if abs(change) >= SLIGHT * (silent - perfect):
        return BETTER if change < 0 else WORSE
    avoided = before["incidents_per_day"] - after["incidents_per_day"]
    return FEWER_ALARMS if avoided > FEWER * before["incidents_per_day"] else UNCHANGED


def _comparison(result: CaseResult, threshold: str, policy: str) -> str:
    before, after = result.by_rule[threshold], result.by_rule[policy]
    return (
        f"{result.case}s ({result.model}): {_verdict(result, threshold, policy)}; ERDE_5 {before['erde_5']:.3f} → {after['erde_5']:.3f}, "
        f"caught {before['caught_cases']} → {after['caught_cases']} of {before['positive_cases']}, false alarms "
        f"{number(before['incidents_per_day'])} → {number(after['incidents_per_day'])} a day"
    )


def _cost(result: CaseResult, tight: AlarmMetrics, plain: AlarmMetrics) -> str:
    """Return the cases that a tight budget loses and the false alarms it avoids."""
    return (
        f"{result.case}s ({result.model}): {tight['caught_cases']} instead of {plain['caught_cases']} of {plain['positive_cases']} "
        f"caught, with {number(tight['incidents_per_day'])} instead of {number(plain['incidents_per_day'])} false alarms a day"
    )
