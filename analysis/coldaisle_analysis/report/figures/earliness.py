"""What speaking early gains and costs: how alarms were decided, case by case, and what each way came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import (
    AlarmMetrics,
    CaseMetrics,
    MetricsRow,
    OptionalCurves,
    Scored,
)
from coldaisle_analysis.models import BASELINES
from coldaisle_analysis.report.figures.style import INK, canvas, grid, inline_svg, styled
from coldaisle_analysis.report.lookup import LEVELS, PLAIN, cases_of, earliest_row, honest, row_of, title

EARLY = "early"
"""What the name of a way begins with that is chosen for earliness; the way without it is its threshold."""
WAYS = {PLAIN: "plain threshold", EARLY: "policy, as many false alarms"} | {
    name: text
    for budget in BUDGETS
    for name, text in (
        (budget, f"threshold, {budget}"),
        (f"{EARLY}, {budget}", f"policy, {budget}"),
    )
}
"""The ways to decide on an alarm that are compared, in the order they are shown."""
SLIGHT = 0.02
"""A change of ERDE by less than this share of the way from perfect to silent is called none."""
FEWER = 0.2
"""Share of the false alarms that must be spared for it to be said."""
GAIN = "a gain"
LOSS = "a loss: what was best on training rows is not on others"
SPARED = "as early with fewer false alarms"
NOTHING = "next to nothing"
_SOONEST_S = 0.01
"""Where the time axis begins, s: what is caught with the onset itself is drawn there."""
_DASHES = (0, (4, 2))
_COLOURS = ("#1f6f8b", "#c8442f", "#7a4fb5")


class BudgetRow(MetricsRow):
    """A row of the metrics and, in ``kept``, what its budgets come to on the first kind of case."""

    kept: CaseMetrics


@dataclass(frozen=True)
class Speaker:
    """A model that speaks about a kind of case, and what each way to decide on alarms comes to.

    Attributes:
        level: ``packets`` or ``readings``.
        case: ``connection``, ``unit`` or ``sensor``.
        model: its title.
        ways: by way (a key of :data:`WAYS`) what :func:`~coldaisle_analysis.evaluation.alarms.measure` says of it.
        always: ERDE_5 of a detector that always alarms, ``None`` where none was played.
        curves: by way, recall against delay: ``recall_by_items`` and ``recall_by_seconds``.
    """

    level: str
    case: str
    model: str
    ways: dict[str, AlarmMetrics]
    always: float | None
    curves: dict[str, OptionalCurves]


def earliest(scored: Sequence[Scored]) -> list[Speaker]:
    """Return for each kind of case what the model comes to whose policies promised the lowest ERDE_5 on training rows."""
    return [_of_case(scored, level, case, row) for level, case in cases_of(scored)
            if (row := earliest_row(scored, level, case)) is not None]  # fmt: skip


def _of_case(scored: Sequence[Scored], level: str, case: str, row: MetricsRow) -> Speaker:
    own = row["early"][case]
    policies = own.get("policies", {})
    always = row_of(scored, level, row["split"], BASELINES[0])
    found: dict[str, AlarmMetrics | None] = {PLAIN: own[PLAIN], EARLY: policies.get("best")}
    for budget in BUDGETS:
        found |= {budget: own[budget], f"{EARLY}, {budget}": policies.get(budget)}
    ways = {way: told for way, told in found.items() if told}
    return Speaker(
        level,
        case,
        title(row["model"]),
        ways,
        always["early"][case][PLAIN]["erde_5"] if always and case in always["early"] else None,
        {PLAIN: own, **({EARLY: policies["best"]} if policies else {})},
    )


def speakers(scored: Sequence[Scored]) -> list[Speaker]:
    """Return every model that policies were chosen for, kind of case by kind of case."""
    return [_of_case(scored, level, case, row) for level, case in cases_of(scored)
            for row in honest(scored, level) if "policies" in row["early"].get(case, {})]  # fmt: skip


def headline(found: Sequence[Speaker]) -> str:
    """Return what choosing for earliness comes to over all models and kinds of case, empty without any.

    What was chosen for a budget keeps it on the rows it was chosen on; how many false alarms there were on those tested is said.
    """
    if not found:
        return ""
    budget = next(iter(BUDGETS))
    pair = (budget, f"{EARLY}, {budget}")
    told = [_verdict(one, *pair) for one in found]
    gained, lost = told.count(GAIN), told.count(LOSS)
    raised = [one.ways[way]["incidents_per_day"] for one in found for way in pair]
    return (
        f"Both set on training days for one false alarm a day, a policy chosen for earliness detects earlier than a threshold in {gained} of "
        f"{len(told)} combinations of model and kind of case, later in {lost}, and equally early in the other {len(told) - gained - lost}. "
        f"On the days tested they raised {min(raised):.2g} to {max(raised):.2g} false alarms a day."
    )


def gains(found: Sequence[Speaker]) -> Iterator[tuple[str, list[str]]]:
    """Yield what choosing for earliness gains, what a budget costs, and where the score says little; what is said, and of which case."""
    pairs = {
        f"both set on training days for {budget.replace('1', 'one false alarm', 1)}": (
            budget,
            f"{EARLY}, {budget}",
        )
        for budget in BUDGETS
    } | {"with no more false alarms on training days than the threshold of the best F1": (PLAIN, EARLY)}
    for within, (threshold, policy) in pairs.items():
        told = [_gained(one, threshold, policy) for one in found if policy in one.ways]
        if told:
            yield f"Policies chosen for earliness instead of thresholds, {within}", told
    tight = list(BUDGETS)[-1]
    kept = [
        f"{one.case}s ({one.model}): {one.ways[tight]['caught_cases']} instead of {one.ways[PLAIN]['caught_cases']} of "
        f"{one.ways[PLAIN]['positive_cases']} caught, with {one.ways[tight]['incidents_per_day']:.2g} instead of "
        f"{one.ways[PLAIN]['incidents_per_day']:.2g} false alarms a day"
        for one in found
    ]
    if kept:
        yield (
            f"Thresholds set on training days for one false alarm {tight.removeprefix('1 ')}, instead of for the best F1",
            kept,
        )
    shouted = [
        f"{one.case}s: {one.ways[PLAIN]['positive_cases'] / one.ways[PLAIN]['cases']:.0%} of the cases are attacks, so a detector that "
        f"always alarms scores {one.always:.3f}, better than the plain threshold"
        for one in found
        if one.always is not None and one.always < one.ways[PLAIN]["erde_5"]
    ]
    if shouted:
        yield "Where ERDE_5 says little", shouted


def gained(one: Speaker, budget: str) -> bool:
    """Tell whether a policy detects earlier than a threshold, both chosen for a budget of false alarms on training days."""
    return _verdict(one, budget, f"{EARLY}, {budget}") == GAIN


def _verdict(one: Speaker, threshold: str, policy: str) -> str:
    """Return what a policy comes to beside a threshold."""
    before, after = one.ways[threshold], one.ways[policy]
    best, never = before["erde_5_bounds"]
    change = after["erde_5"] - before["erde_5"]
    if abs(change) >= SLIGHT * (never - best):
        return GAIN if change < 0 else LOSS
    spared = before["incidents_per_day"] - after["incidents_per_day"]
    return SPARED if spared > FEWER * before["incidents_per_day"] else NOTHING


def _gained(one: Speaker, threshold: str, policy: str) -> str:
    before, after = one.ways[threshold], one.ways[policy]
    return (
        f"{one.case}s ({one.model}): {_verdict(one, threshold, policy)}, ERDE_5 {before['erde_5']:.3f} → {after['erde_5']:.3f}, "
        f"caught {before['caught_cases']} → {after['caught_cases']} of {before['positive_cases']}, false alarms "
        f"{before['incidents_per_day']:.2g} → {after['incidents_per_day']:.2g} a day"
    )


def budgets(scored: Sequence[Scored]) -> dict[str, list[BudgetRow]]:
    """Return by level every model's row with ``kept``: what each budget of false alarms comes to; the most episodes caught first."""
    tables = {}
    for level in LEVELS:
        rows: list[BudgetRow] = [
            {**row, "kept": next(iter(row["early"].values()))}
            for row in honest(scored, level)
            if row["early"]
        ]
        first = next(iter(BUDGETS))
        rows.sort(
            key=lambda row: (-row["kept"][first]["episodes_caught"], row["kept"][first]["incidents_per_day"])
        )
        tables[level] = rows
    return tables


@styled
def delay(found: Sequence[Speaker]) -> str:
    """Draw recall against delay, in items and in seconds: a line a kind of case and way to decide."""
    figure, (items, seconds) = canvas(1, 2, 3.7, sharey=True)
    sides: tuple[tuple[Axes, Literal["recall_by_items", "recall_by_seconds"], float], ...]
    sides = ((items, "recall_by_items", 1.0), (seconds, "recall_by_seconds", _SOONEST_S))
    for ax, name, least in sides:
        drawn = [(one, colour, way, curves[name]) for one, colour in zip(found, _COLOURS, strict=False)
                 for way, curves in one.curves.items()]  # fmt: skip
        end = 1.5 * max([least, *(points[-1][0] for *_, points in drawn if points)])
        for one, colour, way, points in drawn:
            label = f"{one.case}: {one.model}" if way == PLAIN else None
            _steps(
                ax, points, least, end, color=colour, linestyle="-" if way == PLAIN else _DASHES, label=label
            )
    for ax, text in ((items, "items after the onset"), (seconds, "seconds after the onset")):
        ax.set(xscale="log", xlabel=text, ylim=(0, 1.02))
        ax.margins(x=0.03)
        grid(ax, "both")
    items.set_ylabel("share of the attacked cases caught")
    items.set_title("Delay in items")
    seconds.set_title(f"Delay in seconds (from {_SOONEST_S:g} s)")
    dashes = [
        Line2D([], [], color=INK, label="plain threshold"),
        Line2D([], [], color=INK, linestyle=_DASHES, label="policy chosen for earliness"),
    ]
    figure.legend(handles=[*items.get_legend_handles_labels()[0], *dashes], loc="outside lower left", ncols=3)
    return inline_svg(
        figure, "delay", "Share of attacked cases caught against the delay, for every kind of case."
    )


def _steps(ax: Axes, points: list[list[float]], least: float, end: float, **look: Any) -> None:
    """Draw recall as steps from the least delay to the end of the axis."""
    delay = np.maximum([least, *(point[0] for point in points)], least)
    recall = [0.0, *(point[1] for point in points)]
    ax.plot(np.append(delay, end), [*recall, recall[-1]], drawstyle="steps-post", linewidth=1.7, **look)
