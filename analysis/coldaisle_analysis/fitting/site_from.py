"""A whole site from somebody's captures: the units that they show, and the parameters of their model."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.fitting import reported, site_file
from coldaisle_analysis.fitting.fit import Progress, fit_grid, summary
from coldaisle_analysis.fitting.observations import FEWEST, on_grid, zone_named
from coldaisle_analysis.fitting.site_of_units import site_of
from coldaisle_analysis.fitting.units_found import Found, Remarks, find
from coldaisle_contracts.clock import DAY_S, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site_parameters import Site, few
from coldaisle_contracts.topics import SENSORS

SHORTEST_S, LONGEST_S = 10, 3600
"""Least and greatest interval of a scenario, in s."""
_ALIKE = 0.05
"""Greatest distance of two intervals that count as one, as a share of them."""


def run(
    files: Sequence[Path],
    out: Path | None,
    progress: Progress,
    time_zone: str = "UTC",
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Site:
    """Find the units in captures, fit their model, and write the site as TOML to ``out``, or to standard output.

    What a site cannot have, or has in another way, is told by ``progress`` and stands in comments of the file.

    Args:
        files: captures of normal operation, in order of time.
        out: the file.
        progress: called with one line per step, and with each sentence.
        time_zone: time zone of the season's hours and weekdays.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a capture cannot be read, shows no unit that a site can have, or ``out`` cannot be written.
    """
    zone_named(time_zone)
    place = ", ".join(path.name for path in files)
    progress(f"reading {place}")
    series, sentences = reported.read(files, mqtt)
    remarks = Remarks()
    units = find(series, remarks)
    if not units:
        why = "; ".join([*remarks.sentences(), *sentences])
        remedy = f"holds no unit of four sensors that report °C together{f' ({why})' if why else ''}: give a capture with some"
        raise InputError(place, remedy)
    site, by_name = site_of(units, remarks)
    interval_s, nearest = _interval(by_name, remarks)
    site = _with_rhythms(site, by_name, interval_s, nearest, remarks)
    site, model = _fitted(site, by_name, interval_s, time_zone, progress)
    comments = [
        f"Found in {place}: {_span(units)}.",
        f"Hours and days are in {time_zone}.",
        f'In the scenario: site = "{out.name if out else "my-site.toml"}" and interval_s = {nearest}.',
        *(f"Not as in the capture: {sentence}." for sentence in [*sentences, *remarks.sentences(), *model]),
    ]
    site_file.write(site, comments, out)
    for line in [f"found {len(by_name)} units: {few(by_name)}", *comments[2:]]:
        progress(line)
    return site


def _span(units: Sequence[Found]) -> str:
    """Return from when to when units report."""
    times = [series.time_ns for unit in units for series in unit.sensors]
    ends = min(map(np.min, times)), max(map(np.max, times))
    first, last = (f"{datetime.fromtimestamp(int(at) / SECOND, UTC):%Y-%m-%d %H:%M}" for at in ends)
    return f"readings from {first} to {last} UTC"


def _interval(units: Mapping[str, Found], remarks: Remarks) -> tuple[float, int]:
    """Return the interval of most units, and the one of a scenario that comes closest to it, in s."""
    periods = {name: unit.period_s for name, unit in units.items()}
    alike = {name: [p for p in periods.values() if _are_alike(p, period)] for name, period in periods.items()}
    common = alike[max(alike, key=lambda name: len(alike[name]))]
    interval_s = float(np.median(common))
    possible = [second for second in range(SHORTEST_S, LONGEST_S + 1) if DAY_S % second == 0]
    nearest = min(possible, key=lambda second: abs(np.log(second / interval_s)))
    if not _are_alike(nearest, interval_s):
        remarks[f"an interval divides a day, and is {SHORTEST_S} to {LONGEST_S} s long"].append(
            f"{interval_s:.3g} s"
        )
    return interval_s, nearest


def _with_rhythms(
    site: Site, units: Mapping[str, Found], interval_s: float, nearest: int, remarks: Remarks
) -> Site:
    """Return a site whose units report in every few slots where their intervals are multiples of that of most."""
    every = dict[str, int]()
    for name, unit in units.items():
        count = round(unit.period_s / interval_s)
        possible = count > 0 and DAY_S // nearest % count == 0
        if possible and _are_alike(unit.period_s, count * interval_s):
            every[name] = count
        else:
            remarks[f"readings of all units come every {nearest} s"].append(
                f"{name} (every {unit.period_s:.3g} s)"
            )
    devices = [group.model_copy(update={"every": every.get(group.name, 1)}) for group in site.devices]
    return Site.model_validate({"devices": devices, "medians": site.medians})


def _are_alike(period_s: float, other_s: float) -> bool:
    return abs(period_s - other_s) <= _ALIKE * other_s


def _fitted(
    site: Site, units: Mapping[str, Found], interval_s: float, time_zone: str, progress: Progress
) -> tuple[Site, list[str]]:
    """Return a site with the parameters of those units that have enough readings, and why it has the defaults where none has."""
    kept = "noise, drift, excursions and season are the defaults"
    enough = {
        name: unit
        for name, unit in units.items()
        if _are_alike(unit.period_s, interval_s)
        and all(len(series.celsius) >= FEWEST and np.ptp(series.celsius) > 0 for series in unit.sensors)
    }
    if not enough:
        return site, [f"{kept}: no unit has {FEWEST} readings of four sensors that change"]
    try:
        grid = on_grid(_table(enough), zone_named(time_zone), "captures")
        fitted = fit_grid(grid, progress, site)
    except InputError as error:
        return site, [f"{kept}: {error}"]
    progress(summary(fitted))
    return fitted.site, []


def _table(units: Mapping[str, Found]) -> pd.DataFrame:
    """Return the readings of units, a row each."""
    return pd.concat(
        pd.DataFrame({"unit": name, "sensor": sensor, "time_ns": series.time_ns, "value": series.celsius})
        for name, unit in units.items()
        for sensor, series in zip(SENSORS, unit.sensors, strict=True)
    )
