"""The mathematical model of one InRow unit: four coupled temperatures over a whole run, in one call.

An InRow unit draws warm air from the aisle, cools it with chilled water and blows it back. Its four sensors see

* coolant in ``T1``: the chilled water for all units, with a slow drift;
* supply air ``T3``: the valve holds it at its set point, except for a small part of the load's swing;
* return air ``T4``: its median plus the heat load, which follows day and week;
* coolant out ``T2``: coolant in plus the heat taken from the air. At constant flows the energy balance
  ``m_a c_a (T4 - T3) = m_w c_w (T2 - T1)`` makes ``T2 = T1 + r (T4 - T3)``, with ``r`` from the unit's medians.

On top come AR(1) noise of each sensor (Box, Jenkins: Time Series Analysis, ch. 3), most of it common to a unit's sensors,
and excursions: single readings at which all four sensors jump by a whole degree or two. The published DAD captures
show both; there the excursions of different units are copies of each other, here each unit draws its own.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from coldaisle_contracts.clock import DAY_S, WEEK_S
from coldaisle_contracts.plan import seed_for
from coldaisle_contracts.site_parameters import Season, Site

Floats = npt.NDArray[np.float64]

DRIFT_TIME_S = 2 * DAY_S
"""Correlation time of the drift, in s. With the default size, days differ by 0.1 to 0.3 °C."""
LEAK = 0.1
"""Part of the load's swing that passes the valve and reaches the supply air."""
JUMPS = (-2.0, -1.0, 1.0, 2.0)
"""Sizes of an excursion, in °C; all are equally likely."""


def readings(site: Site, unit: str, seed: int, start: datetime, slots: int, interval_s: float) -> Floats:
    """Return the temperatures of a unit's four sensors.

    They do not depend on other units, and a longer run begins like a shorter one.

    Args:
        site: parameters of the site.
        unit: name of the unit, a key of ``site.units``.
        seed: the scenario's seed.
        start: local time of the first slot; its time of day and weekday place the seasons.
        slots: number of readings of each sensor.
        interval_s: time between two readings, in s.

    Returns:
        Temperatures in °C, one row per slot, one column per sensor: coolant in, coolant out, supply air, return air.
    """
    coolant_in, coolant_out, supply, return_air = site.units[unit].medians
    load = season(site.season, start, slots, interval_s)
    t1 = coolant_in + drift(site.drift, seed, slots, interval_s)
    t3 = supply + LEAK * load
    t4 = return_air + load
    t2 = t1 + (t4 - t3) * (coolant_out - coolant_in) / (return_air - supply)
    jumps = excursions(site.excursion_share, seed, unit, slots)
    return np.column_stack((t1, t2, t3, t4)) + noise(site, unit, seed, slots) + jumps[:, None]


def season(shape: Season, start: datetime, slots: int, interval_s: float) -> Floats:
    """Return the heat load's part of the return air, in °C: first Fourier terms of day and week."""
    in_day = start.hour * 3600 + start.minute * 60 + start.second + np.arange(slots) * interval_s
    in_week = in_day + start.weekday() * DAY_S
    daily: Floats = np.cos(2 * np.pi * (in_day / DAY_S - shape.peak_hour / 24))
    weekly: Floats = np.cos(2 * np.pi * (in_week / WEEK_S - shape.peak_day / 7))
    return shape.daily * daily + shape.weekly * weekly


def drift(size: float, seed: int, slots: int, interval_s: float) -> Floats:
    """Return the drift of the chilled water, in °C: an Ornstein-Uhlenbeck process, which always returns to its mean.

    Args:
        size: its standard deviation, in °C.
        seed: the scenario's seed; the chiller is the site's, so all units get the same.
        slots: number of values.
        interval_s: time between them, in s.
    """
    keep = np.exp(-interval_s / DRIFT_TIME_S)
    return size * autoregressive(_normals(seed, "chiller", slots)[:, None], np.array([keep]))[:, 0]


def noise(site: Site, unit: str, seed: int, slots: int) -> Floats:
    """Return the AR(1) noise of a unit's sensors, in °C, shape (slots, 4).

    Each sensor has a generator of its own; the share ``site.coupling`` of the variance comes from a common one.
    """
    single = np.column_stack(
        [_normals(seed, f"noise/{client}", slots) for client in site.units[unit].clients]
    )
    common = _normals(seed, f"noise/{unit}", slots)[:, None]
    steps = np.sqrt(site.coupling) * common + np.sqrt(1 - site.coupling) * single
    return np.array(site.noise) * autoregressive(steps, np.array(site.autocorrelation))


def excursions(share: float, seed: int, unit: str, slots: int) -> Floats:
    """Return the excursion of each slot, in °C, shape (slots,); nearly all are 0."""
    draws = _generator(seed, f"excursion/{unit}").random((slots, 2))
    jumps = np.array(JUMPS)[(draws[:, 1] * len(JUMPS)).astype(int)]
    return np.where(draws[:, 0] < share, jumps, 0.0)


def autoregressive(steps: Floats, phi: Floats) -> Floats:
    """Return AR(1) processes of variance 1, stationary from their first value.

    Args:
        steps: standard normal innovations, shape (slots, processes).
        phi: lag-1 autocorrelation of each process.
    """
    out = steps * np.sqrt(1 - phi**2)
    out[:1] = steps[:1]
    for slot in range(1, len(out)):
        out[slot] += phi * out[slot - 1]
    return out


def _normals(seed: int, name: str, slots: int) -> Floats:
    return _generator(seed, name).standard_normal(slots)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(seed_for(seed, name))
