"""Causal features of what a sensor says and when: each value against the sensor's own past and its neighbours'."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_contracts.clock import SECOND

SHORT, LONG = 12, 48
"""Values a running median looks back over: an hour and four hours at a reading every 5 min."""
_LEAST = 3
"""Values a running median needs."""
_FLOOR = 0.02
"""Smallest scale a score divides by, °C: two steps of the payload's resolution."""

Floats = npt.NDArray[np.float64]


def past_median(values: pd.Series, key: pd.Series, window: int) -> pd.Series:
    """Return the median of the ``window`` values of the same key before each, missing below three."""
    rolled = values.groupby(key, sort=False).rolling(window, min_periods=_LEAST).median()
    return _in_order(rolled, values).groupby(key, sort=False).shift()


def _in_order(rolled: pd.Series, values: pd.Series) -> pd.Series:
    """Return what a rolling window gave per key in the order of the values it was taken of."""
    return rolled.set_axis(rolled.index.get_level_values(-1)).reindex(values.index)


def history(value: pd.Series, time_ns: pd.Series, key: pd.Series) -> pd.DataFrame:
    """Compare each value with those its sensor sent before.

    Args:
        value: values received, °C, in order of time.
        time_ns: when, ns.
        key: the sensor.

    Returns:
        Columns diff, dev, dev_long, dev_mean, score, spread, run (values) and iat, late (times, s).
    """
    by_sensor = value.groupby(key, sort=False)
    dev = value - past_median(value, key, SHORT)
    dev_long = value - past_median(value, key, LONG)
    usual = past_median(dev.abs().fillna(0), key, LONG).clip(lower=_FLOOR)
    iat = time_ns.groupby(key, sort=False).diff() / SECOND
    recent = by_sensor.rolling(4, min_periods=2).std()
    mean = dev_long.groupby(key, sort=False).rolling(4, min_periods=1).mean()
    return pd.DataFrame(
        {
            "diff": by_sensor.diff(),
            "dev": dev,
            "dev_long": dev_long,
            "dev_mean": _in_order(mean, value),
            "score": dev.abs() / usual,
            "spread": _in_order(recent, value),
            "run": _run(value, key),
            "iat": iat,
            "late": iat - past_median(iat, key, SHORT),
        }
    )


def others_median(table: Floats) -> Floats:
    """Return, for each cell, the median of the other cells of its row; missing where there is none.

    Args:
        table: row a time, column a sensor.
    """
    median = np.full(table.shape, np.nan)
    for column in range(table.shape[1]):
        rest = np.delete(table, column, axis=1)
        some = ~np.isnan(rest).all(axis=1) if rest.shape[1] else np.zeros(len(rest), bool)
        median[some, column] = np.nanmedian(rest[some], axis=1)
    return median


def of_messages(messages: pd.DataFrame, packets: pd.DataFrame) -> dict[str, Any]:
    """Return the value columns of level ``packets``: filled on frames that complete a PUBLISH.

    Of several messages in a frame the first counts, if it is a PUBLISH.
    """
    sent = messages[messages["msgtype"] == PUBLISH].drop_duplicates("row").set_index("row")
    number = pd.to_numeric(sent["payload"].astype("str"), errors="coerce").astype("float64")
    key = sensor_key(sent)
    past = history(number, sent["time_ns"], key)
    host = _against_host(past["dev"], key, packets["ip_src"].astype("str").iloc[sent.index])
    columns = {
        "mqtt_value": number,
        "value_diff": past["diff"],
        "value_dev": past["dev"],
        "value_dev_long": past["dev_long"],
        "value_abs_diff": past["diff"].abs(),
        "value_abs_dev": past["dev"].abs(),
        "value_dev_host": host,
        "value_run": past["run"],
        "publish_iat": past["iat"],
        "publish_late": past["late"],
    }
    return {
        name: values.reindex(range(len(packets))).to_numpy(np.float64) for name, values in columns.items()
    }


def sensor_key(messages: pd.DataFrame) -> pd.Series:
    """Return what tells the sensors apart: the client id, or the connection where no CONNECT was seen."""
    flow = "flow " + messages["flow"].astype("str")
    return messages["client"].astype("str").where(messages["client"].notna(), flow)


def _against_host(dev: pd.Series, key: pd.Series, host: pd.Series) -> pd.Series:
    """Return dev less the median of the latest dev of the other sensors of the same host."""
    parts = []
    for _, rows in dev.groupby(host.to_numpy(), sort=False):
        sensors, column = np.unique(key[rows.index].to_numpy(dtype=object), return_inverse=True)
        table = np.full((len(rows), len(sensors)), np.nan)
        table[np.arange(len(rows)), column] = rows
        latest = pd.DataFrame(table).ffill().to_numpy()
        others = others_median(latest)[np.arange(len(rows)), column]
        parts.append(rows - others)
    return pd.concat(parts) if parts else dev


def _run(value: pd.Series, key: pd.Series) -> pd.Series:
    """Return how many values of the same key in a row are equal, up to and including each."""
    change = (value.groupby(key, sort=False).diff() != 0).astype(int)
    stretch = change.groupby(key, sort=False).cumsum()
    return value.groupby([key, stretch], sort=False).cumcount() + 1
