"""The rows of the report's tables, and the format of their numbers."""

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import RULE
from coldaisle_analysis.report.figures.style import in_order
from coldaisle_analysis.report.lookup import results_of, row_of
from coldaisle_analysis.report.statistics import QUANTILES, Description

TABLED = (
    "ip_src", "ip_dst", "tcp_srcport", "tcp_dstport", "tcp_flags", "mqtt_msgtype", "weekday", "hour", "role",
)  # fmt: skip
"""Columns of packets whose counts the report shows; the CSV tables have all columns."""
SPREAD = {
    "packets": ("frame_len", "flow_iat", "dir_iat", "flow_duration", "flow_mean_bytes", "flow_packets", "publish_iat"),
    "readings": ("value", "abs_diff", "dev_siblings", "deliveries", "late"),
}  # fmt: skip
"""Columns of each level whose distributions the report shows."""
ABSENT = "\N{EN DASH}"
SHORTEST_S = 0.001
"""A shorter time is shown as less than this, in s."""


@dataclass(frozen=True)
class CountTable:
    """The values of a column, counted by kind of traffic.

    Attributes:
        kinds: the kinds, a table column each.
        rows: each value with its (count, share of the kind's rows) by kind.
    """

    kinds: list[str]
    rows: list[tuple[Hashable, list[tuple[int, float]]]]


@dataclass(frozen=True)
class Spread:
    """The distribution of a column in a kind of traffic.

    Attributes:
        column: the column.
        kind: the kind.
        count: rows that have a value.
        numbers: mean, standard deviation and quantiles, in the order of the table.
    """

    column: str
    kind: str
    count: float
    numbers: list[float]


@dataclass(frozen=True)
class ModelResult:
    """A row of a level's table of models.

    Attributes:
        row: the row of the metrics, on the grouped split.
        random_f1: F1 of the same model with rows split at random, ``None`` if it was not scored.
        gain: F1 less that of the operator's rule, ``None`` without the rule.
    """

    row: MetricsRow
    random_f1: float | None
    gain: float | None


def counts(description: Description) -> dict[str, CountTable]:
    """Return the table of counts of each tabled column of packets."""
    tables = {}
    packets = description.counts[description.counts["level"] == "packets"]
    for column in ("protocol", *TABLED):
        counted = packets[packets["column"] == column]
        if counted.empty:
            continue
        kinds = in_order(set(counted["kind"]))
        rows, shares = (
            counted.pivot(index="value", columns="kind", values=name)[kinds] for name in ("rows", "share")
        )
        if column not in ("hour", "weekday"):
            rows = rows.loc[rows.sum(axis=1).sort_values(ascending=False).index]
        cells = [(value, list(zip(rows.loc[value], shares.loc[value], strict=True))) for value in rows.index]
        tables[column] = CountTable(kinds, cells)
    return tables


def spreads(description: Description, level: str) -> list[Spread]:
    """Return the distributions of the columns of a level that the report shows."""
    table = description.distributions[description.distributions["level"] == level]
    rows = {(row["column"], row["kind"]): row for row in table.to_dict("records")}
    pairs = itertools.product(SPREAD[level], in_order(set(table["kind"])))
    return [
        Spread(*pair, row["count"], [row[name] for name in ("mean", "std", *QUANTILES)])
        for pair in pairs
        if (row := rows.get(pair))
    ]


def models(scored: Sequence[Scored], level: str, split: str) -> list[ModelResult]:
    """Return the results of a level's models on a grouped split, the best F1 first."""
    rule = row_of(scored, level, split, RULE)
    results = []
    for row in (result.row for result in results_of(scored, level, split, f"{split}+identity")):
        name = "random+identity" if "+" in row["split"] else "random"
        random = row_of(scored, level, name, row["model"])
        gain = row["f1"] - rule["f1"] if rule else None
        results.append(ModelResult(row, random["f1"] if random else None, gain))
    return sorted(results, key=lambda result: -result.row["f1"])


def score(value: float | None) -> str:
    """Return a score with three decimals."""
    return ABSENT if value is None or np.isnan(value) else f"{value:.3f}"


def number(value: float | None) -> str:
    """Return a number with three significant digits, none after the point from 1000 on."""
    if value is None or np.isnan(value):
        return ABSENT
    if value == 0:
        return "0"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - thousands need no decimals


def seconds(value: float | None) -> str:
    """Return a time in s, with two digits below 10 s."""
    if value is None or np.isnan(value):
        return ABSENT
    if 0 < value < SHORTEST_S:
        return f"< {SHORTEST_S:g} s"
    return f"{value:,.0f} s" if value >= 10 else f"{value:.2g} s"  # noqa: PLR2004 - two digits
