"""The figure of recall against delay; it returns inline SVG."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from coldaisle_analysis.report.decision_rules import DECISION_RULES, CaseResult
from coldaisle_analysis.report.figures.style import INK, canvas, entry, grid, inline_svg, styled
from coldaisle_analysis.report.lookup import BEST_F1

_SHORTEST_S = 0.01
"""Start of the time axis, in s: a case that is caught at its onset is drawn there."""
_DASHES = (0, (4, 2))
_COLOURS = ("#1f6f8b", "#c8442f", "#7a4fb5")


@styled
def delay(results: Sequence[CaseResult]) -> str:
    """Draw recall against delay, in items and in s, with one line for each kind of case and decision rule."""
    figure, (items, seconds) = canvas(1, 2, 3.7, sharey=True)
    sides: tuple[tuple[Axes, Literal["recall_by_items", "recall_by_seconds"], float], ...]
    sides = ((items, "recall_by_items", 1.0), (seconds, "recall_by_seconds", _SHORTEST_S))
    for ax, name, least in sides:
        drawn = [(result, colour, rule, curves[name]) for result, colour in zip(results, _COLOURS, strict=False)
                 for rule, curves in result.curves.items()]  # fmt: skip
        end = 1.5 * max([least, *(points[-1][0] for *_, points in drawn if points)])
        for result, colour, rule, points in drawn:
            label = f"{result.case}: {result.model}" if rule == BEST_F1 else None
            line = "-" if rule == BEST_F1 else _DASHES
            _steps(ax, points, least, end, color=colour, linestyle=line, label=label)
    for ax, text in ((items, "items after the onset"), (seconds, "seconds after the onset")):
        ax.set(xscale="log", xlabel=text, ylim=(0, 1.02))
        ax.margins(x=0.03)
        grid(ax, "both")
    items.set_ylabel("share of the attacked cases caught")
    items.set_title("Delay in items")
    seconds.set_title(f"Delay in seconds (from {_SHORTEST_S:g} s)")
    rules = [
        entry(DECISION_RULES[BEST_F1], INK),
        entry("policy chosen for earliness", INK, linestyle=_DASHES),
    ]
    figure.legend(handles=[*items.get_legend_handles_labels()[0], *rules], loc="outside lower left", ncols=3)
    alternative = "Share of attacked cases caught against the delay, for every kind of case."
    return inline_svg(figure, "delay", alternative)


def _steps(ax: Axes, points: list[list[float]], least: float, end: float, **look: Any) -> None:
    """Draw recall as steps from the least delay to the end of the axis."""
    delay = np.maximum([least, *(point[0] for point in points)], least)
    recall = [0.0, *(point[1] for point in points)]
    ax.plot(np.append(delay, end), [*recall, recall[-1]], drawstyle="steps-post", linewidth=1.7, **look)
