"""Forecast columns of a level: each reading beside its forecast, see :mod:`~coldaisle_analysis.forecast.kalman`.

A :class:`Site` is learned from clean training rows, so these columns differ from fold to fold and are in no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask, Texts
from coldaisle_analysis.columns import Level
from coldaisle_analysis.forecast.kalman import COLUMNS, MOST_BESIDE, Forecast, Site
from coldaisle_analysis.forecast.learning import learn
from coldaisle_analysis.series.names import sensor_name
from coldaisle_analysis.series.published import Published
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.topics import is_inrow


@dataclass(frozen=True)
class SensorValues:
    """The values of the sensors of a level, in order of time.

    Attributes:
        row: position in the level of each value, shape (values,).
        key: name of its sensor.
        unit: name of the sensor's unit.
        time_ns: time of arrival, in ns since the epoch.
        batch: neighbouring values with the same number are judged together.
        value: in °C.
    """

    row: Ints
    key: Texts
    unit: Texts
    time_ns: Ints
    batch: Ints
    value: Floats


def place_of(series: str, host: str) -> tuple[str, str]:
    """Return the names of sensor and unit of a series.

    The name of an InRow's series is the unit's number and the sensor's number. The unit of any other series is its host.
    """
    name = sensor_name(series)
    return name, name[:-1] if is_inrow(name) else host


def sensor_values(frame: pd.DataFrame, level: Level) -> SensorValues:
    """Return the values of the sensors of a level.

    Args:
        frame: the rows of level ``packets`` or ``readings``.
        level: name of the level.
    """
    return _of_packets(frame) if level == "packets" else _of_readings(frame)


def _of_packets(frame: pd.DataFrame) -> SensorValues:
    """Return the values in PUBLISH messages."""
    row = np.flatnonzero(frame["mqtt_value"].notna().to_numpy())
    rows = frame.iloc[row]
    published = Published(
        row,
        rows["series"].astype("object").tolist(),
        rows["ip_src"].tolist(),
        rows["time_ns"].to_numpy(np.int64),
        rows["mqtt_value"].to_numpy(np.float64),
    )
    return of_published(published)


def of_published(published: Published) -> SensorValues:
    """Return published values as values of sensors; each is judged as it comes."""
    pairs = list(zip(published.series, published.host, strict=True))
    places = {pair: place_of(*pair) for pair in set(pairs)}
    named = [places[pair] for pair in pairs]
    batch = np.arange(len(named), dtype=np.int64)
    return SensorValues(published.row, *_names(named), published.time_ns, batch, published.value)


def _of_readings(frame: pd.DataFrame) -> SensorValues:
    """Return the first value of each slot; the sensors of a unit are judged together at the end of the slot."""
    has_value = frame["value"].notna().to_numpy()
    unit = pd.factorize(frame["unit"].astype("str"))[0]
    batch = frame["slot"].to_numpy(np.int64) * (unit.max(initial=0) + 1) + unit
    order = np.lexsort((frame["sensor"].to_numpy(), batch))
    row = order[has_value[order]]
    rows = frame.iloc[row]
    named = list(zip(rows["series"].astype("str"), rows["unit"].astype("str"), strict=True))
    return SensorValues(
        row,
        *_names(named),
        rows["arrival_ns"].to_numpy(np.int64),
        batch[row],
        rows["value"].to_numpy(np.float64),
    )


def _names(named: Sequence[tuple[str, str]]) -> tuple[Texts, Texts]:
    table = np.array(named, dtype=object).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def learn_site(values: SensorValues, clean: Mask) -> Site:
    """Return a site learned from clean values; a sensor belongs to the unit of its first value.

    Args:
        values: the values of the sensors.
        clean: which rows of the level may be learned from, shape (rows,).
    """
    is_clean = clean[values.row]
    table = pd.DataFrame({
        "key": values.key[is_clean], "unit": values.unit[is_clean], "time_s": values.time_ns[is_clean] / SECOND, "value": values.value[is_clean],
    })  # fmt: skip
    table["unit"] = table.groupby("key")["unit"].transform("first")
    interval_s = float(table.groupby("key")["time_s"].diff().median()) if len(table) else np.nan
    if not interval_s > 0:
        return learn({}, {}, 1.0)
    units: dict[str, list[str]] = {}
    columns: dict[str, tuple[Floats, Floats]] = {}
    for unit, values_of_unit in table.groupby("unit"):
        start_s = values_of_unit["time_s"].min()
        since = values_of_unit["time_s"] - start_s
        slots = values_of_unit.assign(slot=(since / interval_s).round().astype("int64"))
        first = slots.drop_duplicates(["slot", "key"])
        grid = first.set_index(["slot", "key"])["value"].unstack("key").sort_index()  # noqa: PD010 - a quarter of pivot_table's time
        time_s = start_s + grid.index.to_numpy(np.float64) * interval_s
        keys = [str(key) for key in grid]
        units |= {f"{unit} {at}": keys[at : at + MOST_BESIDE] for at in range(0, len(keys), MOST_BESIDE)}
        columns |= {str(key): (time_s, grid[key].to_numpy(np.float64)) for key in grid}
    return learn(units, columns, interval_s)


def columns_of(site: Site, values: SensorValues, rows: int) -> Floats:
    """Return :data:`COLUMNS` for the rows of a level, shape (rows, len(COLUMNS)); missing where no value came."""
    return follow(Forecast(site), values, rows)


def follow(forecast: Forecast, values: SensorValues, rows: int) -> Floats:
    """Return :data:`COLUMNS` for the next rows of a level, see :func:`columns_of`."""
    table = np.full((rows, len(COLUMNS)), np.nan)
    if len(values.row):
        sensor = forecast.codes(values.key.tolist())
        table[values.row] = forecast.follow(sensor, values.time_ns, values.batch, values.value)
    return table
