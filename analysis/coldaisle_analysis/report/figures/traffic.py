"""Figures of the traffic; each function returns inline SVG."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Patch

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.report.figures.style import (
    DAY_COLOUR,
    HAIR,
    QUIET,
    RANDOM_COLOUR,
    SENSOR_COLOURS,
    canvas,
    entry,
    grid,
    grouped,
    heats,
    in_order,
    inline_svg,
    kind_colour,
    styled,
)
from coldaisle_analysis.report.separation import NORMAL, PASSED, best_columns
from coldaisle_analysis.report.statistics import WEEKDAYS, Description, traffic_kind
from coldaisle_contracts.topics import SENSOR_MEANING

MOST_UNITS = 8


@styled
def week(readings: pd.DataFrame) -> str:
    """Draw every sensor of every unit over the run, episodes shaded in the colour of their kind."""
    units = list(dict.fromkeys(readings["unit"].astype(str)))[:MOST_UNITS]
    figure, axes = canvas(len(units), 1, 1.2 + 1.55 * len(units), sharex=True)
    happened = readings[readings["kind"].astype(str) != NORMAL]
    happened = happened.assign(kind=grouped(happened["kind"]))
    is_inrow = all(unit.startswith("inrow-") for unit in units)
    for unit, ax in zip(sorted(units), axes, strict=True):
        rows = readings[readings["unit"] == unit]
        for sensor, line in rows.groupby("sensor", observed=True):
            colour = SENSOR_COLOURS.get(int(str(sensor)), QUIET)
            ax.plot(line["time"], line["value"], color=colour, linewidth=0.7)
        _shade(ax, rows, happened[happened["unit"] == unit])
        ax.set_title(unit)
        ax.set_ylabel("°C" if is_inrow else "value")
        grid(ax)
        ax.margins(x=0.005)
    locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    meaning = (
        SENSOR_MEANING if is_inrow else {number: f"series {number} of the host" for number in SENSOR_COLOURS}
    )
    sensors = [entry(name, SENSOR_COLOURS[number]) for number, name in meaning.items()]
    names = in_order(set(happened["kind"]))
    kinds = [Patch(color=kind_colour(kind), alpha=0.45, label=kind) for kind in names]
    look = {"ncols": 8, "handlelength": 1.4, "columnspacing": 1.3}
    figure.legend(handles=sensors + kinds, loc="outside upper left", **look)
    count = readings.loc[readings["episode"] != "", "episode"].nunique()
    alternative = f"Values of every sensor over time, with {count} episodes shaded by kind."
    return inline_svg(figure, "week", alternative)


def _shade(ax: Axes, readings: pd.DataFrame, touched: pd.DataFrame) -> None:
    """Shade the episodes of one unit."""
    width = readings["time"].drop_duplicates().sort_values().diff().median()
    for (_, kind), rows in touched.groupby(["episode", "kind"], observed=True):
        first, last = rows["time"].min(), rows["time"].max()
        ax.axvspan(first, last + width, color=kind_colour(str(kind)), alpha=0.32, linewidth=0)


@styled
def traffic(description: Description) -> str:
    """Draw packets by protocol for each kind of traffic, and anomalous packets by hour and weekday."""
    counts = description.counts[description.counts["level"] == "packets"]
    counts = counts.assign(kind=grouped(counts["kind"]))
    counts = counts.pivot_table(index=["column", "value", "kind"], values="rows", aggfunc="sum").reset_index()
    counts["share"] = counts["rows"] / counts.groupby(["column", "kind"])["rows"].transform("sum")
    figure, axes = canvas(1, 3, 3.1, width_ratios=[1.25, 1.5, 1])
    _shares(axes[0], counts[counts["column"] == "protocol"])
    for ax, column in zip(axes[1:], ("hour", "weekday"), strict=True):
        _stacked(ax, counts[(counts["column"] == column) & ~counts["kind"].isin([NORMAL, PASSED])], column)
    alternative = (
        "Left: share of each protocol by kind of traffic. Right: anomalous packets by hour and weekday."
    )
    return inline_svg(figure, "traffic", alternative)


_PROTOCOL_COLOURS = ("#1f6f8b", "#8fb8c9", "#d99a00", "#b0654a", "#c5cfd7", "#7a4fb5")


def _shares(ax: Axes, counts: pd.DataFrame) -> None:
    """Draw one bar per kind of traffic, divided by value."""
    table = counts.pivot_table(index="kind", columns="value", values="share", aggfunc="sum", fill_value=0.0)
    order, values = in_order(set(table.index)), list(table.sum().sort_values(ascending=False).index)
    left = np.zeros(len(order))
    for number, value in enumerate(values):
        width = table.loc[order, value].to_numpy()
        ax.barh(order, width, left=left, color=_PROTOCOL_COLOURS[number % 6], height=0.62, label=str(value))
        left += width
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    ax.set_title("Protocols, share of packets")
    _legend_below(ax, 0.42, 3)


def _legend_below(ax: Axes, middle: float, columns: int) -> None:
    place = (middle, -0.1)
    ax.legend(loc="upper center", bbox_to_anchor=place, ncols=columns, handlelength=0.9, columnspacing=1.0)


def _stacked(ax: Axes, counts: pd.DataFrame, column: str) -> None:
    """Draw anomalous packets over hours or weekdays, stacked by kind."""
    places = list(WEEKDAYS) if column == "weekday" else [f"{hour:02d}" for hour in range(24)]
    table = counts.pivot_table(index="value", columns="kind", values="rows", aggfunc="sum", fill_value=0)
    table = table.reindex(places, fill_value=0)
    base = np.zeros(len(places))
    for kind in in_order(set(table.columns)):
        rows = table[kind].to_numpy(dtype=np.float64)
        ax.bar(range(len(places)), rows, bottom=base, color=kind_colour(kind), width=0.78, label=kind)
        base += rows
    labelled = range(0, 24, 3) if column == "hour" else range(7)
    ax.set_xticks(list(labelled), [places[place][:2] for place in labelled])
    ax.set_title("Anomalous packets by local hour" if column == "hour" else "By weekday")
    grid(ax)
    if column == "hour" and base.any():
        _legend_below(ax, 0.5, 2)


_SPREADS = (
    ("frame_len", "Size of a frame, in bytes", False),
    ("flow_iat", "Time since the flow's last packet, in s", True),
    ("flow_duration", "Duration of the flow so far, in s", True),
)


@styled
def distributions(packets: pd.DataFrame) -> str:
    """Draw the cumulative distributions of size, inter-arrival and duration of each kind of traffic."""
    kind = grouped(traffic_kind(packets))
    figure, axes = canvas(1, 3, 2.9, sharey=True)
    kinds = in_order(set(kind))
    for ax, (column, label, logarithmic) in zip(axes, _SPREADS, strict=True):
        for name in kinds:
            values = np.sort(packets.loc[kind == name, column].dropna().to_numpy(dtype=np.float64))
            values = np.maximum(values, 1e-6) if logarithmic else values
            if len(values):
                share = np.linspace(0, 1, 160)
                ax.plot(np.quantile(values, share), share, color=kind_colour(name), linewidth=1.6)
        if logarithmic:
            ax.set_xscale("log")
        ax.set_title(label)
        grid(ax, "both")
    axes[0].yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    handles = [entry(name, kind_colour(name), linewidth=2.4) for name in kinds]
    figure.legend(handles=handles, loc="outside lower left", ncols=6)
    alternative = "Cumulative distributions of frame size, inter-arrival time and flow duration."
    return inline_svg(figure, "spread", alternative)


@styled
def seasons(description: Description) -> str:
    """Draw the strength of trend and daily season of each sensor."""
    table = description.seasonality.dropna()
    if table.empty:
        return ""
    figure, (ax,) = canvas(1, 1, 2.6)
    place = np.arange(len(table))
    ax.vlines(place, 0, table[["trend", "daily"]].max(axis=1), color=HAIR, linewidth=2)
    ax.scatter(place, table["daily"], color=DAY_COLOUR, s=46, label="daily season", zorder=3)
    trend, chance = table["trend"], table["chance"]
    ax.scatter(place, trend, color="white", edgecolors=RANDOM_COLOUR, linewidths=1.8, s=42, label="trend")
    ax.scatter(place, chance, color=QUIET, marker="_", s=120, label="daily season by chance", zorder=4)
    units = table["unit"].astype(str).str.removeprefix("inrow-")
    names = list(units + "·" + table["sensor"].astype(str))
    ax.set_xticks(place, names, rotation=0 if len(names) <= 16 else 90)  # noqa: PLR2004 - fits sixteen sensors
    ax.set_ylim(0, 1.02)
    ax.set_ylabel("strength")
    ax.set_xlabel("unit · sensor")
    grid(ax)
    ax.legend(loc="upper right", ncols=3)
    return inline_svg(figure, "seasons", "Strength of the daily season and of the trend, for each sensor.")


@styled
def separation(description: Description) -> str:
    """Draw how well each of the best columns alone separates each kind from normal traffic."""
    table = description.separation
    tables = {}
    for level in LEARNED:
        rows = table[table["level"] == level]
        if rows.empty:
            continue
        values = rows.pivot_table(index="column", columns="kind", values="auc")
        values = values.reindex(index=best_columns(table, level, 12), columns=in_order(set(values.columns)))
        tables[f"{level.capitalize()}: AUC of one column alone"] = values
    figure = heats(tables, "PuOr_r", (-0.35, 1.35))
    alternative = "AUC of single columns for each kind of anomaly against normal traffic."
    return inline_svg(figure, "separation", alternative)
