"""The statistics of a dataset, per column and per kind of traffic.

Kinds of traffic are the kinds of episode (rows labelled attack), ``passed through`` (rows an episode touched
that are no attack, such as frames that were only relayed) and ``normal``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.tsa.seasonal import STL

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.decoding.mqtt import NAMES
from coldaisle_analysis.report.separation import NORMAL, PASSED, separation
from coldaisle_contracts.clock import DAY_S

TOP = 12
"""Values listed per column; all other values are counted together as ``others``."""
QUANTILES = ["min", "5%", "25%", "50%", "75%", "95%", "max"]

COUNTED: dict[columns.Level, tuple[str, ...]] = {
    "packets": (
        "protocol", "ip_src", "ip_dst", "eth_src", "tcp_srcport", "tcp_dstport", "udp_dstport",
        "tcp_flags", "mqtt_msgtype", "role", "weekday", "hour", "day",
    ),
    "readings": ("unit", "sensor", "fate", "weekday", "hour", "day"),
}  # fmt: skip
"""Columns whose values are counted."""

_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
_MESSAGES = {number: name.upper() for number, name in enumerate(NAMES)}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Description:
    """The statistics of a dataset, each a long table.

    Attributes:
        counts: level, column, value, kind, rows, share (of the kind's rows that have a value).
        distributions: level, column, kind, count, mean, std, min, quantiles, max.
        seasonality: unit, sensor, interval_s, trend, daily, chance (strengths in [0, 1]; NaN below two days).
        separation: level, column, kind, rows, auc, information (bits), explained (share of the kind's entropy).
    """

    counts: pd.DataFrame
    distributions: pd.DataFrame
    seasonality: pd.DataFrame
    separation: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write each table as ``<name>.csv`` into a folder; make the folder if it does not exist."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("counts", "distributions", "seasonality", "separation"):
            getattr(self, name).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def describe(packets: pd.DataFrame, readings: pd.DataFrame) -> Description:
    """Return the statistics of a dataset's two levels; a level without a row has none."""
    levels: tuple[tuple[columns.Level, pd.DataFrame], ...] = (("packets", packets), ("readings", readings))
    parts = [(level, frame, traffic_kind(frame)) for level, frame in levels if len(frame)]
    return Description(
        counts=pd.concat([_counts(*part) for part in parts], ignore_index=True),
        distributions=pd.concat([_distributions(*part) for part in parts], ignore_index=True),
        seasonality=seasonality(readings),
        separation=pd.concat([separation(*part) for part in parts], ignore_index=True),
    )


def traffic_kind(frame: pd.DataFrame) -> pd.Series:
    """Return the kind of traffic of each row: a kind of episode, ``passed through`` or ``normal``."""
    kind = frame["kind"].astype("object")
    return kind.mask((kind == NORMAL) & (frame["episode"] != "") & frame["episode"].notna(), PASSED)


def flag_names(bits: int) -> str:
    """Return TCP flag bits as words, such as ``PSH ACK``; ``none`` if no bit is set."""
    return " ".join(name for bit, name in enumerate(_FLAGS) if bits >> bit & 1) or "none"


def _readable(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the values of a column as readable text; rows without a value are left out or missing."""
    values = frame[column]
    match column:
        case "tcp_flags":
            bits = values.dropna().astype(int)
            return bits.map({value: flag_names(value) for value in bits.unique()})
        case "mqtt_msgtype":
            return values.dropna().astype(int).map(_MESSAGES)
        case "weekday":
            return values.astype(int).map(dict(enumerate(WEEKDAYS)))
        case "hour":
            return values.dropna().astype(int).map("{:02d}".format)
    words = values.dropna().astype("str")
    return words[words != ""]


def _counts(level: columns.Level, frame: pd.DataFrame, kind: pd.Series) -> pd.DataFrame:
    """Return the number of rows of each value in each kind of traffic."""
    parts = []
    for column in COUNTED[level]:
        words = _readable(frame, column)
        if words.empty:
            continue
        top = words.value_counts().index[: 24 if column == "hour" else TOP]
        value, values = pd.factorize(words.where(words.isin(top), "others"), sort=True)
        code, kinds = pd.factorize(kind.loc[words.index], sort=True)
        rows = np.bincount(code * len(values) + value, minlength=len(kinds) * len(values))
        long = pd.DataFrame(
            {"value": np.tile(values, len(kinds)), "kind": np.repeat(kinds, len(values)), "rows": rows}
        )
        long["share"] = rows / np.repeat(np.bincount(code), len(values))
        parts.append(long.assign(level=level, column=column))
    names = ["level", "column", "value", "kind", "rows", "share"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _distributions(level: columns.Level, frame: pd.DataFrame, kind: pd.Series) -> pd.DataFrame:
    """Return the distribution of each numeric column in each kind of traffic."""
    names = columns.features(level)
    table = np.column_stack([frame[name].to_numpy(np.float64, na_value=np.nan) for name in names])
    numbers = pd.DataFrame(
        table, columns=names
    )  # in one block: column by column pandas takes four times as long
    parts = []
    for name, rows in numbers.groupby(kind.to_numpy()):
        spread = rows.quantile([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]).set_axis(QUANTILES).T
        summary = pd.DataFrame({"count": rows.count(), "mean": rows.mean(), "std": rows.std()})
        parts.append(
            summary.join(spread).rename_axis("column").reset_index().assign(level=level, kind=str(name))
        )
    long = pd.concat(parts, ignore_index=True)
    return long.loc[long["count"] > 0, ["level", "column", "kind", "count", "mean", "std", *QUANTILES]]


def strength(season: Floats, remainder: Floats) -> float:
    """Return the strength of a component, max(0, 1 - Var(R)/Var(C + R)), in [0, 1].

    Source: Wang, Smith and Hyndman, *Characteristic-based clustering for time series data*, Data Mining and
    Knowledge Discovery 13 (2006), as in Hyndman and Athanasopoulos, *Forecasting*, section 4.3.
    """
    whole = float(np.var(season + remainder))
    return max(0.0, 1 - float(np.var(remainder)) / whole) if whole > 0 else 0.0


def seasonality(readings: pd.DataFrame) -> pd.DataFrame:
    """Return the strength of trend and daily season of each sensor, by STL; attacked readings are interpolated.

    ``chance`` is the daily strength of the same series after each day was rotated by a random time of day (seeded by
    its place in the table). A decomposition finds some season in any noise, so only a strength above this is a season.

    The strengths are NaN where a sensor has less than two days of readings. A weekly season would need two weeks and is not tested.
    """
    rows = []
    for place, ((unit, sensor), rows_of_sensor) in enumerate(
        readings.groupby(["unit", "sensor"], observed=True, sort=True)
    ):
        ordered = rows_of_sensor.sort_values("time")
        interval = float(ordered["time"].diff().dt.total_seconds().median())
        period = round(DAY_S / interval) if interval > 0 else 0
        value = ordered["value"].where(ordered["label"] == 0).interpolate(limit_direction="both").to_numpy()
        trend, daily = _strengths(value, period)
        _, chance = _strengths(_rotated(value, period, np.random.default_rng(place)), period)
        rows.append((unit, sensor, interval, trend, daily, chance))
    return pd.DataFrame(rows, columns=["unit", "sensor", "interval_s", "trend", "daily", "chance"])


def _rotated(value: Floats, period: int, rng: np.random.Generator) -> Floats:
    """Return a series with each day rotated by a random time of day."""
    if period < 1:
        return value
    days = [value[start : start + period] for start in range(0, len(value), period)]
    return np.concatenate([np.roll(day, rng.integers(len(day))) for day in days]) if days else value


def _strengths(value: Floats, period: int) -> tuple[float, float]:
    """Return the strength of trend and season; the season is the same every day (a wide smoother)."""
    if period < 2 or len(value) < 2 * period or np.isnan(value).any():  # noqa: PLR2004 - a season has two points
        return float("nan"), float("nan")
    wide = 10 * (len(value) // period) + 1
    fit = STL(value, period=period, seasonal=wide, seasonal_jump=wide, trend_jump=24, low_pass_jump=24)
    parts = fit.fit(inner_iter=2, outer_iter=0)
    return strength(parts.trend, parts.resid), strength(parts.seasonal, parts.resid)
