"""One-step forecasts of what the sensors will say, and what a reading leaves over.

A sensor's value is a level that walks, a season of the day, and noise that remembers a little: a structural time series
(Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter*, 1989, chapter 2). The Kalman filter forecasts
each reading from those before it and knows how sure it is; while readings are missing it waits, less and less sure. Some
readings belong to an excursion that all sensors of a unit share; such a one says little of the level, so it moves it by the
posterior weight of being none (a mixture of two normal distributions).

What a reading leaves over is its **innovation**. Sensors of a unit vary together, so an innovation is also judged beside those
of the unit's other sensors: less what theirs let expect, over what is then left of its spread. Control charts run over
that: CUSUM (Page, *Continuous Inspection Schemes*, Biometrika 1954) and EWMA (Roberts, Technometrics 1959).

A :class:`Site` is learned from clean readings alone; :class:`Forecast` follows any readings and only looks back. The module is longer than most: filter, charts and state are one
compiled step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.compiled import entry, inner
from coldaisle_contracts.clock import DAY_S, SECOND

HARMONICS = 2
"""Sines and cosines of the day that the season is made of."""
SHARE, WIDTH = 0.05, 1.5
"""Share of readings that may belong to an excursion, and how wide those spread, °C."""
RESOLUTION = 0.01
"""Step of the payload, °C; its rounding is the least a forecast can be off."""
FEWEST = 48
"""Clean readings a sensor needs to be learned from; with fewer it keeps :data:`USUAL`."""
MOST_BESIDE = 8
"""Sensors of a unit that are judged beside each other at most: there is a table for every set of them."""
USUAL = (0.02, 0.3, 0.15)
"""Where the search for the parameters starts: walk a step (°C), memory, noise (°C)."""
UNSURE = 2.0
"""Standard deviation of a level nothing is known of yet, °C."""
SLACK, WEIGHT, MOST, FAR = 0.5, 0.2, 4.0, 20.0
"""Of the charts: what CUSUM forgives a step, EWMA's weight of the newest, what a single reading counts at most, and at most where the
mean of signed ones is taken, in which excursions to either side cancel; but for the weight in standard deviations."""
CEILING = 20.0
"""Where CUSUM stops growing, so that it forgets an attack within hours of its end."""
COLUMNS = (
    "innovation", "innovation_joint", "cusum", "cusum_joint", "ewma", "ewma_unit", "ewma_size", "ewma_size_unit",
)  # fmt: skip
"""What is said of a reading: the size of its innovation, in standard deviations of the forecast; the same beside the unit's other
sensors that spoke within half an interval; CUSUM over either (the larger of up and down); size of the EWMA of the innovation, which
grows when one reading after the other is off to the same side, and of its mean over the unit's sensors; EWMA of the innovation's
size, which grows when they are odd whichever way, and its mean over the unit's sensors."""
_LEVEL, _LEFT, _P_LL, _P_LA, _P_AA, _INNOVATION, _UP, _DOWN, _JOINT_UP, _JOINT_DOWN, _EWMA, _SIZE, _STATE = (
    range(13)
)


@dataclass(frozen=True)
class Site:
    """What is known of a site's sensors.

    Attributes:
        keys: name of each sensor.
        unit: code of each sensor's unit, shape (sensors,).
        place: place of each sensor among its unit's, shape (sensors,).
        dynamics: walk (°C a step), memory and noise (°C) of each sensor, shape (sensors, 3).
        season: coefficients of mean, sines and cosines of the day, °C, shape (sensors, 1 + 2·HARMONICS).
        covariance: of the innovations of each unit's sensors, shape (units, places, places).
        usual: median and scale of the joint innovations of each sensor, shape (sensors, 2).
        interval_s: time between two readings, s.
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
        """Return it as JSON has it."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` gave; the compiled filter takes the shapes on trust, so they are checked here.

        Raises:
            KeyError, TypeError, ValueError: if it is something else.
        """
        keys, sensors = tuple(map(str, told["keys"])), len(told["keys"])
        units = len(told["covariance"])
        places = len(told["covariance"][0]) if units else 0

        def floats(name: str, *shape: int) -> Floats:
            return _finite(np.array(told[name], np.float64).reshape(shape))

        def codes(name: str, most: int) -> Ints:
            numbers = np.array(told[name], np.int64).reshape(sensors)
            if places > MOST_BESIDE or ((numbers < 0) | (numbers >= most)).any():
                raise ValueError(f"{name} leads out of the site")
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


def _finite(numbers: Floats) -> Floats:
    if not np.isfinite(numbers).all():
        raise ValueError("a number of the site is not finite")
    return numbers


class State(NamedTuple):
    """What is known of each sensor.

    Attributes:
        number: level, rest of the noise, their covariance (3), innovation, CUSUM up and down of either, EWMA of the
            innovation and of its size; shape (sensors, 12).
        last_ns: when it last spoke, -1 for never.
    """

    number: Floats
    last_ns: Ints


class _Model(NamedTuple):
    """A site as the kernel takes it; ``beside`` holds the scaled rows of the precision for every set of sensors that spoke."""

    unit: Ints
    place: Ints
    dynamics: Floats
    season: Floats
    beside: Floats
    usual: Floats
    interval_ns: Ints


class _Filter(Protocol):
    def __call__(
        self,
        sensor: Ints,
        time_ns: Ints,
        tick: Ints,
        value: Floats,
        model: _Model,
        state: State,
        said: Floats,
    ) -> int: ...


class _Cost(Protocol):
    def __call__(self, step: Floats, rest: Floats, dynamics: Floats, state: Floats, cost: Floats) -> int: ...


@cache
def load() -> tuple[_Filter, _Cost]:
    """Return the compiled filter and the compiled likelihood; only the first call of all on a machine compiles them."""
    numbers, floats, table = np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1))
    model = _Model(numbers, numbers, table, table, np.zeros((1, 1, 1, 1)), table, numbers)
    examples = (numbers, numbers, numbers, floats, model, State(table, numbers), table)
    return entry(_follow, 1, *examples), entry(_cost, 1, floats, floats, floats, floats, floats)


class Forecast:
    """Follows the readings of a site as they come."""

    def __init__(self, site: Site) -> None:
        self._site = site
        sensors = len(site.keys)
        self._model = _Model(
            site.unit, site.place, site.dynamics, site.season,
            np.array([_beside(covariance) for covariance in site.covariance]), site.usual,
            np.array([round(site.interval_s * SECOND)], np.int64),
        )  # fmt: skip
        self._state = State(np.zeros((sensors, _STATE)), np.full(sensors, -1, np.int64))
        self._state.number[:, _P_LL] = UNSURE**2
        self._state.number[:, _P_AA] = site.dynamics[:, 2] ** 2

    def codes(self, keys: Sequence[str]) -> Ints:
        """Return the code of each sensor by name, -1 for one that is not known."""
        known = {key: code for code, key in enumerate(self._site.keys)}
        return np.array([known.get(key, -1) for key in keys], np.int64)

    def follow(self, sensor: Ints, time_ns: Ints, tick: Ints, value: Floats) -> Floats:
        """Return what is said of each reading, shape (readings, len(COLUMNS)); missing where the reading is.

        Args:
            sensor: its sensor's code; -1 for one that is not known.
            time_ns: when it came, ns, never falling.
            tick: readings side by side with the same number are judged once all of them are in.
            value: °C; missing where nothing came.
        """
        return self._run(sensor, time_ns, tick, value)[:, : len(COLUMNS)]

    def innovations(self, sensor: int, time_ns: Ints, value: Floats) -> Floats:
        """Return the signed innovations of one sensor's readings, shape (readings,); missing where the reading is."""
        codes = np.full(len(value), sensor, np.int64)
        return self._run(codes, time_ns, np.arange(len(value), dtype=np.int64), value)[:, len(COLUMNS)]

    def _run(self, sensor: Ints, time_ns: Ints, tick: Ints, value: Floats) -> Floats:
        """Return a row a reading: :data:`COLUMNS`, then its signed innovation."""
        said = np.full((len(value), len(COLUMNS) + 1), np.nan)
        filter_, _ = load()
        sensor, time_ns, tick = (np.ascontiguousarray(each, np.int64) for each in (sensor, time_ns, tick))
        filter_(sensor, time_ns, tick, np.ascontiguousarray(value), self._model, self._state, said)
        return said


def _beside(covariance: Floats) -> Floats:
    """Return, for every set of sensors, the scaled rows of the precision of its covariance, shape (sets, places, places)."""
    places = len(covariance)
    table = np.zeros((2**places, places, places))
    for number in range(1, 2**places):
        spoke = [place for place in range(places) if number >> place & 1]
        precision = np.linalg.inv(covariance[np.ix_(spoke, spoke)])
        table[number][np.ix_(spoke, spoke)] = precision / np.sqrt(np.diag(precision))[:, None]
    return table


@inner
def _ahead(state: Floats, dynamics: Floats, step: float) -> float:
    """Move level and noise so many steps on; return the variance of the next reading."""
    kept = dynamics[1] if step == 1.0 else dynamics[1] ** step  # a power takes as long as all the rest
    state[_LEFT] *= kept
    state[_P_LL] += dynamics[0] * dynamics[0] * step
    state[_P_LA] *= kept
    state[_P_AA] = kept * kept * state[_P_AA] + dynamics[2] * dynamics[2] * (1 - kept * kept)
    return float(state[_P_LL] + 2 * state[_P_LA] + state[_P_AA] + RESOLUTION * RESOLUTION / 12)


@inner
def _take(state: Floats, off: float, variance: float) -> float:
    """Take a reading that was so much off its forecast; return -2 log likelihood."""
    wide = variance + WIDTH * WIDTH
    inside = (1 - SHARE) * np.exp(-0.5 * off * off / variance) / np.sqrt(variance)
    outside = SHARE * np.exp(-0.5 * off * off / wide) / np.sqrt(wide)
    both = inside + outside + 1e-300
    level, left = (state[_P_LL] + state[_P_LA]) / variance, (state[_P_LA] + state[_P_AA]) / variance
    trust = inside / both
    state[_LEVEL] += trust * level * off
    state[_LEFT] += trust * left * off
    p_ll, p_la, p_aa = state[_P_LL], state[_P_LA], state[_P_AA]
    state[_P_LL] = p_ll - trust * level * (p_ll + p_la)
    state[_P_LA] = p_la - trust * level * (p_la + p_aa)
    state[_P_AA] = p_aa - trust * left * (p_la + p_aa)
    return float(-2 * np.log(both))


def _cost(step: Floats, rest: Floats, dynamics: Floats, state: Floats, cost: Floats) -> int:
    """Write -2 log likelihood of a sensor's readings less their season to ``cost``, given a fresh state."""
    cost[0] = 0.0
    for at in range(len(rest)):
        variance = _ahead(state, dynamics, step[at])
        if not np.isnan(rest[at]):
            cost[0] += _take(state, rest[at] - state[_LEVEL] - state[_LEFT], variance)
    return len(rest)


@inner
def _season(coefficients: Floats, time_ns: int) -> float:
    """Return what the season expects at a time, °C."""
    angle, total = 2 * np.pi * (time_ns / SECOND) / DAY_S, coefficients[0]
    for number in range(HARMONICS):
        total += coefficients[1 + 2 * number] * np.sin(angle * (number + 1))
        total += coefficients[2 + 2 * number] * np.cos(angle * (number + 1))
    return float(total)


@inner
def _innovate(own: int, now: int, value: float, model: _Model, state: State) -> float:
    """Take a reading and return its innovation."""
    interval, number = model.interval_ns[0], state.number[own]
    step = (now - state.last_ns[own]) / interval if state.last_ns[own] >= 0 else 1.0
    variance = _ahead(number, model.dynamics[own], step)
    off = value - _season(model.season[own], now) - number[_LEVEL] - number[_LEFT]
    _take(number, off, variance)
    state.last_ns[own] = now
    return float(off / np.sqrt(variance))


@inner
def _chart(number: Floats, up: int, counted: float) -> None:
    """Move the two sides of a CUSUM, that upwards and the one behind it downwards."""
    number[up] = min(max(0.0, number[up] + counted - SLACK), CEILING)
    number[up + 1] = min(max(0.0, number[up + 1] - counted - SLACK), CEILING)


@inner
def _unit_mean(what: int, unit: int, model: _Model, state: State) -> float:
    """Return the mean of one of the EWMAs over a unit's sensors that have spoken."""
    total, count = 0.0, 0
    for other in range(len(model.unit)):
        if model.unit[other] == unit and state.last_ns[other] >= 0:
            total += state.number[other, what]
            count += 1
    return total / count


@inner
def _judge(own: int, now: int, model: _Model, state: State, said: Floats, at: int) -> int:
    """Judge a sensor's innovation beside those of its unit, and move its charts."""
    spoke, unit = 0, model.unit[own]
    for other in range(len(model.unit)):
        recent = state.last_ns[other] >= 0 and 2 * (now - state.last_ns[other]) < model.interval_ns[0]
        if model.unit[other] == unit and recent:
            spoke |= 1 << model.place[other]
    joint = 0.0
    for other in range(len(model.unit)):
        if model.unit[other] == unit and spoke >> model.place[other] & 1:
            share = model.beside[unit, spoke, model.place[own], model.place[other]]
            joint += share * state.number[other, _INNOVATION]
    number, middle, scale = state.number[own], model.usual[own, 0], model.usual[own, 1]
    joint = (joint - middle) / scale
    alone, far = min(max(number[_INNOVATION], -MOST), MOST), min(max(number[_INNOVATION], -FAR), FAR)
    _chart(number, _UP, alone)
    _chart(number, _JOINT_UP, min(max(joint, -MOST), MOST))
    number[_EWMA] += WEIGHT * (far - number[_EWMA])
    number[_SIZE] += WEIGHT * (abs(alone) - number[_SIZE])
    said[at, 0], said[at, 1] = abs(number[_INNOVATION]), abs(joint)
    said[at, 2] = max(number[_UP], number[_DOWN])
    said[at, 3] = max(number[_JOINT_UP], number[_JOINT_DOWN])
    said[at, 4], said[at, 6], said[at, 8] = abs(number[_EWMA]), number[_SIZE], number[_INNOVATION]
    return spoke


def _follow(
    sensor: Ints, time_ns: Ints, tick: Ints, value: Floats, model: _Model, state: State, said: Floats
) -> int:
    """Follow readings, see :meth:`Forecast.follow`; return how many."""
    first = 0
    for at in range(len(sensor)):
        own = sensor[at]
        if own >= 0 and not np.isnan(value[at]):
            state.number[own, _INNOVATION] = _innovate(own, time_ns[at], value[at], model, state)
        if at + 1 == len(sensor) or tick[at + 1] != tick[at]:
            for each in range(first, at + 1):
                if sensor[each] >= 0 and not np.isnan(value[each]):
                    _judge(sensor[each], time_ns[each], model, state, said, each)
            for each in range(first, at + 1):
                if sensor[each] >= 0 and not np.isnan(value[each]):
                    said[each, 5] = abs(_unit_mean(_EWMA, model.unit[sensor[each]], model, state))
                    said[each, 7] = _unit_mean(_SIZE, model.unit[sensor[each]], model, state)
            first = at + 1
    return len(sensor)
