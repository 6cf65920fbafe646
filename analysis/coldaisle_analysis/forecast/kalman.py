"""One-step forecasts of the sensors' readings, and the innovations of readings.

The model of a sensor's value is the sum of a level (a random walk), a daily season and AR(1) noise: a structural time series
(Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter*, 1989, chapter 2). The Kalman filter forecasts
each reading from those before it, with a variance that grows while readings are missing. Some readings belong to an
excursion that all sensors of a unit share. Such a reading has little information on the level, so it moves the level only by the
posterior probability that it is not part of an excursion (a mixture of two normal distributions).

The difference between a reading and its forecast is its **innovation**. Sensors of a unit vary together, so there is also a joint
innovation: the innovation less its expectation given those of the unit's other sensors, divided by the standard deviation that
remains. Control charts run over both: CUSUM (Page, *Continuous Inspection Schemes*, Biometrika 1954) and EWMA (Roberts,
Technometrics 1959).

A :class:`Site` is learned from clean readings alone; :class:`Forecast` follows any readings and only looks back. The module is
longer than most because filter, charts and state are one compiled step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Self

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.compiled import entry, inner
from coldaisle_contracts.clock import DAY_S, SECOND

HARMONICS = 2
"""Number of sines and of cosines of the day that the season consists of."""
SHARE, WIDTH = 0.05, 1.5
"""Share of readings that may belong to an excursion, and the standard deviation of these, in °C."""
RESOLUTION = 0.01
"""Step of the payload, in °C; its rounding is the smallest possible error of a forecast."""
FEWEST = 48
"""Fewest clean readings that a sensor is learned from; with fewer it has the parameters :data:`USUAL`."""
MOST_BESIDE = 8
"""Most sensors of a unit that are judged together: there is a table for every set of them."""
USUAL = (0.02, 0.3, 0.15)
"""Start of the search for the parameters: walk per step (in °C), memory (autocorrelation of the noise), noise (in °C)."""
UNSURE = 2.0
"""Standard deviation of the level before the first reading, in °C."""
SLACK, WEIGHT, MOST, FAR = 0.5, 0.2, 4.0, 20.0
"""Parameters of the charts: slack of CUSUM per step, weight of the newest value in EWMA, bound of a single innovation, and its bound
in the mean of signed innovations, in which excursions to both sides cancel. All but the weight are in standard deviations."""
CEILING = 20.0
"""Largest value of CUSUM, so that it returns to normal within hours of an attack's end."""
COLUMNS = (
    "innovation", "innovation_joint", "cusum", "cusum_joint", "ewma", "ewma_unit", "ewma_size", "ewma_size_unit",
)  # fmt: skip
"""Columns of a reading. innovation: absolute value of its innovation, in standard deviations of the forecast; innovation_joint: absolute
value of its joint innovation, given the unit's other sensors whose last reading is less than half an interval old; cusum, cusum_joint:
CUSUM over each (the larger of up and down); ewma: absolute value of the EWMA of the innovation, which grows when successive readings are
off to the same side; ewma_unit: absolute value of its mean over the unit's sensors; ewma_size: EWMA of the innovation's absolute value,
which grows when readings are off to either side; ewma_size_unit: its mean over the unit's sensors."""
_LEVEL, _LEFT, _P_LL, _P_LA, _P_AA, _INNOVATION, _UP, _DOWN, _JOINT_UP, _JOINT_DOWN, _EWMA, _SIZE, _STATE = (
    range(13)
)


@dataclass(frozen=True)
class Site:
    """Parameters learned about a site's sensors.

    Attributes:
        keys: name of each sensor.
        unit: code of each sensor's unit, shape (sensors,).
        place: place of each sensor in its unit, shape (sensors,).
        dynamics: walk (in °C per step), memory (autocorrelation of the noise) and noise (in °C) of each sensor, shape (sensors, 3).
        season: coefficients of mean, sines and cosines of the day, in °C, shape (sensors, 1 + 2·HARMONICS).
        covariance: covariance of the innovations of each unit's sensors, shape (units, places, places).
        usual: median and scale of the joint innovations of each sensor, shape (sensors, 2).
        interval_s: time between two readings, in s.
    """

    keys: tuple[str, ...]
    unit: Ints
    place: Ints
    dynamics: Floats
    season: Floats
    covariance: Floats
    usual: Floats
    interval_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the site as JSON."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return a site from JSON, see :meth:`to_json`; shapes are checked here, because the compiled filter does not check them.

        Raises:
            KeyError, TypeError, ValueError: if the JSON is no site.
        """
        keys, sensors = tuple(map(str, data["keys"])), len(data["keys"])
        units = len(data["covariance"])
        places = len(data["covariance"][0]) if units else 0

        def floats(name: str, *shape: int) -> Floats:
            numbers = np.array(data[name], np.float64).reshape(shape)
            if not np.isfinite(numbers).all():
                raise ValueError(f"a number of {name} is not finite")
            return numbers

        def codes(name: str, most: int) -> Ints:
            numbers = np.array(data[name], np.int64).reshape(sensors)
            if places > MOST_BESIDE or ((numbers < 0) | (numbers >= most)).any():
                raise ValueError(f"{name} is outside the site")
            return numbers

        return cls(
            keys=keys,
            unit=codes("unit", units),
            place=codes("place", places),
            dynamics=floats("dynamics", sensors, 3),
            season=floats("season", sensors, 1 + 2 * HARMONICS),
            covariance=floats("covariance", units, places, places),
            usual=floats("usual", sensors, 2),
            interval_s=float(floats("interval_s")),
        )


class State(NamedTuple):
    """State of each sensor.

    Attributes:
        number: level, remembered noise, their covariance (3 numbers), innovation, CUSUM up and down of innovation and joint innovation,
            EWMA of the innovation and of its absolute value; shape (sensors, 12).
        last_ns: time of its last reading, in ns since the epoch, -1 for none.
    """

    number: Floats
    last_ns: Ints


class _Model(NamedTuple):
    """A site as the kernel takes it; ``joint`` holds the scaled rows of the precision for every set of sensors with a recent reading."""

    unit: Ints
    place: Ints
    dynamics: Floats
    season: Floats
    joint: Floats
    usual: Floats
    interval_ns: Ints


_Filter = Callable[[Ints, Ints, Ints, Floats, _Model, State, Floats], int]
"""The compiled :func:`_follow`."""
_Cost = Callable[[Floats, Floats, Floats, Floats, Floats], int]
"""The compiled :func:`_cost`."""


@cache
def load() -> tuple[_Filter, _Cost]:
    """Return the compiled filter and the compiled likelihood; only the first call on a machine compiles them."""
    numbers, floats, table = np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1))
    model = _Model(numbers, numbers, table, table, np.zeros((1, 1, 1, 1)), table, numbers)
    examples = (numbers, numbers, numbers, floats, model, State(table, numbers), table)
    return entry(_follow, 1, *examples), entry(_cost, 1, floats, floats, floats, floats, floats)


class Forecast:
    """Follows the readings of a site as they come."""

    def __init__(self, site: Site) -> None:
        self._site = site
        sensors, (units, places, _) = len(site.keys), site.covariance.shape
        joint = np.array([_joint_rows(covariance) for covariance in site.covariance])
        self._model = _Model(
            site.unit, site.place, site.dynamics, site.season,
            joint.reshape(units, 2**places, places, places), site.usual,
            np.array([round(site.interval_s * SECOND)], np.int64),
        )  # fmt: skip
        self._state = State(np.zeros((sensors, _STATE)), np.full(sensors, -1, np.int64))
        self._state.number[:, _P_LL] = UNSURE**2
        self._state.number[:, _P_AA] = site.dynamics[:, 2] ** 2

    def codes(self, keys: Sequence[str]) -> Ints:
        """Return the code of each sensor by name, -1 for a sensor that is not of the site."""
        code_of = {key: code for code, key in enumerate(self._site.keys)}
        return np.array([code_of.get(key, -1) for key in keys], np.int64)

    def follow(self, sensor: Ints, time_ns: Ints, batch: Ints, value: Floats) -> Floats:
        """Return :data:`COLUMNS` of each reading, shape (readings, len(COLUMNS)); missing where the reading is missing.

        Args:
            sensor: code of the sensor; -1 for a sensor that is not of the site.
            time_ns: time of arrival, in ns since the epoch, ascending.
            batch: neighbouring readings with the same number are judged once all of them have arrived.
            value: in °C; missing where no reading arrived.
        """
        return self._run(sensor, time_ns, batch, value)[:, : len(COLUMNS)]

    def innovations(self, sensor: int, time_ns: Ints, value: Floats) -> Floats:
        """Return the signed innovations of one sensor's readings, shape (readings,); missing where the reading is missing."""
        codes = np.full(len(value), sensor, np.int64)
        return self._run(codes, time_ns, np.arange(len(value), dtype=np.int64), value)[:, len(COLUMNS)]

    def _run(self, sensor: Ints, time_ns: Ints, batch: Ints, value: Floats) -> Floats:
        """Return one row per reading: :data:`COLUMNS`, then its signed innovation."""
        columns = np.full((len(value), len(COLUMNS) + 1), np.nan)
        filter_, _ = load()
        sensor, time_ns, batch = (
            np.ascontiguousarray(numbers, np.int64) for numbers in (sensor, time_ns, batch)
        )
        filter_(sensor, time_ns, batch, np.ascontiguousarray(value), self._model, self._state, columns)
        return columns


def _joint_rows(covariance: Floats) -> Floats:
    """Return, for every set of sensors, the scaled rows of the precision of its covariance, shape (sets, places, places)."""
    places = len(covariance)
    table = np.zeros((2**places, places, places))
    for number in range(1, 2**places):
        members = [place for place in range(places) if number >> place & 1]
        precision = np.linalg.inv(covariance[np.ix_(members, members)])
        table[number][np.ix_(members, members)] = precision / np.sqrt(np.diag(precision))[:, None]
    return table


@inner
def _ahead(state: Floats, dynamics: Floats, step: float) -> float:
    """Advance level and noise by a number of steps; return the variance of the next reading."""
    # a power takes as long as everything else here
    memory = dynamics[1] if step == 1.0 else dynamics[1] ** step
    state[_LEFT] *= memory
    state[_P_LL] += dynamics[0] * dynamics[0] * step
    state[_P_LA] *= memory
    state[_P_AA] = memory * memory * state[_P_AA] + dynamics[2] * dynamics[2] * (1 - memory * memory)
    return float(state[_P_LL] + 2 * state[_P_LA] + state[_P_AA] + RESOLUTION * RESOLUTION / 12)


@inner
def _take(state: Floats, error: float, variance: float) -> float:
    """Update the state with a reading's difference from its forecast; return -2 times its log likelihood."""
    wide = variance + WIDTH * WIDTH
    inside = (1 - SHARE) * np.exp(-0.5 * error * error / variance) / np.sqrt(variance)
    outside = SHARE * np.exp(-0.5 * error * error / wide) / np.sqrt(wide)
    both = inside + outside + 1e-300
    level, left = (state[_P_LL] + state[_P_LA]) / variance, (state[_P_LA] + state[_P_AA]) / variance
    trust = inside / both
    state[_LEVEL] += trust * level * error
    state[_LEFT] += trust * left * error
    p_ll, p_la, p_aa = state[_P_LL], state[_P_LA], state[_P_AA]
    state[_P_LL] = p_ll - trust * level * (p_ll + p_la)
    state[_P_LA] = p_la - trust * level * (p_la + p_aa)
    state[_P_AA] = p_aa - trust * left * (p_la + p_aa)
    return float(-2 * np.log(both))


def _cost(step: Floats, residuals: Floats, dynamics: Floats, state: Floats, cost: Floats) -> int:
    """Write -2 times the log likelihood of a sensor's readings less their season to ``cost``, given a fresh state."""
    cost[0] = 0.0
    for at in range(len(residuals)):
        variance = _ahead(state, dynamics, step[at])
        if not np.isnan(residuals[at]):
            cost[0] += _take(state, residuals[at] - state[_LEVEL] - state[_LEFT], variance)
    return len(residuals)


@inner
def _season(coefficients: Floats, time_ns: int) -> float:
    """Return the season at a time, in °C."""
    angle, total = 2 * np.pi * (time_ns / SECOND) / DAY_S, coefficients[0]
    for number in range(HARMONICS):
        total += coefficients[1 + 2 * number] * np.sin(angle * (number + 1))
        total += coefficients[2 + 2 * number] * np.cos(angle * (number + 1))
    return float(total)


@inner
def _innovate(code: int, now: int, value: float, model: _Model, state: State) -> float:
    """Update a sensor's state with a reading and return its innovation."""
    interval, number = model.interval_ns[0], state.number[code]
    step = (now - state.last_ns[code]) / interval if state.last_ns[code] >= 0 else 1.0
    variance = _ahead(number, model.dynamics[code], step)
    error = value - _season(model.season[code], now) - number[_LEVEL] - number[_LEFT]
    _take(number, error, variance)
    state.last_ns[code] = now
    return float(error / np.sqrt(variance))


@inner
def _chart(number: Floats, up: int, counted: float) -> None:
    """Update a CUSUM: its upper side at ``up``, its lower side behind it."""
    number[up] = min(max(0.0, number[up] + counted - SLACK), CEILING)
    number[up + 1] = min(max(0.0, number[up + 1] - counted - SLACK), CEILING)


@inner
def _unit_mean(column: int, unit: int, model: _Model, state: State) -> float:
    """Return the mean of an EWMA over those of a unit's sensors that have had a reading."""
    total, count = 0.0, 0
    for other in range(len(model.unit)):
        if model.unit[other] == unit and state.last_ns[other] >= 0:
            total += state.number[other, column]
            count += 1
    return total / count


@inner
def _judge(code: int, now: int, model: _Model, state: State, columns: Floats, at: int) -> int:
    """Compute a sensor's joint innovation and update its charts."""
    recent_set, unit = 0, model.unit[code]
    for other in range(len(model.unit)):
        recent = state.last_ns[other] >= 0 and 2 * (now - state.last_ns[other]) < model.interval_ns[0]
        if model.unit[other] == unit and recent:
            recent_set |= 1 << model.place[other]
    joint = 0.0
    for other in range(len(model.unit)):
        if model.unit[other] == unit and recent_set >> model.place[other] & 1:
            share = model.joint[unit, recent_set, model.place[code], model.place[other]]
            joint += share * state.number[other, _INNOVATION]
    number, middle, scale = state.number[code], model.usual[code, 0], model.usual[code, 1]
    joint = (joint - middle) / scale
    alone, far = min(max(number[_INNOVATION], -MOST), MOST), min(max(number[_INNOVATION], -FAR), FAR)
    _chart(number, _UP, alone)
    _chart(number, _JOINT_UP, min(max(joint, -MOST), MOST))
    number[_EWMA] += WEIGHT * (far - number[_EWMA])
    number[_SIZE] += WEIGHT * (abs(alone) - number[_SIZE])
    columns[at, 0], columns[at, 1] = abs(number[_INNOVATION]), abs(joint)
    columns[at, 2] = max(number[_UP], number[_DOWN])
    columns[at, 3] = max(number[_JOINT_UP], number[_JOINT_DOWN])
    columns[at, 4], columns[at, 6], columns[at, 8] = abs(number[_EWMA]), number[_SIZE], number[_INNOVATION]
    return recent_set


def _follow(
    sensor: Ints, time_ns: Ints, batch: Ints, value: Floats, model: _Model, state: State, columns: Floats
) -> int:
    """Follow readings, see :meth:`Forecast.follow`; return their number."""
    first = 0
    for at in range(len(sensor)):
        code = sensor[at]
        if code >= 0 and not np.isnan(value[at]):
            state.number[code, _INNOVATION] = _innovate(code, time_ns[at], value[at], model, state)
        if at + 1 == len(sensor) or batch[at + 1] != batch[at]:
            for reading in range(first, at + 1):
                if sensor[reading] >= 0 and not np.isnan(value[reading]):
                    _judge(sensor[reading], time_ns[reading], model, state, columns, reading)
            for reading in range(first, at + 1):
                if sensor[reading] >= 0 and not np.isnan(value[reading]):
                    columns[reading, 5] = abs(_unit_mean(_EWMA, model.unit[sensor[reading]], model, state))
                    columns[reading, 7] = _unit_mean(_SIZE, model.unit[sensor[reading]], model, state)
            first = at + 1
    return len(sensor)
