"""Level ``readings`` of foreign captures: the numbers that publishers report, by series and by the moments at which they are published.

A slot is a moment at which series are published together. A series of an InRow is its sensor; any other belongs to the host that sends it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.columns import Level, conform
from coldaisle_analysis.columns import columns as columns_of
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features import packets, readings
from coldaisle_analysis.features.readings import Grid
from coldaisle_analysis.local_time import local_time
from coldaisle_analysis.series.published import Reader
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.topics import SENSORS, is_inrow, sensor_of

TOGETHER = SECOND
"""Longest pause between the publishes of different sensors in one slot, in ns."""
MOST_CELLS = 20_000_000
"""Most series times moments that level ``readings`` is computed for: some 4 GiB."""


def values_of(trace: packets.Trace, chosen: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Return the values that publishers report, and a line on what was recognised.

    Args:
        trace: the decoded captures.
        chosen: patterns of the names of series, see :func:`build`.

    Returns:
        One row per value, in order of time: row, flow, msgid, host, client_id, time_ns, series, value.

    Raises:
        InputError: if patterns are given and no series has such a name.
    """
    sent = packets.sent_in(trace.packets, trace.messages)
    reader = Reader(chosen)
    pairs = list(reader.values(sent))
    message = np.repeat(np.arange(len(pairs)), [len(values) for values in pairs])
    series, value = zip(*(pair for values in pairs for pair in values), strict=True) if pairs else ((), ())
    table = pd.DataFrame(
        {
            "row": sent.row[message],
            "flow": trace.packets["flow"].to_numpy()[sent.row[message]],
            "msgid": np.asarray(sent.msgid, np.int64)[message],
            "host": np.array(sent.host, object)[message],
            "client_id": np.array(sent.publisher, object)[message],
            "time_ns": sent.time_ns[message],
            "series": np.array(series, object),
            "value": np.array(value, np.float64),
        }
    )
    table = table[table["value"].notna()].sort_values("time_ns", kind="stable", ignore_index=True)
    if chosen and table.empty:
        names = sorted(
            {name for values in Reader().values(sent) for name, value in values if np.isfinite(value)}
        )
        raise InputError("--series", f"no series has such a name; there are {_few(names)}", " ".join(chosen))
    kept = _most_frequent(table)
    delivered = int((trace.messages["msgtype"] == PUBLISH).sum()) - len(pairs)
    return kept, _line(kept, reader, delivered, table["series"].nunique() - kept["series"].nunique())


def readings_of(
    trace: packets.Trace, values: pd.DataFrame, frames: pd.DataFrame, utc_offset_s: int
) -> pd.DataFrame:
    """Return level ``readings``: one row per value, without a row where there is none.

    Args:
        trace: the decoded captures.
        values: what publishers report, see :func:`values_of`.
        frames: level ``packets``.
        utc_offset_s: offset of local time from UTC, in s.
    """
    if values.empty:
        return conform(with_absent(pd.DataFrame(), "readings"), "readings")
    grid = grid_of(values)
    at = grid.deliveries
    cell = at["sensor"] * grid.shape[1] + at["slot"]
    row = at["row"]
    names = ("unit", "sensor", "client_id", "series")
    table = pd.DataFrame(
        {
            **{name: grid.sensors[name].to_numpy()[at["sensor"]] for name in names},
            "slot": at["slot"],
            "planned_ns": at["time_ns"],
            "time": pd.to_datetime(at["time_ns"], utc=True),
            "decided_ns": grid.starts[at["sensor"], at["slot"] + 1],
            **local_time(at["time_ns"], utc_offset_s),
            "value_received": at["value"],
            "copies": 0,
            **{name: frames[name].to_numpy()[row] for name in ("day", "label", "benign", "kind", "episode")},
            **{
                name: column[cell.to_numpy()]
                for name, column in readings.of_grid(grid, frames, trace.messages).items()
            },
        }
    )
    table = table.sort_values(["unit", "sensor", "slot"], ignore_index=True)
    return conform(with_absent(table, "readings"), "readings")


def grid_of(values: pd.DataFrame) -> Grid:
    """Return the grid of a foreign capture: its series by the moments at which they are published together.

    Args:
        values: what publishers report, see :func:`values_of`.
    """
    sensors = _sensors(values)
    number = pd.Index(sensors["series"]).get_indexer(values["series"]).astype(np.int64)
    time_ns = values["time_ns"].to_numpy(np.int64)
    slot = _slots(number, time_ns)
    starts = np.append(pd.Series(time_ns).groupby(slot).min().to_numpy(), 0)
    ends = pd.Series(time_ns).groupby(slot).max().to_numpy() + TOGETHER
    starts[1:] = np.append(np.minimum(ends[:-1], starts[1:-1]), ends[-1:])
    deliveries = values[["time_ns", "value", "row", "flow", "msgid"]].assign(sensor=number, slot=slot)
    return Grid(sensors, np.tile(starts, (len(sensors), 1)), deliveries, carry=True)


def _slots(sensor: npt.NDArray[np.int64], time_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each value's slot; a slot starts after a pause, and before a sensor publishes twice."""
    slots, sensors, last, slot = [], set[int](), -(1 << 62), -1
    for number, now in zip(sensor.tolist(), time_ns.tolist(), strict=True):
        if now - last > TOGETHER or number in sensors:
            slot, sensors = slot + 1, set()
        sensors.add(number)
        last = now
        slots.append(slot)
    return np.array(slots, np.int64)


def _sensors(values: pd.DataFrame) -> pd.DataFrame:
    """Return unit and number of the sensor behind each series: from an InRow's client id, else its host and order of appearance."""
    first = values.drop_duplicates("series")
    order = first.groupby("host").cumcount() + 1
    named = [
        (f"inrow-{series[:-1]}", sensor_of(series)) if _is_sensor(series) else (host, number)
        for series, host, number in zip(first["series"], first["host"], order, strict=True)
    ]
    sensors = pd.DataFrame(named, columns=["unit", "sensor"])
    return sensors.assign(
        **{name: first[name].to_numpy() for name in ("client_id", "series")}, ip=first["host"].to_numpy()
    )


def _is_sensor(series: str) -> bool:
    return is_inrow(series) and sensor_of(series) in SENSORS


def _most_frequent(values: pd.DataFrame) -> pd.DataFrame:
    """Return the values of as many series as a grid has room for, those with the most values first."""
    series = values["series"].value_counts().index
    moments = values["time_ns"].nunique()
    return values[values["series"].isin(series[: max(MOST_CELLS // max(moments, 1), 1)])].reset_index(
        drop=True
    )


def _line(values: pd.DataFrame, reader: Reader, delivered: int, rare: int) -> str:
    forms = ", ".join(f"{count:,} of {form}" for form, count in reader.forms.most_common() if form != "none")
    left_out = (
        (reader.forms["none"], "without a number"),
        (delivered, "delivered to subscribers"),
    )
    parts = [
        f"{values['series'].nunique():,} series of {values['client_id'].nunique():,} clients, {len(values):,} readings",
        f"PUBLISH messages: {forms}" if forms else "",
        *(f"{count:,} {reason}" for count, reason in left_out if count),
        f"{rare:,} series with fewer readings are left out: choose others with --series" if rare else "",
    ]
    return "; ".join(part for part in parts if part)


def _few(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many there are in all."""
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5:,} others" if len(names) > 5 else shown or "none"  # noqa: PLR2004


def with_absent(table: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Add the columns that a foreign capture does not have; all their values are missing."""
    columns = columns_of(level)
    return table.assign(**{column.name: None for column in columns if column.name not in table})
