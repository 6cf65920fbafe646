"""The history of each sensor: every value is compared with the sensor's own past, in order of time.

The state takes two kilobytes per sensor. A capture is followed in one go or as it comes, with the same result.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.compiled import entry, inner

SHORT, LONG, RECENT = 12, 48, 4
"""Values that the short median, the long median and the mean look back over; the mean includes this value. With a reading every
5 min, the medians look back over one hour and four hours."""
LEAST = 3
"""Fewest values for a median."""
FLOOR = 0.02
"""Smallest scale that a score is divided by, in °C: two steps of the payload's resolution."""
COLUMNS = ("diff", "dev", "dev_long", "dev_mean", "score", "spread", "run", "late", "dev_host")
"""Columns of a value, in the order of :meth:`History.follow`.

diff: change since the last value; dev, dev_long: the value less the median of the 12 or 48 before; dev_mean: mean of dev_long
over this value and the 3 before; score: size of dev over the median size of the 48 before; spread: standard deviation of this
value and the 3 before; run: length of the run of equal values, this one included; late: the wait for this value less the median of
the 48 waits before, so that a burst is not taken for usual; dev_host: dev less the median of the latest dev of the host's other sensors.
"""
_START = 16
_NAN = np.nan


class State(NamedTuple):
    """State of each sensor, one row per sensor.

    Attributes:
        values: ring of the last LONG values, in °C.
        sizes: ring of the absolute values of their dev.
        waits: ring of the last LONG waits, in s.
        longs: ring of the last RECENT dev_long.
        latest: latest dev.
        counts: number of values so far, and length of the current run of equal values.
        host: code of the sensor's host.
    """

    values: Floats
    sizes: Floats
    waits: Floats
    longs: Floats
    latest: Floats
    counts: Ints
    host: Ints


def _new(sensors: int) -> State:
    values, sizes, waits, longs = (np.full((sensors, size), np.nan) for size in (LONG, LONG, LONG, RECENT))
    counts, host = np.zeros((sensors, 2), np.int64), np.full(sensors, -1, np.int64)
    return State(values, sizes, waits, longs, np.full(sensors, np.nan), counts, host)


Kernel = Callable[[Ints, Ints, Floats, Floats, State, Floats, Floats], int]
"""The compiled :func:`_follow_history`."""


@cache
def load() -> Kernel:
    """Return the compiled kernel; only the first call on a machine compiles it."""
    numbers, floats = np.zeros(1, np.int64), np.zeros(1)
    return entry(_follow_history, 1, numbers, numbers, floats, floats, _new(1), floats, np.zeros((1, 1)))


class History:
    """Follows the values of sensors; sensors and hosts are numbered from 0."""

    def __init__(self) -> None:
        self._state = _new(_START)

    def follow(self, sensor: Ints, host: Ints, wait: Floats, value: Floats) -> Floats:
        """Return :data:`COLUMNS` of each value, shape (values, len(COLUMNS)); missing where the past is too short.

        Args:
            sensor: code of the sensor of each value, in order of time.
            host: code of the sensor's host.
            wait: time since the sensor's value before, in s; missing for its first value.
            value: in °C; missing where the payload was no number.
        """
        if len(sensor) and int(sensor.max()) >= len(self._state.host):
            self._grow(int(sensor.max()) + 1)
        columns, scratch = np.empty((len(sensor), len(COLUMNS))), np.empty(LONG + len(self._state.host))
        load()(sensor, host, wait, value, self._state, scratch, columns)
        return columns

    def _grow(self, sensors: int) -> None:
        more = _new(max(sensors, 2 * len(self._state.host)) - len(self._state.host))
        self._state = State._make(np.concatenate(pair) for pair in zip(self._state, more, strict=True))


@inner
def _median(scratch: Floats, count: int, least: int) -> float:
    """Sort the first ``count`` numbers and return their median; missing where they are fewer than ``least``."""
    if count < least:
        return _NAN
    for at in range(1, count):
        number, place = scratch[at], at
        while place > 0 and scratch[place - 1] > number:
            scratch[place] = scratch[place - 1]
            place -= 1
        scratch[place] = number
    half = count // 2
    return float(scratch[half]) if count % 2 else float((scratch[half - 1] + scratch[half]) / 2)


@inner
def _recent(ring: Floats, before: int, most: int, scratch: Floats) -> int:
    """Copy those of the last ``most`` numbers of a ring that are not missing; return how many."""
    count = 0
    for back in range(min(before, most)):
        number = ring[(before - 1 - back) % len(ring)]
        if not np.isnan(number):
            scratch[count] = number
            count += 1
    return count


@inner
def _mean(scratch: Floats, count: int) -> float:
    total = 0.0
    for at in range(count):
        total += scratch[at]
    return total / count if count else _NAN


@inner
def _spread(scratch: Floats, count: int) -> float:
    """Return the sample standard deviation (n - 1) of the first ``count`` numbers; missing for fewer than two."""
    if count < 2:  # noqa: PLR2004 - one value has no spread
        return _NAN
    mean, total = _mean(scratch, count), 0.0
    for at in range(count):
        total += (scratch[at] - mean) ** 2
    return float(np.sqrt(total / (count - 1)))


def _follow_history(
    sensor: Ints, host: Ints, wait: Floats, value: Floats, state: State, scratch: Floats, columns: Floats
) -> int:
    """Follow values, see :meth:`History.follow`; return their number.

    Args:
        sensor: codes of sensors.
        host: codes of their hosts.
        wait: in s.
        value: in °C.
        state: state of the sensors, which is changed.
        scratch: space for LONG numbers and one more for every sensor.
        columns: where the result is written.
    """
    for at in range(len(sensor)):
        code, now = sensor[at], value[at]
        values, sizes = state.values[code], state.sizes[code]
        waits, longs = state.waits[code], state.longs[code]
        before = state.counts[code, 0]
        diff = now - values[(before - 1) % LONG] if before else _NAN
        dev = now - _median(scratch, _recent(values, before, SHORT, scratch), LEAST)
        dev_long = now - _median(scratch, _recent(values, before, LONG, scratch), LEAST)
        usual = _median(scratch, _recent(sizes, before, LONG, scratch), LEAST)
        late = wait[at] - _median(scratch, _recent(waits, before, LONG, scratch), LEAST)
        run = state.counts[code, 1] + 1 if diff == 0 else 1
        values[before % LONG] = now
        sizes[before % LONG] = 0.0 if np.isnan(dev) else abs(dev)
        waits[before % LONG] = wait[at]
        longs[before % RECENT] = dev_long
        state.counts[code, 0], state.counts[code, 1], state.host[code] = before + 1, run, host[at]
        if not np.isnan(dev):
            state.latest[code] = dev
        count = 0
        for other in range(len(state.host)):
            if other != code and state.host[other] == host[at] and not np.isnan(state.latest[other]):
                scratch[count] = state.latest[other]
                count += 1
        columns[at, 0], columns[at, 1], columns[at, 2] = diff, dev, dev_long
        columns[at, 8] = dev - _median(scratch, count, 1)
        columns[at, 3] = _mean(scratch, _recent(longs, before + 1, RECENT, scratch))
        scale = FLOOR if usual < FLOOR else usual  # noqa: FURB136 - compiled, max() would lose a missing number
        columns[at, 4] = abs(dev) / scale
        columns[at, 5] = _spread(scratch, _recent(values, before + 1, RECENT, scratch))
        columns[at, 6], columns[at, 7] = run, late
    return len(sensor)
