"""A level of one play, ready to be compared: what a model may use of each row, and what the row is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.columns import SIZED, Level, columns, learned
from coldaisle_analysis.forecast import kalman
from coldaisle_analysis.forecast.columns import columns_of, learn_site, sensor_values
from coldaisle_analysis.forecast.kalman import Site
from coldaisle_analysis.twins.keys import Keys, keys_of
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Plan

Trace = Literal["wire", "timing", "values"]
TRACES: tuple[Trace, ...] = ("wire", "timing", "values")
"""The groups of columns in which an attack can leave a trace: sizes, counts and codes; times; temperatures."""
FORECAST: tuple[Level, ...] = ("packets", "readings")
"""The levels whose rows are compared with forecasts, too: those that models are trained on."""
MEMORY = 72
"""Readings after which no column of a sensor remembers a change: the longest history has 48, and charts and levels fade by then."""
STEP = 0.01
"""Difference in standard deviations up to which two forecasts are the same; a step of the payload makes six times as much. The order
in which the sensors of a unit arrive makes less."""
_KNOWN: dict[Level, str] = {
    "packets": "time_ns", "messages": "time_ns", "readings": "decided_ns", "flows": "last_ns", "windows": "end_ns",
}  # fmt: skip
"""The column that says when all that a row describes had happened."""


@dataclass(frozen=True)
class Side:
    """A level of one play; all arrays have one entry per row.

    Attributes:
        columns: those that a model may use, shape (rows, columns), see :func:`names_of`; missing is NaN.
        keys: what each row is.
        known_ns: when all that the row describes had happened, in ns since the epoch.
    """

    columns: Floats
    keys: Keys
    known_ns: Ints


@cache
def names_of(level: Level) -> tuple[str, ...]:
    """Return the names of the columns that are compared: those that models learn from, forecasts included."""
    return (*learned(level), *(kalman.COLUMNS if level in FORECAST else ()))


@cache
def trace_of(level: Level) -> tuple[Trace, ...]:
    """Return the group of each column of :func:`names_of`: by its own group and its unit in :mod:`coldaisle_analysis.columns`."""
    about = {column.name: column for column in columns(level)}
    return tuple(
        "values" if name not in about or about[name].group == "value" else "timing" if about[name].unit == "s" else "wire"
        for name in names_of(level)
    )  # fmt: skip


def least_of(level: Level) -> Floats:
    """Return the least difference of each column that counts: :data:`STEP` for a forecast, nothing for any other."""
    return np.array([0.0 if name in learned(level) else STEP for name in names_of(level)])


def memory_ns(plan: Plan) -> int:
    """Return the time after which no column of a sensor remembers a change, in ns."""
    slowest_s = max(plan.scenario.interval_of(unit) for unit in plan.units)
    return MEMORY * round(slowest_s * SECOND)


def site_of(rows: pd.DataFrame, level: Level) -> Site | None:
    """Return the site that forecasts of a level need, learned from its rows of no anomaly; ``None`` for levels without forecasts."""
    if level not in FORECAST:
        return None
    clean = (rows["label"] == 0) & (rows["benign"] == 0)
    return learn_site(sensor_values(rows, level), clean.to_numpy(np.bool_))


def side_of(levels: Mapping[Level, pd.DataFrame], level: Level, plan: Plan, site: Site | None) -> Side:
    """Return a level of a play.

    Args:
        levels: the tables of the play.
        level: the level.
        plan: the plan of the run.
        site: the site of the run at this level, see :func:`site_of`.
    """
    rows = levels[level]
    values = np.empty((len(rows), len(names_of(level))))
    for place, name in enumerate(learned(level)):
        column = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        values[:, place] = np.abs(column) if name in SIZED else column
    if site is not None:
        values[:, len(learned(level)) :] = columns_of(site, sensor_values(rows, level), len(rows))
    return Side(values, keys_of(levels, level, plan), rows[_KNOWN[level]].to_numpy(np.int64))
