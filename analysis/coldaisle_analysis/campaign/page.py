"""The report of a campaign: one self-contained HTML page, to be read in two minutes."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from coldaisle_analysis.campaign import figures
from coldaisle_analysis.campaign.findings import best_of
from coldaisle_analysis.campaign.learners import LEARNERS, PROBE
from coldaisle_analysis.campaign.results import CampaignMetrics, KindRow, LearningPoint, ModelRow
from coldaisle_analysis.campaign.selection import ROLES, Selection
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.models import BASELINES
from coldaisle_analysis.report.page import environment

_MISSED = 0.5
"""Recall below which a kind counts as missed."""


def write(metrics: CampaignMetrics, selection: Selection, path: Path) -> None:
    """Write the report to a file; make its folder if it does not exist.

    Args:
        metrics: the results.
        selection: the weeks that were analysed.
        path: the file.
    """
    page = environment().get_template("campaign.html.j2").render(_context(metrics, selection))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _context(metrics: CampaignMetrics, selection: Selection) -> dict[str, object]:
    levels = [level for level in LEARNED if any(row["level"] == level for row in metrics["models"])]
    models = {level: [row for row in metrics["models"] if row["level"] == level] for level in levels}
    return {
        "metrics": metrics,
        "levels": levels,
        "models": {level: sorted(rows, key=lambda row: -row["f1"]) for level, rows in models.items()},
        "best": {level: best_of(rows) for level, rows in models.items()},
        "kinds": {level: [row for row in metrics["kinds"] if row["level"] == level] for level in levels},
        "answers": [sentence for level in levels for sentence in _answers(level, models[level], metrics)],
        "facts": _facts(metrics, selection),
        "weeks": {role: [week.name for week in selection.of(role)] for role in ROLES},
        "figures": _figures(metrics),
        "budgets": list(BUDGETS),
        "titles": {name: learner.model.title for name, learner in LEARNERS.items()},
        "baselines": BASELINES,
        "probe": LEARNERS[PROBE].model.title,
        "sealed": [
            (week.name, selection.manifests[week.digest].semantic_digest[:12]) for week in selection.weeks
        ],
        "has_traces": any(not np.isnan(row["seen"]) for row in metrics["kinds"]),
    }


def _figures(metrics: CampaignMetrics) -> dict[str, str]:
    """Return the inline SVG of every figure that the results allow."""
    drawn = {}
    if metrics["curve"]:
        drawn["curve"] = figures.curve(metrics["curve"])
    if metrics["kinds"]:
        drawn["kinds"] = figures.kinds(metrics["kinds"])
    if metrics["transfer"]:
        drawn["transfer"] = figures.transfer(metrics)
    return drawn


def _facts(metrics: CampaignMetrics, selection: Selection) -> dict[str, str]:
    """Return the key figures of a campaign."""
    cost, counts = metrics["cost"], [manifest.counts for manifest in selection.manifests.values()]
    days = sum(count["days"] for count in counts)
    missing = f", {len(selection.missing)} missing" if selection.missing else ""
    return {
        "weeks, as sealed": f"{len(selection.weeks)}{missing}",
        "days": f"{days:,}",
        "packets": f"{cost['packets']:,}",
        "readings": f"{cost['readings']:,}",
        "episodes": f"{sum(count['episodes'] for count in counts):,}",
        "kernel drops": f"{sum(count['kernel_drops'] for count in counts):,}",
        "to learn, set, test": ", ".join(str(len(selection.of(role))) for role in ROLES),
        "playing took": f"{cost['play_h']:.2f} machine-hours",
        "analysing took": str(timedelta(seconds=round(cost["analysis_s"]))),
        "scenarios": ", ".join(selection.scenarios),
    }


def _answers(level: str, rows: Sequence[ModelRow], metrics: CampaignMetrics) -> Iterator[str]:
    """Yield what a level tells, one sentence each, the most important first."""
    best = best_of(rows)
    low, high = best["intervals"]["f1"]
    title = LEARNERS[best["model"]].model.title
    yield (
        f"{level.capitalize()}: {title}, learned from {len(metrics['train'])} weeks, reaches F1 {best['f1']:.3f} "
        f"({low:.3f} to {high:.3f}) on {len(metrics['test'])} test weeks: it alarms at {best['recall']:.0%} of "
        f"{best['attack_rows']:,} attack rows, and {best['precision']:.0%} of its alarming rows are attacks."
    )
    if "visible" in best:
        yield (
            f"Counting only attack {level} that left a trace, {best['visible']['attack_rows']:,} of "
            f"{best['attack_rows']:,}, its F1 is {best['visible']['f1']:.3f}."
        )
    yield from _gain(level, [point for point in metrics["curve"] if point["level"] == level], best["model"])
    yield from _missed(level, [row for row in metrics["kinds"] if row["level"] == level])


def _gain(level: str, points: Sequence[LearningPoint], model: str) -> Iterator[str]:
    """Yield what more weeks bring."""
    own = sorted((point for point in points if point["model"] == model), key=lambda point: point["weeks"])
    if len(own) > 1:
        first, last = own[0], own[-1]
        yield f"With {first['weeks']} training week{'s' * (first['weeks'] > 1)} its F1 on {level} is {first['f1']:.3f}, with {last['weeks']} it is {last['f1']:.3f}."


def _missed(level: str, rows: Sequence[KindRow]) -> Iterator[str]:
    """Yield the kinds that are mostly missed."""
    missed = sorted((row for row in rows if row["recall"] < _MISSED), key=lambda row: -row["attack_rows"])
    if missed:
        parts = [f"{row['kind']} ({row['recall']:.0%} of {row['attack_rows']:,} rows)" for row in missed]
        yield f"Mostly missed among {level}: {', '.join(parts)}."
    elif rows:
        yield f"Of every kind, at least half of the attack {level} are caught."
