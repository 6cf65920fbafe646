"""Figures of the models' scores; each function returns inline SVG."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import BASELINES
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
    heats,
    in_order,
    inline_svg,
    styled,
)
from coldaisle_analysis.report.lookup import results_of, title

_ERDE: tuple[
    tuple[Literal["erde_5", "erde_50"], Literal["erde_5_bounds", "erde_50_bounds"], str, str], ...
] = (("erde_5", "erde_5_bounds", DAY_COLOUR, "o"), ("erde_50", "erde_50_bounds", RANDOM_COLOUR, "s"))

_CURVES = ("#1f6f8b", "#d99a00", "#7a4fb5", "#c8442f", "#2f8f6b")


def _by_level(scored: Sequence[Scored], held_out: str) -> dict[str, list[Scored]]:
    """Return the results of each level on the grouped split, without levels that have none."""
    return {level: results for level in LEARNED if (results := results_of(scored, level, held_out))}


def _ranked(results: Sequence[Scored], key: Callable[[MetricsRow], float]) -> list[MetricsRow]:
    return sorted((result.row for result in results), key=key)


def _panels(
    scored: Sequence[Scored], held_out: str, height: float, **options: Any
) -> tuple[Figure, list[tuple[Axes, str, list[Scored]]]]:
    """Return a figure, and for each level its axes, its name and its results."""
    levels = _by_level(scored, held_out)
    figure, axes = canvas(1, len(levels), height, **options)
    return figure, list(zip(axes, levels, levels.values(), strict=True))


@styled
def leak(scored: Sequence[Scored], held_out: str) -> str:
    """Draw F1 of every model with whole days (or blocks) held out, and with rows split at random."""
    figure, panels = _panels(scored, held_out, 4.3, sharex=True)
    for ax, level, _ in panels:
        _dumbbells(ax, scored, level, held_out)
    grouped = f"whole {held_out}s held out"
    handles = [
        entry(f"{grouped}, 95 % interval", DAY_COLOUR, marker="o", linewidth=2),
        entry("rows split at random (leaks)", RANDOM_COLOUR, marker="D", linewidth=0),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    return inline_svg(figure, "leak", f"F1 of every model with {grouped}, and with rows split at random.")


def _dumbbells(ax: Axes, scored: Sequence[Scored], level: str, held_out: str) -> None:
    """Draw one line per model: interval and F1 on the grouped split, F1 on the random split."""
    rows = _ranked(results_of(scored, level, held_out, f"{held_out}+identity"), lambda row: row["f1"])
    random = {
        (result.row["model"], "+" in result.row["split"]): result.row["f1"]
        for result in results_of(scored, level, "random", "random+identity")
    }
    for place, row in enumerate(rows):
        interval, line = row["intervals"]["f1"], [place, place]
        ax.plot(interval, line, color=DAY_COLOUR, linewidth=5, alpha=0.22, solid_capstyle="round")
        leaked = random.get((row["model"], "+" in row["split"]))
        if leaked is not None:
            ax.plot([row["f1"], leaked], line, color=HAIR, linewidth=1.2, zorder=1)
            ax.scatter([leaked], [place], color=RANDOM_COLOUR, marker="D", s=30, zorder=3)
        ax.scatter([row["f1"]], [place], color=DAY_COLOUR, s=42, zorder=4)
    ax.set_yticks(range(len(rows)), [title(row["model"], row["split"]) for row in rows])
    ax.set_xlim(-0.02, 1.03)
    ax.set_title(f"{level.capitalize()}: F1")
    grid(ax, "x")


@styled
def curves(scored: Sequence[Scored], held_out: str) -> str:
    """Draw the PR curves of the five models with the best average precision, and the base rate."""
    figure, panels = _panels(scored, held_out, 3.9, sharey=True)
    for ax, level, results in panels:
        models = [result for result in results if result.row["model"] not in BASELINES]
        models.sort(key=lambda result: -result.row["average_precision"])
        for result, colour in zip(models, _CURVES, strict=False):
            label = f"{title(result.row['model'])}  {result.row['average_precision']:.2f}"
            ax.step(result.recall, result.precision, where="post", color=colour, linewidth=1.7, label=label)
        rate = results[0].row["attack_rows"] / results[0].row["rows"]
        ax.axhline(rate, color=QUIET, linewidth=1, linestyle=DASHED, label=f"base rate  {rate:.2g}")
        ax.set(xlim=(0, 1.01), ylim=(0, 1.03), xlabel="recall")
        ax.set_title(f"{level.capitalize()}: whole {held_out}s held out")
        grid(ax, "both")
        ax.legend(loc="best", title="average precision", title_fontsize=9, alignment="left")
    panels[0][0].set_ylabel("precision")
    return inline_svg(figure, "curves", "Precision against recall of the five best models of each level.")


@styled
def kinds(scored: Sequence[Scored], held_out: str) -> str:
    """Draw the recall of every model on every kind."""
    tables = {}
    for level, results in _by_level(scored, held_out).items():
        rows = _ranked(results, lambda row: -row["f1"])
        table = pd.DataFrame({title(row["model"]): row["recall_per_kind"] for row in rows}).T
        heading = f"{level.capitalize()}: share of each kind's rows caught"
        tables[heading] = table[in_order(set(table.columns))]
    figure = heats(tables, "GnBu", (0.0, 1.6))
    return inline_svg(figure, "kinds", "Recall of every model on every kind of attack.")


@styled
def earliness(scored: Sequence[Scored], held_out: str) -> str:
    """Draw ERDE_5 and ERDE_50 of every model, between the scores of a perfect detector and of one that never alarms."""
    figure, panels = _panels(scored, held_out, 4.3)
    for ax, level, results in panels:
        rows = [result.row for result in results]
        thresholds = [(row["model"], next(iter(row["early"].values()))["threshold"]) for row in rows]
        models, alarms = zip(*sorted(thresholds, key=lambda pair: -pair[1]["erde_5"]), strict=True)
        places = range(len(models))
        for name, bounds, colour, marker in _ERDE:
            ax.axvline(alarms[0][bounds][0], color=colour, linewidth=1, linestyle=DASHED)
            ax.scatter([row[name] for row in alarms], places, color=colour, marker=marker, s=34, zorder=3)
        ax.axvline(alarms[0]["erde_5_bounds"][1], color=INK, linewidth=1, linestyle=DASHED)
        ax.set_yticks(places, list(map(title, models)))
        ax.set_title(f"{level.capitalize()}: ERDE, lower is better")
        grid(ax, "x")
    handles = [
        *(entry(name.upper(), colour, marker=marker, linewidth=0) for name, _, colour, marker in _ERDE),
        entry("bounds: perfect (coloured), never alarms (dark)", QUIET, linestyle=DASHED),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    return inline_svg(figure, "earliness", "ERDE of every model between its bounds.")
