"""Causal features of what a sensor says and when: each value against the sensor's own past and its neighbours'."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features import history
from coldaisle_analysis.features.history import History
from coldaisle_contracts.clock import SECOND

COLUMNS = (
    "mqtt_value", "value_diff", "value_dev", "value_dev_long", "value_abs_diff", "value_abs_dev", "value_dev_host", "value_run",
    "publish_iat", "publish_late",
)  # fmt: skip
"""The value columns of level ``packets``, see :mod:`coldaisle_analysis.columns`."""
_SAID = {name: place for place, name in enumerate(history.COLUMNS)}


class Values:
    """Follows the values in PUBLISH messages, in one go or as they come."""

    def __init__(self) -> None:
        self._history = History()
        self._sensors: dict[str, int] = {}
        self._hosts: dict[str, int] = {}
        self._last_ns: dict[int, int] = {}

    def follow(
        self, key: Sequence[str], host: Sequence[str], time_ns: Ints, value: Floats
    ) -> dict[str, Floats]:
        """Return the value columns of level ``packets`` of each message, in order of time.

        Args:
            key: what tells its sensor from others.
            host: what tells its host from others.
            time_ns: when it came.
            value: °C; missing where the payload is no number.
        """
        sensor = np.array([self._sensors.setdefault(name, len(self._sensors)) for name in key], np.int64)
        hosts = np.array([self._hosts.setdefault(name, len(self._hosts)) for name in host], np.int64)
        wait = self._waits(sensor, time_ns)
        said = self._history.follow(sensor, hosts, wait, value)
        diff, dev, dev_long, dev_host, run, late = (
            said[:, _SAID[name]] for name in ("diff", "dev", "dev_long", "dev_host", "run", "late")
        )
        found = (value, diff, dev, dev_long, np.abs(diff), np.abs(dev), dev_host, run, wait, late)
        return dict(zip(COLUMNS, found, strict=True))

    def _waits(self, sensor: Ints, time_ns: Ints) -> Floats:
        """Return how long each sensor was silent before, s; missing for its first message."""
        wait = np.full(len(sensor), np.nan)
        for at, (own, now) in enumerate(zip(sensor.tolist(), time_ns.tolist(), strict=True)):
            if own in self._last_ns:
                wait[at] = (now - self._last_ns[own]) / SECOND
            self._last_ns[own] = now
        return wait


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
    host = packets["ip_src"].astype("str").iloc[sent.index]
    time_ns = sent["time_ns"].to_numpy(np.int64)
    columns = Values().follow(sensor_key(sent).tolist(), host.tolist(), time_ns, numbers(sent["payload"]))
    return {
        name: pd.Series(said, sent.index).reindex(range(len(packets))).to_numpy(np.float64)
        for name, said in columns.items()
    }


def numbers(payload: pd.Series) -> Floats:
    """Return payloads as °C, missing where one is no number."""
    return pd.to_numeric(payload.astype("str"), errors="coerce").to_numpy(np.float64)


def sensor_key(messages: pd.DataFrame) -> pd.Series:
    """Return what tells the sensors apart: the client id, or the connection where no CONNECT was seen."""
    flow = "flow " + messages["flow"].astype("str")
    return messages["client"].astype("str").where(messages["client"].notna(), flow)
