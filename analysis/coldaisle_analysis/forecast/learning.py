"""Learning a site from its clean readings: season by least squares, dynamics by maximum likelihood, covariance of what is left."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.forecast.kalman import FEWEST, HARMONICS, UNSURE, USUAL, Forecast, Site, load
from coldaisle_contracts.clock import DAY_S, SECOND

_EVALUATIONS = 60
_LOOKED_AT = 1_000
"""Slots the search for three parameters looks at, the last ones: three and a half days of a reading every five minutes."""
_RIDGE = 1e-3
"""Added to the variances of innovations, so that their covariance can always be inverted."""
_MAD = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""
_LEAST = 0.1
"""Smallest scale of a joint innovation."""


def learn(
    units: Mapping[str, Sequence[str]], series: Mapping[str, tuple[Floats, Floats]], interval_s: float
) -> Site:
    """Return what clean readings say of a site.

    Args:
        units: the sensors of each unit.
        series: per sensor times, s, ascending, and readings, °C; missing where none came or it is not clean. Those of
            a unit's sensors have an entry each for the same slots.
        interval_s: time between two readings, s.
    """
    keys = [key for own in units.values() for key in own]
    places = max((len(own) for own in units.values()), default=0)
    learned = [_learn_one(*series[key], interval_s) for key in keys]
    site = Site(
        tuple(keys),
        np.array([code for code, own in enumerate(units.values()) for _ in own], np.int64),
        np.array([place for own in units.values() for place in range(len(own))], np.int64),
        np.array([dynamics for dynamics, _ in learned]).reshape(-1, 3),
        np.array([season for _, season in learned]).reshape(-1, 1 + 2 * HARMONICS),
        np.tile(np.eye(places), (len(units), 1, 1)),
        np.tile([0.0, 1.0], (len(keys), 1)),
        interval_s,
    )
    forecast = Forecast(site)
    for number, own in enumerate(units.values()):
        _learn_unit(site, forecast, number, own, series)
    return site


def _basis(time_s: Floats) -> Floats:
    """Return mean, sines and cosines of the day at these times, s, shape (times, 1 + 2·HARMONICS)."""
    angle = 2 * np.pi * time_s / DAY_S
    waves = [wave(angle * (number + 1)) for number in range(HARMONICS) for wave in (np.sin, np.cos)]
    return np.column_stack([np.ones_like(angle), *waves])


def _learn_one(time_s: Floats, value: Floats, interval_s: float) -> tuple[Floats, Floats]:
    """Return dynamics and season of one sensor."""
    known = np.isfinite(value)
    if known.sum() < FEWEST:
        mean = float(np.median(value[known])) if known.any() else 0.0
        return np.array(USUAL), np.array([mean, *np.zeros(2 * HARMONICS)])
    design = _basis(time_s)
    season = np.linalg.lstsq(design[known], value[known], rcond=None)[0]
    rest, step = value - design @ season, np.rint(np.diff(time_s, prepend=time_s[0]) / interval_s)
    _, likelihood = load()
    step, rest, cost = step[-_LOOKED_AT:], rest[-_LOOKED_AT:], np.zeros(1)

    def of(given: Floats) -> float:
        dynamics = _natural(given)
        likelihood(step, rest, dynamics, np.array([0, 0, UNSURE**2, 0, dynamics[2] ** 2], np.float64), cost)
        return float(cost[0])

    start = np.array([np.log(USUAL[0]), np.arctanh(USUAL[1]), np.log(USUAL[2])])
    options: Any = {"maxfev": _EVALUATIONS, "xatol": 0.05, "fatol": 1.0}
    found = minimize(of, start, method="Nelder-Mead", options=options)
    return _natural(np.asarray(found.x, np.float64)), np.asarray(season, np.float64)


def _natural(given: Floats) -> Floats:
    """Return walk, memory and noise of a point of the search, each within what a sensor can do."""
    walk, noise = np.exp(np.clip(given[[0, 2]], np.log(1e-4), np.log(5.0)))
    return np.array([walk, np.clip(np.tanh(given[1]), 0.0, 0.95), noise])


def _learn_unit(
    site: Site,
    forecast: Forecast,
    number: int,
    own: Sequence[str],
    series: Mapping[str, tuple[Floats, Floats]],
) -> None:
    """Write the covariance of the innovations of a unit's sensors, and what is usual of their joint innovations.

    A unit too few of whose slots have all its readings is left as if its sensors were independent.
    """
    codes = forecast.codes(own)
    left = []
    for code, key in zip(codes, own, strict=True):
        time_s, value = series[key]
        left.append(forecast.innovations(int(code), (time_s * SECOND).astype(np.int64), value))
    table = np.column_stack(left)
    whole = np.isfinite(table).all(axis=1)
    if whole.sum() < FEWEST:
        return
    covariance = np.cov(table[whole].T).reshape(len(own), len(own)) + _RIDGE * np.eye(len(own))
    site.covariance[number, : len(own), : len(own)] = covariance
    precision = np.linalg.inv(covariance)
    joint = table[whole] @ precision / np.sqrt(np.diag(precision))
    middle = np.median(joint, axis=0)
    site.usual[codes, 0] = middle
    site.usual[codes, 1] = np.maximum(_MAD * np.median(np.abs(joint - middle), axis=0), _LEAST)
