"""Estimates of the parameters of a unit's model from its readings, each on what the ones before leave over.

1. excursions: slots at which a unit's sensors leave their rolling median together by more than half a degree;
2. season: Fourier terms in the mean return air (OLS), kept where an F test with Newey-West covariance rejects their
   absence at 1 %; STL gives the strength of the daily season (Wang, Smith, Hyndman 2006);
3. drift: standard deviation of what is still correlated in the coolant after half an hour to two hours;
4. noise: AR(1) by least squares (statsmodels AutoReg) of what a rolling median over 49 slots leaves;
5. one-step forecast: AR(12) fitted on the first three quarters, tried on the last, beside "the last value again".
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
