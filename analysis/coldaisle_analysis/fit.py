"""Fitting the model of a unit to a real site: its parameters, and how well they describe it.

Normal operation is assumed: what an attacker changed would be fitted too. In order, every estimate is made on what the
ones before left over:

1. excursions: slots at which a unit's sensors leave their rolling median together by more than half a degree;
2. season: Fourier terms in the mean return air (OLS), kept where an F test with Newey-West covariance rejects their
   absence at 1 %; STL gives the strength of the daily season (Wang, Smith, Hyndman 2006);
3. drift: standard deviation of what is still correlated in the coolant after half an hour to two hours;
4. noise: AR(1) by least squares (statsmodels AutoReg) of what a rolling median over 49 slots leaves;
5. one-step forecast: AR(12) fitted on the first three quarters, tried on the last, beside "the last value again".
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.stattools import acovf

from coldaisle_analysis.observations import Observations, read
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site import Season, Site, first_problem

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]

DAY_S, WEEK_S = 86_400.0, 604_800.0
SHORT, LONG = 13, 49
"""Slots of the rolling medians that show excursions and noise."""
JUMP = 0.6
"""An excursion leaves the rolling median by so much, °C; four times the published captures' noise."""
LEVEL = 0.01
"""Level of the seasonality test."""
MEMORY_S = (1800, 7200)
"""Lags at which noise is forgotten and drift is not, s."""
FORECAST_LAGS = 12
_SAME_EVERY_DAY = 10_001
"""Window of STL's seasonal smoother, days: longer than any run."""


@dataclass(frozen=True)
class Term:
    """One Fourier term of the season, as estimated.

    Attributes:
        amplitude: of the return air, °C.
        peak: when it is highest, as a share of its period since local midnight (of Monday).
        f: the F statistic of its absence.
        p: how likely a larger one is without any season.
    """

    amplitude: float
    peak: float
    f: float
    p: float


@dataclass(frozen=True)
class Noise:
    """AR(1) noise of a unit's sensors.

    Attributes:
        spread: standard deviation of each sensor, °C.
        phi: lag-1 autocorrelation of each sensor.
        coupling: mean correlation between the innovations of two sensors, not below 0.
    """

    spread: Floats
    phi: Floats
    coupling: float


@dataclass(frozen=True)
class Fitted:
    """A site and what the fit says of itself.

    Attributes:
        site: the parameters.
        sensors: a row a sensor: readings (n), missing ones, median, noise, autocorrelation, and the root mean square
            error, °C, of a one-step forecast by AR(12) and by the last value again.
        season: the terms that could be estimated, by name: ``daily`` from two days on, ``weekly`` from seven.
        strength: strength of the daily season, 0 to 1; NaN below two days.
        days: length of what was fitted, days.
    """

    site: Site
    sensors: pd.DataFrame
    season: dict[str, Term]
    strength: float
    days: float


def fit(paths: Sequence[Path], progress: Progress, time_zone: str = "UTC") -> Fitted:
    """Estimate a site's parameters from its captures or CSV files.

    Args:
        paths: see :func:`observations.read`.
        progress: told each step, one line each.
        time_zone: zone the season's hours and weekdays are told in.

    Raises:
        InputError: if the files cannot be read or hold too little.
    """
    progress("reading " + ", ".join(path.name for path in paths))
    seen = read(paths, time_zone)
    progress(
        f"fitting {len(seen.units)} units, {seen.days:.1f} days, a reading every {seen.interval_s:.1f} s"
    )
    jumps = {unit: excursions(values) for unit, values in seen.units.items()}
    clean = {
        unit: values.sub(jumps[unit], axis=0).interpolate(limit_direction="both")
        for unit, values in seen.units.items()
    }
    terms, strength = seasonality(_common(clean, 4), seen)
    noises = {unit: autoregression(values) for unit, values in clean.items()}
    site = _site(seen, jumps, noises, slow_spread(_common(clean, 1), seen.interval_s), terms)
    return Fitted(site, _sensors(seen, clean, noises), terms, strength, seen.days)


def _site(
    seen: Observations,
    jumps: dict[str, pd.Series],
    noises: dict[str, Noise],
    drift: float,
    terms: dict[str, Term],
) -> Site:
    """Return the estimates as a site; what its units share is the median over them, so that one odd unit matters little."""
    found = noises.values()
    parameters = {
        "medians": {unit: _rounded(values.median(), 2) for unit, values in seen.units.items()},
        "noise": _rounded(np.median([each.spread for each in found], axis=0)),
        "autocorrelation": _rounded(np.median([each.phi for each in found], axis=0)),
        "coupling": round(float(np.median([each.coupling for each in found])), 3),
        "drift": round(drift, 3),
        "excursion_share": round(float(np.median([(each != 0).mean() for each in jumps.values()])), 4),
        "season": _season(terms),
    }
    try:
        return Site.model_validate(parameters)
    except ValidationError as error:
        raise first_problem("fitted site", error) from error


def excursions(values: pd.DataFrame) -> pd.Series:
    """Return how far a unit's sensors jump together in each slot, whole °C; 0 nearly everywhere."""
    usual = values.rolling(SHORT, center=True, min_periods=SHORT // 3).median()
    together = (values - usual).median(axis=1)
    return together.round().where(together.abs() > JUMP, 0.0)


def seasonality(load: pd.Series, seen: Observations) -> tuple[dict[str, Term], float]:
    """Return the season's terms, each with its F test, and the strength of the daily one.

    Args:
        load: mean deviation of the units' return air from its median, °C, a value a slot.
        seen: where and how far apart the slots are.
    """
    periods = {"daily": DAY_S} if seen.days >= 2 else {}  # noqa: PLR2004 - a cycle shows from its second round on
    if seen.days >= 7:  # noqa: PLR2004
        periods["weekly"] = WEEK_S
    if not periods:
        return {}, np.nan
    monday = seen.start.normalize() - pd.Timedelta(days=seen.start.weekday())
    at = (seen.start - monday).total_seconds() + np.arange(len(load)) * seen.interval_s
    waves = [wave(2 * np.pi * at / period) for period in periods.values() for wave in (np.cos, np.sin)]
    lags = max(1, round(3600 / seen.interval_s))
    model = OLS(load.to_numpy(), add_constant(np.column_stack(waves)))
    result = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    terms = {name: _term(result, 1 + 2 * number) for number, name in enumerate(periods)}
    parts = STL(load.to_numpy(), period=round(DAY_S / seen.interval_s), seasonal=_SAME_EVERY_DAY).fit()
    strength = 1 - np.var(parts.resid) / np.var(parts.resid + parts.seasonal)
    return terms, float(max(0.0, strength))


def _term(result: Any, first: int) -> Term:
    cosine, sine = result.params[first : first + 2]
    test = result.f_test(np.eye(len(result.params))[first : first + 2])
    peak = np.arctan2(sine, cosine) / (2 * np.pi) % 1
    return Term(float(np.hypot(cosine, sine)), float(peak), float(test.fvalue), float(test.pvalue))


def _season(terms: dict[str, Term]) -> Season:
    """Return the terms that are there beyond doubt; the others are 0."""
    found: dict[str, float] = {"daily": 0.0, "weekly": 0.0}
    for name, peak, length in (("daily", "peak_hour", 24), ("weekly", "peak_day", 7)):
        if name in terms and terms[name].p < LEVEL:
            found |= {
                name: round(terms[name].amplitude, 3),
                peak: round(terms[name].peak * length, 2) % length,
            }
    return Season.model_validate(found)


def slow_spread(values: pd.Series, interval_s: float) -> float:
    """Return the standard deviation of what changes slowly, °C: the root of the autocovariance at :data:`MEMORY_S`."""
    first, last = (max(1, round(lag / interval_s)) for lag in MEMORY_S)
    covariance = acovf(values.to_numpy(), nlag=last, fft=True)
    return float(np.sqrt(max(0.0, covariance[first:].mean())))


def autoregression(values: pd.DataFrame) -> Noise:
    """Return the AR(1) noise around the rolling median of a unit's readings without excursions."""
    residual = values - values.rolling(LONG, center=True, min_periods=LONG // 4).median()
    fits = [AutoReg(residual[sensor].to_numpy(), lags=1, trend="n").fit() for sensor in residual]
    phi = np.clip([float(each.params[0]) for each in fits], -0.99, 0.99)
    spread = np.sqrt([each.sigma2 for each in fits]) / np.sqrt(1 - phi**2)
    between = np.corrcoef([each.resid for each in fits])
    return Noise(spread, phi, float(max(0.0, between[np.triu_indices(len(fits), 1)].mean())))


def forecast_errors(values: Floats) -> tuple[float, float]:
    """Return the root mean square error of one-step forecasts over the last quarter, °C: AR(12), last value again."""
    split = len(values) * 3 // 4
    fitted = AutoReg(values[:split], lags=FORECAST_LAGS).fit()
    forecast = fitted.append(values[split:]).predict(start=split, end=len(values) - 1)
    tried = values[split:]
    return _rms(tried - forecast), _rms(tried - values[split - 1 : -1])


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _common(units: dict[str, pd.DataFrame], sensor: int) -> pd.Series:
    """Return the mean over units of a sensor's deviation from its median, °C."""
    return pd.concat([values[sensor] - values[sensor].median() for values in units.values()], axis=1).mean(
        axis=1
    )


def _rounded(values: "pd.Series | Floats", digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in values]


def _sensors(seen: Observations, clean: dict[str, pd.DataFrame], noises: dict[str, Noise]) -> pd.DataFrame:
    rows = []
    for unit, values in seen.units.items():
        for index, sensor in enumerate(values):
            ours, again = forecast_errors(clean[unit][sensor].to_numpy())
            rows.append(
                {
                    "unit": unit,
                    "sensor": sensor,
                    "n": int(values[sensor].count()),
                    "missing": int(values[sensor].isna().sum()),
                    "median": round(float(values[sensor].median()), 2),
                    "noise": round(float(noises[unit].spread[index]), 3),
                    "lag-1": round(float(noises[unit].phi[index]), 3),
                    "AR(12)": round(ours, 3),
                    "last value": round(again, 3),
                }
            )
    return pd.DataFrame(rows)


def to_toml(site: Site) -> str:
    """Return a site as TOML that a scenario can name: ``site = "file.toml"``."""
    scalars = site.model_dump(mode="json")
    tables = {name: scalars.pop(name) for name in ("medians", "season")}
    lines = [f"{key} = {value}" for key, value in scalars.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {value}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def summary(fitted: Fitted) -> str:
    """Return the diagnostics as a small table."""
    noise = 1 / max(1.0, fitted.days)
    lines = ["°C, a row a sensor:", fitted.sensors.to_string(index=False), ""]
    for name, term in fitted.season.items():
        kept = "kept" if term.p < LEVEL else f"not significant at {LEVEL:.0%}, set to 0"
        lines.append(
            f"{name} season: amplitude {term.amplitude:.3f} °C, F {term.f:.1f}, p {term.p:.2g}: {kept}"
        )
    if fitted.season:
        lines.append(
            f"strength of the daily season (STL): {fitted.strength:.2f}; noise alone gives {noise:.2f}"
        )
    else:
        lines.append("season: not estimated, it takes at least two days")
    return "\n".join(lines)


def run(files: Sequence[Path], out: Path | None, progress: Progress, time_zone: str = "UTC") -> None:
    """Fit a site, tell the diagnostics and write its TOML to ``out``, or to standard output.

    Raises:
        InputError: if the files cannot be read or hold too little, or ``out`` cannot be written.
    """
    fitted = fit(files, progress, time_zone)
    progress(summary(fitted))
    names = ", ".join(path.name for path in files)
    text = f"# Fitted to {names}; hours and days in {time_zone}.\n{to_toml(fitted.site)}"
    if out is None:
        sys.stdout.write(text)
        return
    unfinished = out.with_name(f".{out.name}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(out)
    except OSError as error:
        remedy = f"cannot be written ({error.strerror}): choose another place"
        raise InputError(out, remedy) from error
