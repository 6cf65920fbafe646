"""The report: one HTML file that needs nothing else, computed from the dataset and the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coldaisle_analysis.audit import Result, Status, scorecard
from coldaisle_analysis.audit.scorecard import by_group
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.models import BASELINES, MODELS, WITHOUT_KIND
from coldaisle_analysis.report import kinds, numbers
from coldaisle_analysis.report.conclusions import conclusions
from coldaisle_analysis.report.figures import earliness, models, traffic
from coldaisle_analysis.report.figures.style import FEW, in_order, kind_colour
from coldaisle_analysis.report.lookup import best_row, held_out_of, title
from coldaisle_analysis.report.statistics import Description

TEMPLATES = Path(__file__).parent / "templates"
FIGURES = (
    "delay",
    "week",
    "traffic",
    "spread",
    "seasons",
    "separation",
    "leak",
    "curves",
    "kinds",
    "earliness",
)
"""The figures in the order they stand, which is how they are numbered."""


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Attributes:
        name: id of the run, or how many captures from which.
        title: what stands at the top.
        origin: one sentence on where the traffic comes from.
        facts: label and value of what is known beyond the dataset, such as drops and digest.
        notes: caveats of the data itself, one sentence each.
    """

    name: str
    title: str
    origin: str
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write(
    subject: Subject,
    dataset: Dataset,
    description: Description,
    scored: Sequence[Scored],
    audited: Sequence[Result],
    path: Path,
) -> None:
    """Write the report to a file, its folder made if need be."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "score": numbers.score,
        "number": numbers.number,
        "seconds": numbers.seconds,
    }
    context = _context(subject, dataset, description, scored) | {"audit": _audit(audited)}
    page = environment.get_template("report.html.j2").render(context)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _context(
    subject: Subject, dataset: Dataset, description: Description, scored: Sequence[Scored]
) -> dict[str, Any]:
    split, earliest, speakers = held_out_of(scored), earliness.earliest(scored), earliness.speakers(scored)
    reached = kinds.reach(scored, dataset, description)
    drawn = _figures(dataset, description, scored) | (
        {"delay": earliness.delay(earliest)} if earliest else {}
    )
    return {
        "subject": subject,
        "facts": _facts(subject, dataset),
        "kinds": {kind: kind_colour(kind) for kind in in_order(set(description.counts["kind"]))},
        "figures": drawn,
        "numbers": {name: place for place, name in enumerate(filter(drawn.get, FIGURES), 1)},
        "earliest": earliest,
        "ways": earliness.WAYS,
        "budgets": earliness.budgets(scored),
        "budget_names": list(BUDGETS),
        "reached": reached,
        "without_kind": WITHOUT_KIND if any(one.row["split"] == "kind" for one in scored) else "",
        "speakers": speakers,
        "headline": earliness.headline(speakers),
        "gains": list(earliness.gains(earliest)),
        "counts": numbers.counts(description),
        "spreads": {level: numbers.spreads(description, level) for level in numbers.SPREAD},
        "held_out": split,
        "models": {level: numbers.models(scored, level, split) for level in ("packets", "readings")},
        "best": {level: best_row(scored, level) for level in ("packets", "readings")},
        "title_of": title,
        "bars": BASELINES,
        "untold": [name for name, model in MODELS.items() if not model.supervised],
        "sentences": [
            (topic, list(group))
            for topic, group in groupby(
                conclusions(scored, description, dataset.readings, reached), attrgetter("topic")
            )
        ],
        "few": FEW,
        "levels": LEVELS,
        "attacks": bool((dataset.packets["label"] == 1).any() or (dataset.readings["label"] == 1).any()),
    }


def _audit(results: Sequence[Result]) -> dict[str, Any]:
    """Return how many checks said what, and the results of each group, those that say something first."""
    order = (Status.BAD, Status.LOOK, Status.OK, Status.ABSENT)
    groups = {
        name: sorted(own, key=lambda one: order.index(one.status)) for name, own in by_group(results).items()
    }
    counts = {status: sum(one.status is status for one in results) for status in order}
    return {"counts": counts, "groups": groups, "note": scorecard.NOTE}


def _facts(subject: Subject, dataset: Dataset) -> dict[str, str]:
    """Return the key facts: what the dataset holds, then what the subject adds."""
    packets, readings = dataset.packets, dataset.readings
    touched = [
        frame.loc[frame["episode"].astype(str).ne("") & frame["episode"].notna()]
        for frame in (packets, readings)
    ]
    episodes, attacked = (
        pd.concat([frame["episode"].astype(str) for frame in frames]).nunique()
        for frames in (touched, [frame[frame["label"] == 1] for frame in touched])
    )
    span = (packets["time"].max() - packets["time"].min()) / pd.Timedelta(days=1) if len(packets) else 0.0
    attacks = (int((packets["label"] == 1).sum()), int((readings["label"] == 1).sum()))
    return {
        "packets": f"{len(packets):,}",
        "readings": f"{len(readings):,}",
        "episodes": f"{episodes} ({attacked} attacks)" if attacked < episodes else str(episodes),
        "attack packets": f"{attacks[0]:,} ({attacks[0] / max(len(packets), 1):.2%})",
        "attack readings": f"{attacks[1]:,} ({attacks[1] / max(len(readings), 1):.2%})",
        "length": f"{span:.1f} days" if span >= 1 else f"{span * 24:.1f} h",
        **subject.facts,
    }


def _figures(dataset: Dataset, description: Description, scored: Sequence[Scored]) -> dict[str, str]:
    """Return the inline SVG of every figure that can be drawn from what there is."""
    split = held_out_of(scored)
    drawn = {
        "week": traffic.week(dataset.readings),
        "traffic": traffic.traffic(description),
        "spread": traffic.distributions(dataset.packets),
        "seasons": traffic.seasons(description),
    }
    if len(description.separation):
        drawn["separation"] = traffic.separation(description)
    if split:
        for name, draw in (
            ("leak", models.leak),
            ("curves", models.curves),
            ("kinds", models.kinds),
        ):
            drawn[name] = draw(scored, split)
        drawn["earliness"] = models.earliness(scored, split)
    return {name: svg for name, svg in drawn.items() if svg}
