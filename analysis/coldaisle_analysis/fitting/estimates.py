"""Estimates of the parameters of a unit's model, each fitted to the residuals of the previous step.

1. excursions: slots at which a unit's sensors leave their rolling median together by more than half a degree;
2. season: Fourier terms in the mean return air (OLS), kept if an F test with Newey-West covariance rejects their
   absence at 1 %; STL gives the strength of the daily season (Wang, Smith, Hyndman 2006);
3. drift: standard deviation of the part of the coolant that is still correlated after half an hour to two hours;
4. noise: AR(1) by least squares (statsmodels AutoReg) of the residuals of a rolling median over 49 slots;
5. one-step forecast: AR(12) fitted on the first three quarters and tested on the last, against repeating the last value.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.stattools import acovf

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.fitting.observations import Observations
from coldaisle_contracts.clock import DAY_S, WEEK_S

SHORT, LONG = 13, 49
"""Windows of the rolling medians for excursions and for noise, in slots."""
JUMP = 0.6
"""Distance of an excursion from the rolling median, in °C: four times the noise of the published captures."""
LEVEL = 0.01
"""Significance level of the seasonality test."""
MEMORY_S = (1800, 7200)
"""Lags at which noise is no longer correlated and drift still is, in s."""
FORECAST_LAGS = 12
_SAME_EVERY_DAY = 10_001
"""Window of STL's seasonal smoother, in days: longer than any run."""


@dataclass(frozen=True)
class Term:
    """One Fourier term of the season, as estimated.

    Attributes:
        amplitude: amplitude in the return air, in °C.
        peak: time of the maximum, as a share of its period since local midnight (of Monday).
        f: F statistic of the test of its absence.
        p: probability of a larger F statistic without any season.
    """

    amplitude: float
    peak: float
    f: float
    p: float


@dataclass(frozen=True)
class Noise:
    """AR(1) noise of a unit's sensors.

    Attributes:
        spread: standard deviation of each sensor, in °C.
        phi: lag-1 autocorrelation of each sensor.
        coupling: mean correlation between the innovations of two sensors, not below 0.
    """

    spread: Floats
    phi: Floats
    coupling: float


def excursions(values: pd.DataFrame) -> pd.Series:
    """Return the common jump of a unit's sensors in each slot, in whole °C; it is 0 in most slots."""
    usual = values.rolling(SHORT, center=True, min_periods=SHORT // 3).median()
    together = (values - usual).median(axis=1)
    return together.round().where(together.abs() > JUMP, 0.0)


def seasonality(load: pd.Series, grid: Observations) -> tuple[dict[str, Term], float]:
    """Return the terms of the season, each with its F test, and the strength of the daily season.

    Args:
        load: mean deviation of the units' return air from its median, in °C, one value per slot.
        grid: start and distance of the slots.
    """
    periods = {"daily": DAY_S} if grid.days >= 2 else {}  # noqa: PLR2004 - a cycle shows from its second period on
    if grid.days >= 7:  # noqa: PLR2004
        periods["weekly"] = WEEK_S
    if not periods:
        return {}, np.nan
    monday = grid.start.normalize() - pd.Timedelta(days=grid.start.weekday())
    at = (grid.start - monday).total_seconds() + np.arange(len(load)) * grid.interval_s
    waves = [wave(2 * np.pi * at / period) for period in periods.values() for wave in (np.cos, np.sin)]
    lags = max(1, round(3600 / grid.interval_s))
    model = OLS(load.to_numpy(), add_constant(np.column_stack(waves)))
    result = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    terms = {name: _term(result, 1 + 2 * number) for number, name in enumerate(periods)}
    parts = STL(load.to_numpy(), period=round(DAY_S / grid.interval_s), seasonal=_SAME_EVERY_DAY).fit()
    strength = 1 - np.var(parts.resid) / np.var(parts.resid + parts.seasonal)
    return terms, float(max(0.0, strength))


def _term(result: Any, first: int) -> Term:
    cosine, sine = result.params[first : first + 2]
    test = result.f_test(np.eye(len(result.params))[first : first + 2])
    peak = np.arctan2(sine, cosine) / (2 * np.pi) % 1
    return Term(float(np.hypot(cosine, sine)), float(peak), float(test.fvalue), float(test.pvalue))


def slow_spread(values: pd.Series, interval_s: float) -> float:
    """Return the standard deviation of slow changes, in °C: the root of the mean autocovariance at :data:`MEMORY_S`.

    Lags are at most half the length of the values; it is 0 where that leaves none.
    """
    first, last = (max(1, round(lag / interval_s)) for lag in MEMORY_S)
    last = min(last, len(values) // 2)
    if last < first:
        return 0.0
    covariance = acovf(values.to_numpy(), nlag=last, fft=True)
    return float(np.sqrt(max(0.0, covariance[first:].mean())))


def autoregression(values: pd.DataFrame) -> Noise:
    """Return the AR(1) noise around the rolling median of a unit's readings without excursions."""
    residual = values - values.rolling(LONG, center=True, min_periods=LONG // 4).median()
    fits = [AutoReg(residual[sensor].to_numpy(), lags=1, trend="n").fit() for sensor in residual]
    phi = np.clip([float(fit.params[0]) for fit in fits], -0.99, 0.99)
    spread = np.sqrt([fit.sigma2 for fit in fits]) / np.sqrt(1 - phi**2)
    between = np.corrcoef([fit.resid for fit in fits])
    return Noise(spread, phi, float(max(0.0, between[np.triu_indices(len(fits), 1)].mean())))


def forecast_errors(values: Floats) -> tuple[float, float]:
    """Return the root mean square errors over the last quarter, in °C: one-step forecast by AR(12), and last value repeated."""
    split = len(values) * 3 // 4
    fitted = AutoReg(values[:split], lags=FORECAST_LAGS).fit()
    forecast = fitted.append(values[split:]).predict(start=split, end=len(values) - 1)
    tested = values[split:]
    return _rms(tested - forecast), _rms(tested - values[split - 1 : -1])


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.mean(errors**2)))
