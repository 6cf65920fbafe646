"""A small dataset made by hand, without capture or run, for tests of the steps after decoding."""

import numpy as np
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.dataset import Dataset

UNITS = ("inrow-13", "inrow-15")
INTERVAL = pd.Timedelta(minutes=5)
KINDS = ("modification", "duplication")


def _empty(level: columns.Level, count: int) -> pd.DataFrame:
    """Return a frame with every column of a level and no values; columns that cannot be empty hold zeros."""
    nothing = {"category": "", "float64": np.nan, "binary[pyarrow]": b""}
    table = {
        column.name: pd.Series([nothing.get(column.dtype, 0)] * count) for column in columns.columns(level)
    }
    return pd.DataFrame(table)


def _attacked(time: pd.Series, unit: pd.Series, episodes: int) -> tuple[pd.Series, pd.Series]:
    """Return episode and kind of each row: one episode of 40 minutes per day from 10:00 on; units and kinds take turns."""
    episode, kind = pd.Series("", index=time.index), pd.Series("normal", index=time.index)
    first = time.min().normalize()
    for number in range(episodes):
        start = first + pd.Timedelta(days=number, hours=10)
        inside = time.between(start, start + pd.Timedelta(minutes=40)) & (unit == UNITS[number % 2])
        episode[inside], kind[inside] = f"e{number + 1:02d}", KINDS[number % 2]
    return episode, kind


def make(days: float = 3, episodes: int = 3, seed: int = 7) -> Dataset:
    """Return a dataset of two units over some days; attacked readings are 3 °C too warm, as are their packets.

    Args:
        days: number of days; each of eight sensors has a packet and a reading every five minutes.
        episodes: number of episodes, one per day from the first day on.
        seed: seed of the noise.
    """
    rng = np.random.default_rng(seed)
    time = pd.date_range("2026-03-02", periods=round(days * 288), freq=INTERVAL, tz="UTC", unit="ns")
    sensors = [(unit, sensor) for unit in UNITS for sensor in (1, 2, 3, 4)]
    count = len(time) * len(sensors)
    keys = pd.DataFrame(sensors, columns=["unit", "sensor"]).loc[np.repeat(range(len(sensors)), len(time))]
    rows = keys.reset_index(drop=True).assign(time=np.tile(time, len(sensors)))
    rows["time_ns"] = rows["time"].astype("int64")
    rows["day"] = rows["time"].dt.day_of_year - time[0].day_of_year + 1
    rows["weekday"], rows["hour"] = (
        rows["time"].dt.day_of_week,
        rows["time"].dt.hour + rows["time"].dt.minute / 60,
    )
    rows["client"] = rows["unit"].str.removeprefix("inrow-") + rows["sensor"].astype(str)
    rows["episode"], rows["kind"] = _attacked(rows["time"], rows["unit"], episodes)
    rows["label"] = (rows["episode"] != "").astype(int)
    warmer = rng.normal(0, 0.3, count) + 3.0 * rows["label"]
    shared = {name: rows[name] for name in ("time", "day", "weekday", "hour", "label", "kind", "episode")}
    readings = _empty("readings", count).assign(
        **shared, unit=rows["unit"], sensor=rows["sensor"], client_id=rows["client"], series=rows["client"], planned_ns=rows["time_ns"],
        slot=np.tile(range(len(time)), len(sensors)), arrival_ns=rows["time_ns"], decided_ns=rows["time_ns"] + INTERVAL.value, dev=warmer, abs_dev=abs(warmer),
        value=10.0 * rows["sensor"] + np.sin(rows["hour"] / 24 * 2 * np.pi) + warmer, fate="delivered",
    )  # fmt: skip
    packets = _empty("packets", count).assign(
        **shared, time_ns=rows["time_ns"], client=rows["client"], series=rows["client"].astype("category"), value_dev=warmer, value_abs_dev=abs(warmer), mqtt_value=10.0 * rows["sensor"] + warmer, protocol="MQTT", tcp_flags=24,
        frame_len=80 + rng.integers(0, 3, count), flow_iat=300.0, flow_duration=rng.uniform(0, 86_400, count), mqtt_msgtype=3,
        ip_src="198.18.0." + rows["unit"].str[-2:], tcp_srcport=40_000 + rows["day"] * 100 + rows["sensor"],
    )  # fmt: skip
    packets = packets.sort_values("time_ns", kind="stable", ignore_index=True)
    packets["frame"] = range(1, count + 1)
    messages = _empty("messages", count).assign(
        **{name: packets[name] for name in (*shared, "time_ns", "client", "frame")},
        message=packets["frame"],
        msgtype=3,
        payload=b"21.0",
    )
    return Dataset(
        columns.conform(packets, "packets"),
        columns.conform(messages, "messages"),
        columns.conform(readings, "readings"),
    )
