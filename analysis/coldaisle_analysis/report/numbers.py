"""What the report's tables hold, and how their numbers are written."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.models import RULE
from coldaisle_analysis.report.figures.style import in_order
from coldaisle_analysis.report.lookup import of, row_of
from coldaisle_analysis.report.statistics import Description

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
ABSENT = "\N{EN DASH}"
LEAST_S = 0.001
"""A shorter time is not told more exactly, s."""


def counts(description: Description) -> dict[str, Any]:
    """Return for each tabled column its kinds and rows of (value, counts and shares by kind)."""
    tables = {}
    found = description.counts[description.counts["level"] == "packets"]
    for column in ("protocol", *TABLED):
        own = found[found["column"] == column]
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


def spreads(description: Description, level: str) -> list[dict[str, Any]]:
    """Return the distributions of the columns the report tells of."""
    table = description.distributions
    own = table[(table["level"] == level) & table["column"].isin(SPREAD[level])]
    order = {name: place for place, name in enumerate(SPREAD[level])}
    rank = {name: place for place, name in enumerate(in_order(set(own["kind"])))}
    own = own.assign(order=own["column"].map(order), rank=own["kind"].map(rank)).sort_values(
        ["order", "rank"]
    )
    return [{str(key): value for key, value in row.items()} for row in own.to_dict("records")]


def models(scored: Sequence[Scored], level: str, split: str) -> list[dict[str, Any]]:
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


def score(value: float | None) -> str:
    """Return a score with three decimals."""
    return ABSENT if value is None or np.isnan(value) else f"{value:.3f}"


def number(value: float | None) -> str:
    """Return a number with as many digits as it deserves."""
    if value is None or np.isnan(value):
        return ABSENT
    if value == 0:
        return "0"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - thousands need no decimals


def seconds(value: float | None) -> str:
    """Return a time, to two digits where it is short."""
    if value is None or np.isnan(value):
        return ABSENT
    if 0 < value < LEAST_S:
        return f"< {LEAST_S:g} s"
    return f"{value:,.0f} s" if value >= 10 else f"{value:.2g} s"  # noqa: PLR2004 - two digits
