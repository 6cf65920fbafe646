"""Fit of the model of a unit to a real site: the parameters, and diagnostics of the fit.

The fit assumes normal operation: changes by an attacker would be fitted, too. :mod:`coldaisle_analysis.fitting.estimates` describes
the estimates and their order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.fitting import site_file
from coldaisle_analysis.fitting.estimates import (
    LEVEL,
    Noise,
    Term,
    autoregression,
    excursions,
    forecast_errors,
    seasonality,
    slow_spread,
)
from coldaisle_analysis.fitting.observations import Observations, read
from coldaisle_contracts.site_parameters import Season, Site

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """A fitted site and the diagnostics of the fit.

    Attributes:
        site: the parameters.
        sensors: one row per sensor: readings (n), missing ones, median, noise, autocorrelation, and the root mean square
            error, in °C, of a one-step forecast by AR(12) and by repeating the last value.
        season: the terms that could be estimated, by name: ``daily`` from two days on, ``weekly`` from seven.
        strength: strength of the daily season, 0 to 1; NaN below two days.
        first: local time of the first reading.
        days: length of the fitted time, in days.
    """

    site: Site
    sensors: pd.DataFrame
    season: dict[str, Term]
    strength: float
    first: pd.Timestamp
    days: float


def fit(
    paths: Sequence[Path],
    progress: Progress,
    time_zone: str = "UTC",
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
    site: Site | None = None,
) -> Fitted:
    """Estimate a site's parameters from its captures or CSV files.

    Args:
        paths: see :func:`observations.read`.
        progress: called with one line per step.
        time_zone: time zone of the season's hours and weekdays.
        mqtt: ports and version of MQTT.
        site: the units that there are, the published ones when left out; a unit without readings keeps its medians.

    Raises:
        InputError: if the files cannot be read or hold too little.
    """
    progress("reading " + ", ".join(path.name for path in paths))
    grid = read(paths, time_zone, mqtt, site or Site())
    for sentence in grid.remarks:
        progress(sentence)
    return fit_grid(grid, progress, site)


def fit_grid(grid: Observations, progress: Progress, site: Site | None = None) -> Fitted:
    """Estimate a site's parameters from readings, see :func:`fit`.

    Raises:
        InputError: if an estimate is none that a site can have.
    """
    progress(
        f"fitting {len(grid.units)} units, {grid.days:.1f} days, a reading every {grid.interval_s:.1f} s"
    )
    jumps = {unit: excursions(values) for unit, values in grid.units.items()}
    clean = {
        unit: values.sub(jumps[unit], axis=0).interpolate(limit_direction="both")
        for unit, values in grid.units.items()
    }
    terms, strength = seasonality(_common(clean, 4), grid)
    noises = {unit: autoregression(values) for unit, values in clean.items()}
    parameters = _parameters(grid, jumps, noises, slow_spread(_common(clean, 1), grid.interval_s), terms)
    if site is not None:
        medians = {name: unit.medians for name, unit in site.units.items()}
        parameters |= {"devices": site.devices, "medians": medians | parameters["medians"]}
    fitted = Site.check(parameters, "fitted site")
    return Fitted(fitted, _sensors(grid, clean, noises), terms, strength, grid.start, grid.days)


def _parameters(
    grid: Observations,
    jumps: dict[str, pd.Series],
    noises: dict[str, Noise],
    drift: float,
    terms: dict[str, Term],
) -> dict[str, Any]:
    """Return the estimates as the content of a site's file; common parameters are medians over the units, so that one odd unit matters little."""
    noise = noises.values()
    return {
        "medians": {unit: _rounded(values.median(), 2) for unit, values in grid.units.items()},
        "noise": _rounded(np.median([ar.spread for ar in noise], axis=0)),
        "autocorrelation": _rounded(np.median([ar.phi for ar in noise], axis=0)),
        "coupling": round(float(np.median([ar.coupling for ar in noise])), 3),
        "drift": round(drift, 3),
        "excursion_share": round(float(np.median([(jump != 0).mean() for jump in jumps.values()])), 4),
        "season": _season(terms),
    }


def _season(terms: dict[str, Term]) -> Season:
    """Return the significant terms; the others are 0."""
    season: dict[str, float] = {"daily": 0.0, "weekly": 0.0}
    for name, peak, length in (("daily", "peak_hour", 24), ("weekly", "peak_day", 7)):
        if (term := terms.get(name)) and term.p < LEVEL:
            season |= {name: round(term.amplitude, 3), peak: round(term.peak * length, 2) % length}
    return Season.model_validate(season)


def _common(units: dict[str, pd.DataFrame], sensor: int) -> pd.Series:
    """Return the mean over units of a sensor's deviation from its median, in °C, one value per slot."""
    deviations = [values[sensor] - values[sensor].median() for values in units.values()]
    return pd.concat(deviations, axis=1).mean(axis=1)


def _rounded(values: pd.Series | Floats, digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in values]


def _sensors(grid: Observations, clean: dict[str, pd.DataFrame], noises: dict[str, Noise]) -> pd.DataFrame:
    rows = []
    for unit, values in grid.units.items():
        for index, sensor in enumerate(values):
            by_model, repeated = forecast_errors(clean[unit][sensor].to_numpy())
            rows.append(
                {
                    "unit": unit,
                    "sensor": sensor,
                    "n": int(values[sensor].count()),
                    "missing": int(values[sensor].isna().sum()),
                    "median": round(float(values[sensor].median()), 2),
                    "noise": round(float(noises[unit].spread[index]), 3),
                    "lag-1": round(float(noises[unit].phi[index]), 3),
                    "AR(12)": round(by_model, 3),
                    "last value": round(repeated, 3),
                }
            )
    return pd.DataFrame(rows)


def summary(fitted: Fitted) -> str:
    """Return the diagnostics as a small table."""
    noise = 1 / max(1.0, fitted.days)
    lines = ["one row per sensor, in °C:", fitted.sensors.to_string(index=False), ""]
    for name, term in fitted.season.items():
        verdict = "kept" if term.p < LEVEL else f"not significant at {LEVEL:.0%}, set to 0"
        estimate = f"amplitude {term.amplitude:.3f} °C, F {term.f:.1f}, p {term.p:.2g}"
        lines.append(f"{name} season: {estimate}: {verdict}")
    strength = f"strength of the daily season (STL): {fitted.strength:.2f}; noise alone gives {noise:.2f}"
    lines.append(strength if fitted.season else "season: not estimated, because it needs at least two days")
    lines.append(f"drift: {fitted.site.drift:.3f} °C within {fitted.days:.1f} days; more days may show more")
    return "\n".join(lines)


def run(
    files: Sequence[Path],
    out: Path | None,
    progress: Progress,
    time_zone: str = "UTC",
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
    site: Site | None = None,
) -> None:
    """Fit a site, report the diagnostics and write its TOML to ``out``, or to standard output; see :func:`fit`.

    Raises:
        InputError: if the files cannot be read or hold too little, or ``out`` cannot be written.
    """
    fitted = fit(files, progress, time_zone, mqtt, site)
    progress(summary(fitted))
    last = fitted.first + pd.Timedelta(days=fitted.days)
    comments = [
        f"Fitted to {', '.join(path.name for path in files)}: readings from {fitted.first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}.",
        f"Hours and days are in {time_zone}.",
    ]
    site_file.write(fitted.site, comments, out)
