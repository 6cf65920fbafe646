"""Causal features of published values: each value and its time compared with the sensor's own past and with its neighbours."""

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.features import history
from coldaisle_analysis.features.history import History
from coldaisle_analysis.series.published import Published
from coldaisle_contracts.clock import SECOND

COLUMNS = (
    "mqtt_value", "value_diff", "value_dev", "value_dev_long", "value_abs_diff", "value_abs_dev", "value_dev_host", "value_run",
    "publish_iat", "publish_late",
)  # fmt: skip
"""The value columns of level ``packets``, see :mod:`coldaisle_analysis.columns`."""
_PLACES = {name: place for place, name in enumerate(history.COLUMNS)}


class Values:
    """Follows published values, in one go or as they come, with the same result."""

    def __init__(self) -> None:
        self._history = History()
        self._sensors: dict[str, int] = {}
        self._hosts: dict[str, int] = {}
        self._last_ns: dict[int, int] = {}

    def follow(self, published: Published) -> dict[str, Floats]:
        """Return :data:`COLUMNS` of each message, shape (messages,) each."""
        sensor, hosts = (
            np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)
            for codes, names in ((self._sensors, published.series), (self._hosts, published.host))
        )
        wait = self._waits(sensor, published.time_ns)
        table = self._history.follow(sensor, hosts, wait, published.value)
        diff, dev, dev_long, dev_host, run, late = (
            table[:, _PLACES[name]] for name in ("diff", "dev", "dev_long", "dev_host", "run", "late")
        )
        columns = (published.value, diff, dev, dev_long, np.abs(diff), np.abs(dev), dev_host, run, wait, late)
        return dict(zip(COLUMNS, columns, strict=True))

    def _waits(self, sensor: Ints, time_ns: Ints) -> Floats:
        """Return the time since each sensor's message before, in s; missing for its first message, 0 where the clock was set back."""
        wait = np.full(len(sensor), np.nan)
        for at, (code, stamp) in enumerate(zip(sensor.tolist(), time_ns.tolist(), strict=True)):
            last = self._last_ns.get(code)
            now = stamp if last is None else max(stamp, last)
            if last is not None:
                wait[at] = (now - last) / SECOND
            self._last_ns[code] = now
        return wait


def others_median(table: Floats) -> Floats:
    """Return, for each cell, the median of the other cells of its row; missing where there is none.

    Args:
        table: one row per time, one column per sensor.
    """
    if not table.size:
        return np.full(table.shape, np.nan)
    order = np.argsort(table, axis=1, kind="stable")  # missing ones last
    place = np.argsort(order, axis=1, kind="stable")
    present = ~np.isnan(table)
    left = present.sum(axis=1, keepdims=True) - present  # values without the cell's own
    ordered, middles = np.take_along_axis(table, order, axis=1), []
    for middle in ((left - 1) // 2, left // 2):
        at = middle + (present & (middle >= place))  # the cell's own value is skipped
        middles.append(np.take_along_axis(ordered, np.clip(at, 0, table.shape[1] - 1), axis=1))
    return np.where(left > 0, (middles[0] + middles[1]) / 2, np.nan)
