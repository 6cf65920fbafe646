"""Level ``windows``: statistics of a sensor's connections in each interval of time, including intervals without a frame."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask, Rows
from coldaisle_analysis.columns import conform
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.dataset.aggregates.expiry import clock
from coldaisle_analysis.dataset.aggregates.moments import gaps, moments, named, sums
from coldaisle_analysis.dataset.aggregates.truth import decide, touched
from coldaisle_analysis.decoding.mqtt import CONNECT
from coldaisle_analysis.local_time import local_time
from coldaisle_analysis.series.names import publishers, sensor_name

_WHO = ("unit", "sensor", "client_id", "series")
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

    A frame belongs to the sensor whose client id its connection has; a suffix of an InRow's id names the firmware. A frame of a
    client with several series belongs to each of them, a PUBLISH only to its own. A reading belongs to
    the window that it was planned for. A window is an attack if one of its frames or readings is: a reading that was
    removed left no frame. Frames outside the sensors' connections (ARP, NTP, other clients) are in no window.

    Args:
        packets: level ``packets``.
        readings: level ``readings``.
        cut: start and length of windows.
    """
    grid = _grid(packets, readings, cut)
    row, sensor = _owned(packets, grid.sensors)
    cell = grid.cells(sensor, packets["time_ns"].to_numpy(np.int64)[row])
    planned = grid.cells(_sensor_planned(readings, grid.sensors), readings["planned_ns"].to_numpy(np.int64))
    on_topic, with_value = _reported(packets, grid.sensors, row, sensor)
    columns = {
        **_when(grid),
        **_traffic(packets, row, cell, grid.count),
        **_published(packets, row[on_topic], cell[on_topic], grid.count),
        **_values(packets, row[with_value], cell[with_value], grid.count),
        **_slots(readings, planned, grid.count),
    }
    marked, lost = touched(packets), touched(readings)
    place = np.full(len(packets), -1, np.int64)
    place[packets.index.get_indexer(marked.index)] = np.arange(len(marked))
    is_marked = place[row] >= 0
    events = pd.concat([marked.iloc[place[row[is_marked]]], lost], ignore_index=True)
    where = [cell[is_marked], planned[readings.index.get_indexer(lost.index)]]
    truth = decide(events, np.concatenate(where), grid.count)
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


def _owned(packets: pd.DataFrame, sensors: pd.DataFrame) -> tuple[Rows, Ints]:
    """Return position and sensor of every frame in a sensor's connections, once for each sensor of the connection's client.

    A connection belongs to its client from its first frame on.
    """
    code, names = pd.factorize(publishers(packets))
    flow = packets["flow"].to_numpy(np.int64)
    of_flow = np.full(flow.max(initial=-1) + 2, -1, np.int64)
    has_client = (code >= 0) & (flow >= 0)
    of_flow[flow[has_client]] = code[has_client]
    clients = pd.DataFrame({"client_id": np.array([sensor_name(name) for name in names], object)})
    owners = sensors.reset_index(names="number").merge(clients.reset_index(names="code"), on="client_id")
    frames = pd.DataFrame({"row": np.arange(len(flow)), "code": of_flow[flow]})
    owned = frames.merge(owners[["number", "code"]], on="code")
    return owned["row"].to_numpy(np.intp), owned["number"].to_numpy(np.int64)


def _reported(packets: pd.DataFrame, sensors: pd.DataFrame, row: Rows, sensor: Ints) -> tuple[Mask, Mask]:
    """Return which of these frames publish on the topic of the sensor beside them, and in which of them its value comes first."""
    names = packets["series"].cat.categories.map(sensor_name)
    code, series = (
        packets["series"].cat.codes.to_numpy(np.int64)[row],
        sensors["series"].to_numpy(object)[sensor],
    )
    frame_series = np.array([*names, None], object)[code]
    topics = np.array([*(name.partition("#")[0] for name in names), None], object)[code]
    sensor_topics = np.array([name.partition("#")[0] for name in sensors["series"]], object)[sensor]
    return np.asarray(topics == sensor_topics), np.asarray(frame_series == series)


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


def _traffic(packets: pd.DataFrame, row: Rows, cell: Ints, count: int) -> dict[str, object]:
    """Return the statistics of the frames in each cell."""
    order = np.argsort(cell, kind="stable")
    rows, at = row[order], cell[order]
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


def _published(packets: pd.DataFrame, row: Rows, cell: Ints, count: int) -> dict[str, object]:
    """Return the statistics of the frames in each cell that publish on the sensor's topic."""
    order = np.argsort(cell, kind="stable")
    between, of_cell = gaps(clock(packets)[row[order]], cell[order])
    return {
        "publishes": np.bincount(cell, minlength=count),
        **named("publish_iat", moments(between, of_cell, count)),
    }


def _values(packets: pd.DataFrame, row: Rows, cell: Ints, count: int) -> dict[str, Floats]:
    """Return the statistics of the sensor's values that come first in their frames."""
    order = np.argsort(cell, kind="stable")
    value, at = packets["mqtt_value"].to_numpy(np.float64)[row[order]], cell[order]
    has_value = ~np.isnan(value)
    return named("value", moments(value[has_value], at[has_value], count))


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
