"""Level ``windows``: statistics of a sensor's connections in each interval of time, including intervals without a frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.columns import conform
from coldaisle_analysis.columns.streams import stream_key
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.dataset.aggregates.expiry import clock
from coldaisle_analysis.dataset.aggregates.moments import gaps, moments, named, sums
from coldaisle_analysis.dataset.aggregates.truth import decide, touched
from coldaisle_analysis.decoding.mqtt import CONNECT, PUBLISH
from coldaisle_analysis.local_time import local_time
from coldaisle_contracts.topics import base_id

_WHO = ("unit", "sensor", "client_id")
_NUMBERS = ("tcp_rst", "tcp_retransmission", "mqtt_msgtype", "to_server", "frame_len", "label", "frame")


@dataclass(frozen=True)
class _Grid:
    """Sensors by windows: cell = number of the sensor * number of windows + place of the window.

    Attributes:
        sensors: unit, sensor and client_id of each sensor.
        windows: numbers of the windows with a frame or a planned reading of any sensor, sorted.
        days: day of each window.
        cut: start and length of windows.
    """

    sensors: pd.DataFrame
    windows: Ints
    days: Ints
    cut: Cut

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.sensors) * len(self.windows)

    def cells(self, sensor: Ints, time_ns: Ints) -> Ints:
        """Return the cell of each row, -1 where it belongs to no sensor."""
        place = np.searchsorted(self.windows, _window(time_ns, self.cut))
        return np.where(sensor >= 0, sensor * len(self.windows) + place, -1)


def build(packets: pd.DataFrame, readings: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    """Return level ``windows``: one row per sensor and window, by sensor, then window.

    A frame belongs to the sensor whose client id its connection has; a suffix of the id names the firmware. A reading belongs to
    the window that it was planned for. A window is an attack if one of its frames or readings is: a reading that was
    removed left no frame. Frames outside the sensors' connections (ARP, NTP, other clients) are in no window.

    Args:
        packets: level ``packets``.
        readings: level ``readings``.
        cut: start and length of windows.
    """
    grid = _grid(packets, readings, cut)
    cell = grid.cells(_sensor_of(packets, grid.sensors), packets["time_ns"].to_numpy(np.int64))
    planned = grid.cells(_sensor_planned(readings, grid.sensors), readings["planned_ns"].to_numpy(np.int64))
    columns = {
        **_when(grid),
        **_traffic(packets, cell, grid.count),
        **_published(packets, cell, grid.count),
        **_slots(readings, planned, grid.count),
    }
    marked, lost = touched(packets), touched(readings)
    where = [cell[packets.index.get_indexer(marked.index)], planned[readings.index.get_indexer(lost.index)]]
    truth = decide(pd.concat([marked, lost], ignore_index=True), np.concatenate(where), grid.count)
    return conform(pd.DataFrame(columns).join(truth), "windows")


def _window(time_ns: Ints, cut: Cut) -> Ints:
    """Return the number of each time's window; times before window 0 count as window 0."""
    return np.maximum((time_ns - cut.origin_ns) // cut.window_ns, 0)


def _grid(packets: pd.DataFrame, readings: pd.DataFrame, cut: Cut) -> _Grid:
    times = np.concatenate([packets["time_ns"].to_numpy(), readings["planned_ns"].to_numpy()])
    days = np.concatenate([packets["day"].to_numpy(), readings["day"].to_numpy()])
    windows, first = np.unique(_window(times, cut), return_index=True)
    return _Grid(_plain(readings).drop_duplicates(ignore_index=True), windows, days[first], cut)


def _plain(readings: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: readings[name].astype("object") for name in _WHO})


def _sensor_planned(readings: pd.DataFrame, sensors: pd.DataFrame) -> Ints:
    """Return the number of the sensor of each reading."""
    keys = pd.MultiIndex.from_frame(sensors)
    return keys.get_indexer(pd.MultiIndex.from_frame(_plain(readings))).astype(np.int64)


def _sensor_of(packets: pd.DataFrame, sensors: pd.DataFrame) -> Ints:
    """Return the number of the sensor to whose connection each frame belongs, -1 for none.

    A connection belongs to its client from its first frame on; the sensor ``flow 7`` is flow 7 without a CONNECT.
    """
    flow = packets["flow"].to_numpy(np.int64)
    client, names = packets["client"].cat.codes.to_numpy(np.int64), packets["client"].cat.categories
    numbers = {name: number for number, name in enumerate(sensors["client_id"])}
    of_client = np.array([numbers.get(base_id(name), -1) for name in names], np.int64)
    keys = [stream_key(None, at) for at in range(flow.max(initial=-1) + 1)]
    of_flow = np.array([numbers.get(key, -1) for key in keys], np.int64)
    rows = np.flatnonzero((client >= 0) & (flow >= 0))
    of_flow[flow[rows]] = of_client[client[rows]]
    sensor = np.full(len(flow), -1, np.int64)
    sensor[flow >= 0] = of_flow[flow[flow >= 0]]
    return sensor


def _when(grid: _Grid) -> dict[str, object]:
    """Return the columns that identify sensor and window."""
    sensor, place = np.divmod(np.arange(grid.count), max(len(grid.windows), 1))
    start = grid.cut.origin_ns + grid.windows[place] * grid.cut.window_ns
    return {
        **{name: grid.sensors[name].to_numpy()[sensor] for name in _WHO},
        "window": grid.windows[place],
        "day": grid.days[place],
        "time": pd.to_datetime(start, utc=True),
        "start_ns": start,
        "end_ns": start + grid.cut.window_ns,
        **local_time(start, grid.cut.utc_offset_s),
    }


def _traffic(packets: pd.DataFrame, cell: Ints, count: int) -> dict[str, object]:
    """Return the statistics of the frames in each cell."""
    rows = np.flatnonzero(cell >= 0)
    rows = rows[np.argsort(cell[rows], kind="stable")]
    at = cell[rows]
    of = {name: packets[name].fillna(0).to_numpy(np.int64)[rows] for name in _NUMBERS}
    between, of_cell = gaps(clock(packets)[rows], at)
    up = of["to_server"] == 1
    ends = moments(of["frame"].astype(np.float64), at, count)
    return {
        "packets": np.bincount(at, minlength=count),
        "bytes": sums(of["frame_len"], at, count),
        "up_packets": sums(up, at, count),
        "up_bytes": sums(of["frame_len"] * up, at, count),
        **named("size", moments(of["frame_len"].astype(np.float64), at, count)),
        **named("iat", moments(between, of_cell, count)),
        "connections": sums(of["mqtt_msgtype"] == CONNECT, at, count),
        "resets": sums(of["tcp_rst"], at, count),
        "retransmissions": sums(of["tcp_retransmission"], at, count),
        "attack_packets": sums(of["label"], at, count),
        "first_frame": ends["min"],
        "last_frame": ends["max"],
    }


def _published(packets: pd.DataFrame, cell: Ints, count: int) -> dict[str, object]:
    """Return the statistics of the frames in each cell with a PUBLISH from the sensor."""
    is_publish = (packets["mqtt_msgtype"] == PUBLISH).fillna(value=False).to_numpy(bool)
    rows = np.flatnonzero((cell >= 0) & is_publish & (packets["to_server"] == 1).to_numpy())
    rows = rows[np.argsort(cell[rows], kind="stable")]
    at, value = cell[rows], packets["mqtt_value"].to_numpy(np.float64)[rows]
    between, of_cell = gaps(clock(packets)[rows], at)
    return {
        "publishes": np.bincount(at, minlength=count),
        **named("publish_iat", moments(between, of_cell, count)),
        **named("value", moments(value[~np.isnan(value)], at[~np.isnan(value)], count)),
    }


def _slots(readings: pd.DataFrame, cell: Ints, count: int) -> dict[str, object]:
    """Return the statistics of the readings planned in each cell."""
    names = {name: name for name in ("deliveries", "missing", "arp_frames", "arp_conflicts")}
    counted = {
        column: sums(readings[name].fillna(0), cell, count)
        for column, name in (names | {"attack_readings": "label"}).items()
    }
    order = np.argsort(cell, kind="stable")
    dev = readings["abs_dev"].to_numpy(np.float64)[order]
    has_dev = ~np.isnan(dev)
    largest = moments(dev[has_dev], cell[order][has_dev], count)["max"]
    return counted | {"slots": np.bincount(cell, minlength=count), "dev_max": largest}
