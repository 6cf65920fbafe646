"""Learning a site from clean readings: season by least squares, dynamics by maximum likelihood, covariance of innovations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.forecast.kalman import FEWEST, HARMONICS, UNSURE, USUAL, Forecast, Site, load
from coldaisle_contracts.clock import DAY_S, SECOND

_EVALUATIONS = 60
_LOOKED_AT = 1_000
"""Last slots that the search for three parameters uses: three and a half days with a reading every 5 min."""
_RIDGE = 1e-3
"""Added to the variances of innovations, so that their covariance can always be inverted."""
_MAD = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""
_LEAST = 0.1
"""Smallest scale of a joint innovation."""


def learn(
    units: Mapping[str, Sequence[str]], series: Mapping[str, tuple[Floats, Floats]], interval_s: float
) -> Site:
    """Return a site learned from clean readings.

    Args:
        units: the sensors of each unit.
        series: for each sensor ascending times, in s, and readings, in °C; missing where no reading came or it is not clean.
            The series of all sensors of a unit have the same slots.
        interval_s: time between two readings, in s.
    """
    keys = [key for sensors in units.values() for key in sensors]
    places = max((len(sensors) for sensors in units.values()), default=0)
    learned = [_learn_one(*series[key], interval_s) for key in keys]
    site = Site(
        tuple(keys),
        np.array([code for code, sensors in enumerate(units.values()) for _ in sensors], np.int64),
        np.array([place for sensors in units.values() for place in range(len(sensors))], np.int64),
        np.array([dynamics for dynamics, _ in learned]).reshape(-1, 3),
        np.array([season for _, season in learned]).reshape(-1, 1 + 2 * HARMONICS),
        np.tile(np.eye(places), (len(units), 1, 1)),
        np.tile([0.0, 1.0], (len(keys), 1)),
        interval_s,
    )
    forecast = Forecast(site)
    for number, sensors in enumerate(units.values()):
        _learn_unit(site, forecast, number, sensors, series)
    return site


def _basis(time_s: Floats) -> Floats:
    """Return mean, sines and cosines of the day at these times, in s; shape (times, 1 + 2·HARMONICS)."""
    angle = 2 * np.pi * time_s / DAY_S
    waves = [wave(angle * (number + 1)) for number in range(HARMONICS) for wave in (np.sin, np.cos)]
    return np.column_stack([np.ones_like(angle), *waves])


def _learn_one(time_s: Floats, value: Floats, interval_s: float) -> tuple[Floats, Floats]:
    """Return dynamics and season of one sensor."""
    has_value = np.isfinite(value)
    if has_value.sum() < FEWEST:
        mean = float(np.median(value[has_value])) if has_value.any() else 0.0
        return np.array(USUAL), np.array([mean, *np.zeros(2 * HARMONICS)])
    design = _basis(time_s)
    season = np.linalg.lstsq(design[has_value], value[has_value], rcond=None)[0]
    residuals, step = value - design @ season, np.rint(np.diff(time_s, prepend=time_s[0]) / interval_s)
    _, likelihood = load()
    step, residuals, cost = step[-_LOOKED_AT:], residuals[-_LOOKED_AT:], np.zeros(1)

    def of(point: Floats) -> float:
        dynamics = _natural(point)
        state = np.array([0, 0, UNSURE**2, 0, dynamics[2] ** 2], np.float64)
        likelihood(step, residuals, dynamics, state, cost)
        return float(cost[0])

    start = np.array([np.log(USUAL[0]), np.arctanh(USUAL[1]), np.log(USUAL[2])])
    options: Any = {"maxfev": _EVALUATIONS, "xatol": 0.05, "fatol": 1.0}
    optimum = minimize(of, start, method="Nelder-Mead", options=options)
    return _natural(np.asarray(optimum.x, np.float64)), np.asarray(season, np.float64)


def _natural(point: Floats) -> Floats:
    """Return walk, memory and noise at a point of the search, each limited to what is possible for a sensor."""
    walk, noise = np.exp(np.clip(point[[0, 2]], np.log(1e-4), np.log(5.0)))
    return np.array([walk, np.clip(np.tanh(point[1]), 0.0, 0.95), noise])


def _learn_unit(
    site: Site,
    forecast: Forecast,
    number: int,
    sensors: Sequence[str],
    series: Mapping[str, tuple[Floats, Floats]],
) -> None:
    """Write the covariance of the innovations of a unit's sensors, and median and scale of their joint innovations.

    If too few slots have readings of all sensors of the unit, its sensors stay independent of each other.
    """
    codes = forecast.codes(sensors)
    innovations = []
    for code, key in zip(codes, sensors, strict=True):
        time_s, value = series[key]
        innovations.append(forecast.innovations(int(code), (time_s * SECOND).astype(np.int64), value))
    table = np.column_stack(innovations)
    whole = np.isfinite(table).all(axis=1)
    if whole.sum() < FEWEST:
        return
    covariance = np.cov(table[whole].T).reshape(len(sensors), len(sensors)) + _RIDGE * np.eye(len(sensors))
    site.covariance[number, : len(sensors), : len(sensors)] = covariance
    precision = np.linalg.inv(covariance)
    joint = table[whole] @ precision / np.sqrt(np.diag(precision))
    middle = np.median(joint, axis=0)
    site.usual[codes, 0] = middle
    site.usual[codes, 1] = np.maximum(_MAD * np.median(np.abs(joint - middle), axis=0), _LEAST)
