"""What an operator and the author of a dataset should do, as far as the numbers say."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import BASELINES, MODELS
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.figures import earliness
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import PLAIN, row_of

_BUDGET = next(iter(BUDGETS))
_KEPT = 2.0
"""A budget overspent by no more than this factor is called kept: a week has few days to count on."""


def operator(scored: Sequence[Scored], reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Say which model to run at one false alarm a day, how to set its threshold and at which level to watch."""
    tables = {level: rows for level, rows in earliness.budgets(scored).items() if rows}
    picks = [text for level, rows in tables.items() if (text := _pick(level, rows))]
    if picks:
        yield Sentence(
            "For an operator",
            f"For one false alarm a day, set on training days, run {'; '.join(picks)}. The pick is by the very rows it is measured on, so expect less.",
            "budgets",
        )
    for level, rows in tables.items():
        spent = [
            row["kept"][_BUDGET]["incidents_per_day"] / BUDGETS[_BUDGET]
            for row in rows
            if row["model"] not in BASELINES
        ]
        over = sum(one > 1 for one in spent)
        if over > len(spent) / 2:
            yield Sentence(
                "For an operator",
                f"{level.capitalize()}: set thresholds with a margin, for {over} of {len(spent)} models overspend the budget they "
                f"were given, the median one by a factor of {np.median(spent):.1f}.",
                "budgets",
            )
    yield from _policies(scored)
    yield from _both(reached)


def _policies(scored: Sequence[Scored]) -> Iterator[Sentence]:
    """Say for which models and kinds of case a policy catches more than a threshold, and for how few of all that is so."""
    tried = [
        (one, one.ways[_BUDGET], policy)
        for one in earliness.speakers(scored)
        if (policy := one.ways.get(f"{earliness.EARLY}, {_BUDGET}"))
    ]
    better = [
        f"{one.case}s with the {one.model} ({policy['caught_cases']} instead of {plain['caught_cases']} of {plain['positive_cases']} "
        f"caught, at {policy['incidents_per_day']:.2g} instead of {plain['incidents_per_day']:.2g} false alarms a day)"
        for one, plain, policy in tried
        if earliness.gained(one, _BUDGET)
    ]
    if better:
        yield Sentence(
            "For an operator",
            f"A policy chosen for earliness detects earlier than a threshold in {len(better)} of {len(tried)} combinations of case and model: "
            f"{', '.join(better)}. Look at what that costs; in the others a threshold will do.",
            "gains",
        )


def _pick(level: str, rows: Sequence[earliness.BudgetRow]) -> str:
    """Return the model that catches most episodes among those that kept the budget, empty where none did."""
    kept = [
        row
        for row in rows
        if row["model"] != BASELINES[0]
        and row["kept"][_BUDGET]["incidents_per_day"] <= _KEPT * BUDGETS[_BUDGET]
    ]
    if not kept or not kept[0]["kept"][_BUDGET]["episodes_caught"]:
        return ""
    own = kept[0]["kept"][_BUDGET]
    return (
        f"{MODELS[kept[0]['model']].title} on {level}: {own['episodes_caught']} of {own['episodes']} episodes "
        f"({own['recall']:.0%} of the attack rows), "
        f"{own['incidents_per_day']:.1f} false alarms a day measured, the most of the {len(kept)} that kept within twice the budget"
    )


def _both(reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Say which kinds one level catches that the other misses."""
    caught = {
        level: {one.kind: one.best["caught"] / one.best["cases"] for one in own if one.best}
        for level, own in reached.items()
    }
    if len(caught) < 2:  # noqa: PLR2004 - packets and readings
        return
    packets, readings = caught["packets"], caught["readings"]
    more = [kind for kind, share in readings.items() if share > packets.get(kind, 0.0)]
    alone = [kind for kind in packets if kind not in readings]
    if more or alone:
        yield Sentence(
            "For an operator",
            f"Watch both levels: readings catch a larger share of the cases of {len(more)} kinds"
            f"{' (' + ', '.join(more) + ')' if more else ''}, and {len(alone)} kinds leave no attacked reading at all.",
            "reach",
        )


def author(
    scored: Sequence[Scored], reached: Mapping[str, Sequence[Reach]], bests: Sequence[MetricsRow]
) -> Iterator[Sentence]:
    """Say what the author of a dataset should do: several episodes a kind, honest splits, enough that is clean."""
    episodes: dict[str, int] = {}
    for one in (one for own in reached.values() for one in own):
        episodes[one.kind] = max(episodes.get(one.kind, 0), one.episodes)
    single = sum(count == 1 for count in episodes.values())
    if single:
        yield Sentence(
            "For a dataset author",
            f"Play every kind on several days: {single} of {len(episodes)} kinds have one episode, so nothing of them "
            "is ever learned from when they are tested.",
            "reach",
        )
    gaps = [
        (twin["f1"] - best["f1"], best["level"])
        for best in bests
        if (twin := row_of(scored, best["level"], "random", best["model"]))
    ]
    if gaps and max(gaps)[0] > 0:
        gap, level = max(gaps)
        yield Sentence(
            "For a dataset author",
            f"Publish the split, with episodes kept whole and identity columns apart: on {level} random rows add {gap:.2f} to the F1 "
            "of the best model.",
            "leak",
        )
    for shown in earliness.earliest(scored):
        share = shown.ways[PLAIN]["positive_cases"] / shown.ways[PLAIN]["cases"]
        if share > 0.5:  # noqa: PLR2004 - most of the cases
            yield Sentence(
                "For a dataset author",
                f"Leave clean stretches beside attacks: {share:.0%} of the {shown.case} cases are attacks, because hardly any clean "
                "window matches them, and early-detection scores hardly punish alarming always.",
                "gains",
            )
