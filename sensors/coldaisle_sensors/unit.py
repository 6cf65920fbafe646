"""The mathematical model of one InRow unit: four coupled temperatures over a whole run, in one call.

An InRow unit draws warm air from the aisle, cools it with a coolant loop and blows it back. Four sensors see that:

* coolant in ``T1``: what the chiller delivers, with a slow drift;
* supply air ``T3``: held at its set point by the valve, up to a small part of the load's swing;
* return air ``T4``: supply air plus what the racks add, which follows the heat load;
* coolant out ``T2``: coolant in plus the heat taken from the air. With constant flows the energy balance
  ``m_a c_a (T4 - T3) = m_w c_w (T2 - T1)`` makes ``T2 = T1 + (T4 - T3) · r``, ``r`` from the site's medians.

On top come AR(1) noise of each sensor (Box and Jenkins) and excursions: single readings at which all four sensors of a
unit jump by a whole degree or two, as the published DAD captures show in 4 to 5 % of slots. Unlike there, each unit has its own.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from coldaisle_contracts.plan import seed_for
from coldaisle_contracts.site import Season, Site
from coldaisle_contracts.topics import SENSORS, client_id

Floats = npt.NDArray[np.float64]

DAY_S, WEEK_S = 86_400.0, 604_800.0
DRIFT_TIME_S = 2 * DAY_S
"""Time constant with which a drift returns to its mean, s."""
LEAK = 0.1
"""Part of the load's swing that reaches the supply air past the valve."""
JUMPS = (-2.0, -1.0, 1.0, 2.0)
"""How far an excursion goes, °C."""


def readings(site: Site, unit: str, seed: int, start: datetime, slots: int, interval_s: float) -> Floats:
    """Return the temperatures of a unit's four sensors.

    The same for a unit whoever else runs, and a longer run begins like a shorter one.

    Args:
        site: parameters of the site.
        unit: name of the unit.
        seed: the scenario's seed.
        start: local time of the first slot; its hour and weekday place the seasons.
        slots: number of readings of each sensor.
        interval_s: time between two readings, s.

    Returns:
        °C, one row a slot, one column a sensor: coolant in, coolant out, supply air, return air.
    """
    coolant_in, coolant_out, supply, return_air = site.medians[unit]
    load = season(site.season, start, slots, interval_s) + drift(site.drift, seed, f"load/{unit}", slots, interval_s)
    t1 = coolant_in + drift(site.drift, seed, f"coolant/{unit}", slots, interval_s)
    t3 = supply + LEAK * load
    t4 = return_air + load
    t2 = t1 + (t4 - t3) * (coolant_out - coolant_in) / (return_air - supply)
    state = np.column_stack((t1, t2, t3, t4))
    return state + noise(site, unit, seed, slots) + excursions(site.excursion_share, seed, unit, slots)[:, None]


def season(shape: Season, start: datetime, slots: int, interval_s: float) -> Floats:
    """Return the season's part of the heat load, °C at the return air: first Fourier terms of day and week."""
    first_s = start.hour * 3600 + start.minute * 60 + start.second
    in_day = first_s + np.arange(slots) * interval_s
    in_week = in_day + start.weekday() * DAY_S
    daily = np.cos(2 * np.pi * (in_day / DAY_S - shape.peak_hour / 24))
    weekly = np.cos(2 * np.pi * (in_week / WEEK_S - shape.peak_day / 7))
    return shape.daily * daily + shape.weekly * weekly


def drift(size: float, seed: int, name: str, slots: int, interval_s: float) -> Floats:
    """Return a slow drift, °C, that starts near its mean and returns to it (Ornstein-Uhlenbeck process).

    Args:
        size: standard deviation of its change over a day, °C.
        seed: the scenario's seed.
        name: what drifts.
        slots: number of values.
        interval_s: time between them, s.
    """
    keep = np.exp(-interval_s / DRIFT_TIME_S)
    spread = size / np.sqrt(2 * (1 - np.exp(-DAY_S / DRIFT_TIME_S)))
    steps = _rng(seed, f"drift/{name}").normal(0, spread * np.sqrt(1 - keep**2), slots)
    return autoregressive(steps[:, None], np.array([keep]))[:, 0]


def noise(site: Site, unit: str, seed: int, slots: int) -> Floats:
    """Return the AR(1) noise of a unit's sensors, °C, shape (slots, 4); each sensor has a generator of its own."""
    phi, spread = np.array(site.autocorrelation), np.array(site.noise)
    names = [f"noise/{client_id(unit, sensor)}" for sensor in SENSORS]
    steps = np.column_stack([_rng(seed, name).normal(0, 1, slots) for name in names])
    return autoregressive(steps * spread * np.sqrt(1 - phi**2), phi)


def excursions(share: float, seed: int, unit: str, slots: int) -> Floats:
    """Return how far each slot jumps, °C, shape (slots,); nearly all are 0."""
    draws = _rng(seed, f"excursion/{unit}").random((slots, 2))
    jumps = np.array(JUMPS)[(draws[:, 1] * len(JUMPS)).astype(int)]
    return np.where(draws[:, 0] < share, jumps, 0.0)


def autoregressive(steps: Floats, phi: Floats) -> Floats:
    """Return ``x[t] = phi · x[t-1] + steps[t]`` column by column, from 0."""
    out = np.empty_like(steps)
    last = np.zeros(steps.shape[1])
    for row, step in enumerate(steps):
        last = phi * last + step
        out[row] = last
    return out


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(seed_for(seed, name))
