"""Advice that follows from the numbers, to an operator and to the author of a dataset."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import BASELINES
from coldaisle_analysis.report.conclusions.gains import gained
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.conclusions.surroundings import single_episodes
from coldaisle_analysis.report.decision_rules import (
    BudgetResult,
    budgets,
    earliest,
    policy_for,
    policy_results,
)
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import BEST_F1, row_of, title
from coldaisle_analysis.report.numbers import number

_BUDGET = next(iter(BUDGETS))
_TOLERANCE = 2.0
"""A budget that is exceeded by no more than this factor counts as kept: a week has few days to count on."""


def operator(scored: Sequence[Scored], reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Yield the model to run at one false alarm a day, the setting of its threshold, and the level to watch."""
    tables = {level: results for level, results in budgets(scored).items() if results}
    picks = [text for level, results in tables.items() if (text := _pick(level, results))]
    if picks:
        yield _to_operator(
            f"{' '.join(picks)} These models are chosen on the rows they are measured on, so expect less.",
            "budgets",
        )
    for level, results in tables.items():
        factors = [
            result.metrics[_BUDGET]["incidents_per_day"] / BUDGETS[_BUDGET]
            for result in results
            if result.row["model"] not in BASELINES
        ]
        over = sum(factor > 1 for factor in factors)
        if over > len(factors) / 2:
            yield _to_operator(
                f"{level.capitalize()}: set thresholds with a margin. {over} of {len(factors)} models exceed their budget; the median model "
                f"raises {np.median(factors):.1f} times the false alarms of its budget.",
                "budgets",
            )
    yield from _policies(scored)
    yield from _both_levels(reached)


def _to_operator(text: str, figure: str) -> Sentence:
    return Sentence("For an operator", text, figure)


def _policies(scored: Sequence[Scored]) -> Iterator[Sentence]:
    """Yield the models and kinds of case for which a policy is better than a threshold, out of all combinations."""
    results = policy_results(scored)
    better = []
    for result in results:
        if gained(result, _BUDGET):
            plain, policy = result.by_rule[_BUDGET], result.by_rule[policy_for(_BUDGET)]
            better.append(
                f"{result.case}s with {result.model} ({policy['caught_cases']} instead of {plain['caught_cases']} of "
                f"{plain['positive_cases']} caught, at {number(policy['incidents_per_day'])} instead of {number(plain['incidents_per_day'])} "
                "false alarms a day)"
            )
    if better:
        yield _to_operator(
            f"A policy chosen for earliness has a better ERDE_5 than a threshold in {len(better)} of {len(results)} combinations of "
            f"case and model: {', '.join(better)}. Check whether you can accept the false alarms. In the other combinations a threshold is enough.",
            "gains",
        )


def _pick(level: str, results: Sequence[BudgetResult]) -> str:
    """Return the model that catches most episodes among those that kept the budget; empty if none did."""
    within = [
        result
        for result in results
        if result.row["model"] != BASELINES[0]
        and result.metrics[_BUDGET]["incidents_per_day"] <= _TOLERANCE * BUDGETS[_BUDGET]
    ]
    if not within or not within[0].metrics[_BUDGET]["episodes_caught"]:
        return ""
    metrics = within[0].metrics[_BUDGET]
    return (
        f"For one false alarm a day on {level} (set on training days), run {title(within[0].row['model'])}. It catches "
        f"{metrics['episodes_caught']} of {metrics['episodes']} episodes ({metrics['recall']:.0%} of the attack rows) with "
        f"{metrics['incidents_per_day']:.1f} false alarms a day: the most episodes among the {len(within)} models within twice the budget."
    )


def _both_levels(reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Yield the kinds that one level catches and the other misses."""
    shares = {
        level: {kind.kind: kind.best["caught"] / kind.best["cases"] for kind in kinds if kind.best}
        for level, kinds in reached.items()
    }
    if len(shares) < 2:  # noqa: PLR2004 - packets and readings
        return
    packets, readings = shares["packets"], shares["readings"]
    more = [kind for kind, share in readings.items() if share > packets.get(kind, 0.0)]
    alone = sum(kind not in readings for kind in packets)
    if more or alone:
        yield _to_operator(
            f"Watch both levels. The readings catch a larger share of the cases of {len(more)} kinds"
            f"{' (' + ', '.join(more) + ')' if more else ''}, and {alone} kinds leave no attacked reading at all.",
            "reach",
        )


def author(
    scored: Sequence[Scored], reached: Mapping[str, Sequence[Reach]], bests: Sequence[MetricsRow]
) -> Iterator[Sentence]:
    """Yield advice to the author of a dataset: several episodes of each kind, a grouped split, enough clean time."""
    topic = "For a dataset author"
    single, kinds = single_episodes(reached)
    if single:
        text = f"Play every kind on several days, so that each kind can be in training when it is tested: {single} of {kinds} kinds have one episode."
        yield Sentence(topic, text, "reach")
    gaps = [
        (random["f1"] - best["f1"], best["level"])
        for best in bests
        if (random := row_of(scored, best["level"], "random", best["model"]))
    ]
    if gaps and max(gaps)[0] > 0:
        gap, level = max(gaps)
        text = f"Publish the split. Keep episodes whole and leave identity columns out: on {level}, a random split adds {gap:.2f} to the F1 of the best model."
        yield Sentence(topic, text, "leak")
    for result in earliest(scored):
        share = result.by_rule[BEST_F1]["positive_cases"] / result.by_rule[BEST_F1]["cases"]
        if share > 0.5:  # noqa: PLR2004 - most of the cases
            text = (
                f"Leave clean time beside attacks: {share:.0%} of the {result.case} cases are attacks, because few clean windows match them. "
                "Earliness scores then hardly penalise a constant alarm."
            )
            yield Sentence(topic, text, "gains")
