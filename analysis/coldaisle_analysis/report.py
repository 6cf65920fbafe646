"""The report: one HTML file that needs nothing else, computed from the dataset and the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coldaisle_analysis import figures, reach, scoreboard, timeliness
from coldaisle_analysis.audit import Result, Status, scorecard
from coldaisle_analysis.audit.scorecard import by_group
from coldaisle_analysis.conclusions import conclusions
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.describe import Description
from coldaisle_analysis.drawing import in_order, kind_colour
from coldaisle_analysis.early import BUDGETS
from coldaisle_analysis.metrics import Scored
from coldaisle_analysis.models import BARS, MODELS, RULE
from coldaisle_analysis.standings import best_row, held_out_of, of, row_of, title

TEMPLATES = Path(__file__).parent / "templates"
TABLED = (
    "ip_src",
    "ip_dst",
    "tcp_srcport",
    "tcp_dstport",
    "tcp_flags",
    "mqtt_msgtype",
    "weekday",
    "hour",
    "role",
)
"""Columns of packets whose counts the report unfolds on request; the CSV tables have all."""
ABSENT = "\N{EN DASH}"
LEAST_S = 0.001
"""A shorter time is not told more exactly, s."""
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
SPREAD = {
    "packets": (
        "frame_len",
        "flow_iat",
        "dir_iat",
        "flow_duration",
        "flow_mean_bytes",
        "flow_packets",
        "publish_iat",
    ),
    "readings": ("value", "abs_diff", "dev_siblings", "deliveries", "late"),
}


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
    environment.filters |= {"score": _score, "number": _number, "seconds": _seconds}
    context = _context(subject, dataset, description, scored) | {"audit": _audit(audited)}
    page = environment.get_template("report.html.j2").render(context)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _context(
    subject: Subject, dataset: Dataset, description: Description, scored: Sequence[Scored]
) -> dict[str, Any]:
    split, earliest, speakers = held_out_of(scored), timeliness.earliest(scored), timeliness.speakers(scored)
    reached = reach.reach(scored, dataset, description)
    drawn = _figures(dataset, description, scored) | (
        {"delay": timeliness.delay(earliest)} if earliest else {}
    )
    return {
        "subject": subject,
        "facts": _facts(subject, dataset),
        "kinds": {kind: kind_colour(kind) for kind in in_order(set(description.counts["kind"]))},
        "figures": drawn,
        "numbers": {name: place for place, name in enumerate(filter(drawn.get, FIGURES), 1)},
        "earliest": earliest,
        "ways": timeliness.WAYS,
        "budgets": timeliness.budgets(scored),
        "budget_names": list(BUDGETS),
        "reached": reached,
        "without_kind": next((one.row["model"] for one in scored if one.row["split"] == "kind"), ""),
        "speakers": speakers,
        "headline": timeliness.headline(speakers),
        "gains": list(timeliness.gains(earliest)),
        "counts": _count_tables(description),
        "spreads": {level: _spread_table(description, level) for level in SPREAD},
        "held_out": split,
        "models": {level: _model_table(scored, level, split) for level in ("packets", "readings")},
        "best": {level: best_row(scored, level) for level in ("packets", "readings")},
        "title_of": title,
        "bars": BARS,
        "untold": [name for name, model in MODELS.items() if not model.told],
        "sentences": [
            (topic, list(group))
            for topic, group in groupby(
                conclusions(scored, description, dataset.readings, reached), attrgetter("topic")
            )
        ],
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
    episodes = pd.concat([packets["episode"].astype(str), readings["episode"].astype(str)])
    span = (packets["time"].max() - packets["time"].min()) / pd.Timedelta(days=1) if len(packets) else 0.0
    attacks = (int((packets["label"] == 1).sum()), int((readings["label"] == 1).sum()))
    return {
        "packets": f"{len(packets):,}",
        "readings": f"{len(readings):,}",
        "episodes": str(episodes[~episodes.isin(["", "nan"])].nunique()),
        "attack packets": f"{attacks[0]:,} ({attacks[0] / max(len(packets), 1):.2%})",
        "attack readings": f"{attacks[1]:,} ({attacks[1] / max(len(readings), 1):.2%})",
        "length": f"{span:.1f} days" if span >= 1 else f"{span * 24:.1f} h",
        **subject.facts,
    }


def _figures(dataset: Dataset, description: Description, scored: Sequence[Scored]) -> dict[str, str]:
    """Return the inline SVG of every figure that can be drawn from what there is."""
    split = held_out_of(scored)
    drawn = {
        "week": figures.week(dataset.readings),
        "traffic": figures.traffic(description),
        "spread": figures.distributions(dataset.packets),
        "seasons": figures.seasons(description),
    }
    if len(description.separation):
        drawn["separation"] = figures.separation(description)
    if split:
        for name, draw in (
            ("leak", scoreboard.leak),
            ("curves", scoreboard.curves),
            ("kinds", scoreboard.kinds),
        ):
            drawn[name] = draw(scored, split)
        drawn["earliness"] = scoreboard.earliness(scored, split)
    return {name: svg for name, svg in drawn.items() if svg}


def _count_tables(description: Description) -> dict[str, Any]:
    """Return for each tabled column its kinds and rows of (value, counts and shares by kind)."""
    tables = {}
    counts = description.counts[description.counts["level"] == "packets"]
    for column in ("protocol", *TABLED):
        own = counts[counts["column"] == column]
        if own.empty:
            continue
        names = in_order(set(own["kind"]))
        rows = own.pivot_table(index="value", columns="kind", values="rows", aggfunc="sum", fill_value=0)[
            names
        ]
        shares = own.pivot_table(
            index="value", columns="kind", values="share", aggfunc="sum", fill_value=0.0
        )[names]
        order = (
            rows.index
            if column in ("hour", "weekday")
            else rows.sum(axis=1).sort_values(ascending=False).index
        )
        cells = [(value, list(zip(rows.loc[value], shares.loc[value], strict=True))) for value in order]
        tables[column] = {"kinds": names, "rows": cells}
    return tables


def _spread_table(description: Description, level: str) -> list[dict[str, Any]]:
    """Return the distributions of the columns the report tells of."""
    table = description.distributions
    own = table[(table["level"] == level) & table["column"].isin(SPREAD[level])]
    order = {name: place for place, name in enumerate(SPREAD[level])}
    rank = {name: place for place, name in enumerate(in_order(set(own["kind"])))}
    own = own.assign(order=own["column"].map(order), rank=own["kind"].map(rank)).sort_values(
        ["order", "rank"]
    )
    return [{str(key): value for key, value in row.items()} for row in own.to_dict("records")]


def _model_table(scored: Sequence[Scored], level: str, split: str) -> list[dict[str, Any]]:
    """Return the rows of a level's model table, the best honest F1 first, each with its random twin."""
    rows = [one.row for one in of(scored, level, split, f"{split}+identity")]
    suffix = {True: "random+identity", False: "random"}
    twins = [row_of(scored, level, suffix["+" in row["split"]], row["model"]) for row in rows]
    rule = row_of(scored, level, split, RULE)
    table = [
        {**row, "random": twin, "gain": row["f1"] - rule["f1"] if rule else None}
        for row, twin in zip(rows, twins, strict=True)
    ]
    return sorted(table, key=lambda row: -float(row["f1"]))


def _score(value: float | None) -> str:
    return ABSENT if value is None or np.isnan(value) else f"{value:.3f}"


def _number(value: float | None) -> str:
    """Return a number with as many digits as it deserves."""
    if value is None or np.isnan(value):
        return ABSENT
    if value == 0:
        return "0"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - thousands need no decimals


def _seconds(value: float | None) -> str:
    if value is None or np.isnan(value):
        return ABSENT
    if 0 < value < LEAST_S:
        return f"< {LEAST_S:g} s"
    return f"{value:,.0f} s" if value >= 10 else f"{value:.2g} s"  # noqa: PLR2004 - two digits
