"""Readings of a real site, from captures or CSV, on one grid of slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features import packets
from coldaisle_contracts.clock import DAY, DAY_S, SECOND, zone_of
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site_parameters import Site, few
from coldaisle_contracts.texts import refuse_odd
from coldaisle_contracts.topics import SENSORS

CSV_COLUMNS = ("time", "unit", "sensor", "value")
FEWEST = 96
"""The fewest readings of a sensor for an estimate: 8 h at 5 min."""
_HOTTEST = 1_000.0
"""Limit of a reading and of its negative, in °C."""
_FIRST, _LAST = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
"""Limits of the times of readings."""
_MOST_SLOTS = 4_000_000
"""The most slots of a grid: more than a year of one reading every ten seconds."""


@dataclass(frozen=True)
class Observations:
    """Readings of all units on one grid of slots.

    Attributes:
        units: readings of each unit in °C, one row per slot and one column per sensor (1 to 4); a missing reading is NaN.
        start: local time of slot 0.
        interval_s: time between two slots, in s.
        remarks: sentences on flaws of captures and on what was not read of them.
    """

    units: dict[str, pd.DataFrame]
    start: pd.Timestamp
    interval_s: float
    remarks: tuple[str, ...] = ()

    @property
    def days(self) -> float:
        """Length of the grid, in days."""
        return len(next(iter(self.units.values()))) * self.interval_s / DAY_S


def read(
    paths: Sequence[Path],
    time_zone: str = "UTC",
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
    site: Site = Site(),  # noqa: B008 - frozen
) -> Observations:
    """Return the readings in captures and CSV files.

    Args:
        paths: ``.csv`` files with the columns :data:`CSV_COLUMNS` (times without an offset are UTC), and captures
            whose PUBLISH messages are told apart by the client id of their connection's CONNECT.
        time_zone: time zone of the site.
        mqtt: ports and version of MQTT.
        site: the units that there are.

    Raises:
        InputError: if a file cannot be read, names an unknown unit or sensor, or there are too few readings.
    """
    zone = zone_named(time_zone)
    remarks = list[str]()
    table = pd.concat(
        [_csv(path, site) if path.suffix == ".csv" else _capture(path, mqtt, site, remarks) for path in paths]
    )
    place = ", ".join(path.name for path in paths)
    _refuse_few(table, place, remarks)
    return on_grid(table, zone, place, remarks)


def zone_named(time_zone: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        InputError: if there is no such zone.
    """
    try:
        return zone_of(time_zone)
    except ValueError as error:
        raise InputError("time zone", "name an IANA time zone such as 'Europe/Madrid'", time_zone) from error


def on_grid(table: pd.DataFrame, zone: ZoneInfo, place: str, remarks: Sequence[str] = ()) -> Observations:
    """Return readings on one grid, whose distance is the median time between two readings of a sensor.

    Args:
        table: one row per reading: unit, sensor, time_ns, value.
        zone: time zone of the site.
        place: where the readings are from, for an error.
        remarks: sentences on flaws of captures.

    Raises:
        InputError: if the readings have equal times, or lie too far apart.
    """
    start_ns = int(table["time_ns"].min())
    by_sensor = table.sort_values("time_ns").groupby(["unit", "sensor"])["time_ns"]
    interval_ns = float(by_sensor.diff().median())
    _refuse_odd_grid(interval_ns, int(table["time_ns"].max()) - start_ns, place)
    table = table.assign(slot=((table["time_ns"] - start_ns) / interval_ns).round().astype("int64"))
    slots = pd.RangeIndex(table["slot"].max() + 1)
    units = {
        str(unit): rows.pivot_table(index="slot", columns="sensor", values="value", aggfunc="first").reindex(
            slots
        )
        for unit, rows in table.groupby("unit")
    }
    return Observations(units, pd.Timestamp(start_ns, tz=zone), interval_ns / SECOND, tuple(remarks))


def _capture(path: Path, mqtt: MqttOptions, site: Site, remarks: list[str]) -> pd.DataFrame:
    sensors = {unit.client(sensor): (unit.name, sensor) for unit in site.units.values() for sensor in SENSORS}
    trace = packets.trace([path], mqtt=mqtt)
    remarks += (f"{path.name}: {sentence}" for sentence in trace.remarks)
    messages = trace.messages
    sent = messages[messages["msgtype"] == PUBLISH]
    client = sent["client"].astype("str")
    if client.isna().any():
        remedy = "holds PUBLISH messages without their CONNECT: capture from the start, or give CSV"
        raise InputError(path, remedy)
    unknown = client[~client.isin(sensors)]
    if len(unknown):
        remedy = f"use one of {few(sorted(sensors), 16)}, or name the site that has it with --site"
        raise InputError(f"{path}: client id", remedy, unknown.iloc[0])
    texts = zip(client, sent["payload"].astype("str"), strict=True)
    value = pd.to_numeric(
        pd.Series([site.units[sensors[name][0]].decode(text) for name, text in texts]), errors="coerce"
    )
    if not (good := value.abs() <= _HOTTEST).all():
        wrong = sent["payload"].astype("str")[~good.to_numpy()].iloc[0]
        raise InputError(
            f"{path}: payload of a PUBLISH", "leave out captures whose payloads are no numbers of °C", wrong
        )
    named = [sensors[name] for name in client]
    return pd.DataFrame(named, columns=["unit", "sensor"]).assign(
        time_ns=sent["time_ns"].to_numpy(), value=value.to_numpy()
    )


def _csv(path: Path, site: Site) -> pd.DataFrame:
    remedy = f"give a readable CSV with the columns {', '.join(CSV_COLUMNS)}"
    refuse_odd(path, remedy)
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False, index_col=False)
    except (OSError, ValueError) as error:
        raise InputError(path, remedy) from error
    for name in CSV_COLUMNS:
        if name not in table:
            raise InputError(f"{path}: line 1", f"add the column {name}", ",".join(map(str, table)))
    time = pd.to_datetime(table["time"], format="ISO8601", utc=True, errors="coerce")
    time = time.where((time >= _FIRST) & (time <= _LAST))
    value = pd.to_numeric(table["value"], errors="coerce")
    removed = table["value"].str.strip() == ""  # a reading that never arrived, as in the table of a run
    checks = {
        "time": (time.notna(), "write ISO 8601, such as 2026-03-02T00:05:00Z"),
        "unit": (
            table["unit"].isin(list(site.units)),
            f"use one of {few(site.units)}, or name the site that has it with --site",
        ),
        "sensor": (table["sensor"].isin([str(number) for number in SENSORS]), "use 1 to 4"),
        "value": (
            removed | (value.abs() <= _HOTTEST),
            "write a number of °C, or nothing for a reading that is missing",
        ),
    }
    for name, (good, remedy) in checks.items():
        if not good.all():
            line = int(good.to_numpy().argmin())
            raise InputError(f"{path}: line {line + 2}: {name}", remedy, table[name].iloc[line])
    time_ns = time.dt.as_unit("ns").astype("int64")
    readings = pd.DataFrame(
        {"unit": table["unit"], "sensor": table["sensor"].astype("int64"), "time_ns": time_ns, "value": value}
    )
    return readings[~removed]


def _refuse_odd_grid(interval_ns: float, length_ns: int, place: str) -> None:
    """Refuse readings at equal times, or so far apart that their grid would be nearly empty."""
    if not interval_ns > 0:
        raise InputError(
            f"{place}: time", "readings of one sensor have the same time: give each its own time"
        )
    if length_ns / interval_ns > _MOST_SLOTS:
        years = length_ns / DAY / 365
        remedy = f"readings that are {interval_ns / SECOND:.1f} s apart lie within {years:.1f} years: leave out those that are far away"
        raise InputError(f"{place}: time", remedy)


def _refuse_few(table: pd.DataFrame, place: str, remarks: Sequence[str]) -> None:
    counts = table.groupby(["unit", "sensor"]).size()
    if counts.empty:
        remedy = "; ".join(["give captures with MQTT PUBLISH, or CSV", *remarks])
        raise InputError(place, f"holds no reading: {remedy}")
    for unit in counts.index.unique("unit"):
        for sensor in SENSORS:
            count = int(counts.get((unit, sensor), 0))
            if count < FEWEST:
                remedy = f"give at least {FEWEST} readings of each of a unit's four sensors"
                raise InputError(f"{place}: number of readings of {unit} sensor {sensor}", remedy, count)
