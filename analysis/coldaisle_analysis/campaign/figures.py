"""Figures of a campaign's report; each function returns inline SVG."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from coldaisle_analysis.campaign.learners import LEARNERS
from coldaisle_analysis.campaign.results import CampaignMetrics, KindRow, LearningPoint
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.report.figures.style import (
    DASHED,
    DAY_COLOUR,
    HAIR,
    INK,
    QUIET,
    RANDOM_COLOUR,
    canvas,
    entry,
    grid,
    in_order,
    inline_svg,
    kind_colour,
    styled,
)

_COLOURS = {
    "rule": QUIET,
    "logistic_regression": "#7a4fb5",
    "random_forest": DAY_COLOUR,
}

NEAREST = 1.25
"""Least ratio of two numbers of weeks whose labels do not touch."""


@styled
def curve(points: Sequence[LearningPoint]) -> str:
    """Draw F1 against the number of training weeks."""
    levels = [level for level in LEARNED if any(point["level"] == level for point in points)]
    figure, axes = canvas(1, len(levels), 3.9, sharey=True)
    models = [model for model in _COLOURS if any(point["model"] == model for point in points)]
    for ax, level in zip(axes, levels, strict=True):
        weeks = sorted({point["weeks"] for point in points if point["level"] == level})
        for model in models:
            _line(
                ax, [point for point in points if (point["level"], point["model"]) == (level, model)], model
            )
        ax.set_xscale("log", base=2)
        ax.set_xticks(weeks, labels_of(weeks))
        ax.minorticks_off()
        ax.set(ylim=(0, 1.02), xlabel="training weeks", title=f"{level.capitalize()}: F1 on the test weeks")
        grid(ax)
    handles = [entry(LEARNERS[model].model.title, _COLOURS[model], marker="o") for model in models]
    figure.legend(handles=handles, loc="outside lower left", ncols=4)
    return inline_svg(figure, "curve", "F1 against the number of training weeks, with 95 % intervals.")


def labels_of(weeks: Sequence[int]) -> list[str]:
    """Return the labels of numbers of weeks in order, on an axis of powers of two; one that the next would cover is left empty."""
    following = [*weeks[1:], NEAREST * weeks[-1]] if weeks else []
    return [str(at) if after >= NEAREST * at else "" for at, after in zip(weeks, following, strict=True)]


def _line(ax: Axes, points: Sequence[LearningPoint], model: str) -> None:
    points = sorted(points, key=lambda point: point["weeks"])
    weeks = [point["weeks"] for point in points]
    low, high = zip(*(point["intervals"]["f1"] for point in points), strict=True)
    ax.plot(weeks, [point["f1"] for point in points], color=_COLOURS[model], marker="o", markersize=4)
    ax.fill_between(weeks, low, high, color=_COLOURS[model], alpha=0.12, linewidth=0)


@styled
def kinds(rows: Sequence[KindRow]) -> str:
    """Draw the recall of each kind with its interval, what left a trace, and the recall of a model that never saw the kind."""
    levels = [level for level in LEARNED if any(row["level"] == level for row in rows)]
    counts = [sum(row["level"] == level for row in rows) for level in levels]
    figure, axes = canvas(
        len(levels), 1, 1.3 * len(levels) + 0.25 * sum(counts), height_ratios=[2 + count for count in counts]
    )
    for ax, level in zip(axes, levels, strict=True):
        by_kind = {row["kind"]: row for row in rows if row["level"] == level}
        order = in_order(set(by_kind))[::-1]
        for place, kind in enumerate(order):
            _recall(ax, place, by_kind[kind])
        names = [
            f"{kind}  ({by_kind[kind]['episodes']} of {by_kind[kind]['train_episodes'] + by_kind[kind]['episodes']})"
            for kind in order
        ]
        ax.set_yticks(range(len(order)), names)
        ax.set(
            xlim=(-0.02, 1.02),
            ylim=(-0.7, len(order) - 0.3),
            title=f"{level.capitalize()}: share of each kind's rows caught",
        )
        grid(ax, "x")
    handles = [
        entry("recall, 95 % by episode", INK, marker="o"),
        entry("kind left out of training", RANDOM_COLOUR, marker="D", linewidth=0),
        *(
            [entry("share that left a trace", QUIET, linestyle=DASHED)]
            if not all(np.isnan(row["seen"]) for row in rows)
            else []
        ),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    return inline_svg(figure, "kinds", "Recall of each kind of attack with its interval.")


def _recall(ax: Axes, place: int, row: KindRow) -> None:
    colour = kind_colour(row["kind"])
    ax.plot(row["interval"], [place, place], color=colour, linewidth=5, alpha=0.35, solid_capstyle="butt")
    ax.scatter(row["recall"], place, color=colour, s=34, zorder=3)
    if not np.isnan(row["unseen"]):
        ax.scatter(row["unseen"], place, color=RANDOM_COLOUR, marker="D", s=18, zorder=2)
    if not np.isnan(row["seen"]):
        ax.plot([row["seen"]] * 2, [place - 0.4, place + 0.4], color=QUIET, linestyle=DASHED, linewidth=1.2)


@styled
def transfer(metrics: CampaignMetrics) -> str:
    """Draw F1 of every pair of what was learned from and what was tested on."""
    rows = metrics["transfer"]
    levels = [level for level in LEARNED if any(row["level"] == level for row in rows)]
    tested, trained = (list(dict.fromkeys(row[side] for row in rows)) for side in ("tested_on", "trained_on"))
    figure, axes = canvas(1, len(levels), 1.5 + 0.5 * len(trained))
    for ax, level in zip(axes, levels, strict=True):
        cells = {(row["trained_on"], row["tested_on"]): row["f1"] for row in rows if row["level"] == level}
        table = np.array([[cells.get((one, other), np.nan) for other in tested] for one in trained])
        ax.imshow(table, cmap="GnBu", vmin=0, vmax=1.6, aspect="auto")
        for (row, column), value in np.ndenumerate(table):
            ax.text(
                column, row, "" if np.isnan(value) else f"{value:.2f}", ha="center", va="center", color=INK
            )
        ax.set_xticks(range(len(tested)), tested)
        ax.set_yticks(range(len(trained)), trained)
        ax.set(xlabel="tested on", title=f"{level.capitalize()}: F1")
        ax.spines[:].set_color(HAIR)
    axes[0].set_ylabel("trained on")
    return inline_svg(figure, "transfer", "F1 of a model trained on one scenario and tested on another.")
