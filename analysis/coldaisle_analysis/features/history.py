"""What each sensor said before: every value against the sensor's own past, one at a time and only looking back.

The state is two kilobytes a sensor, so a capture is followed in one go or as it comes, with the same result.
"""

from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.compiled import entry, inner

SHORT, LONG, RECENT = 12, 48, 4
"""Values a median looks back over (an hour and four hours at a reading every 5 min), and a mean, this one included."""
LEAST = 3
"""Values a median needs."""
FLOOR = 0.02
"""Smallest scale a score divides by, °C: two steps of the payload's resolution."""
COLUMNS = ("diff", "dev", "dev_long", "dev_mean", "score", "spread", "run", "late", "dev_host")
"""What is said of a value, in the order of :meth:`History.follow`'s columns.

diff: change since the last value; dev, dev_long: the value less the median of the 12 or 48 before; dev_mean: mean of dev_long
over this value and the 3 before; score: size of dev over the median size of the 48 before; spread: standard deviation of this
value and the 3 before; run: values in a row that are equal, this one included; late: the wait for this value less the median of
the 48 waits before, so that a burst does not pass for usual; dev_host: dev less the median of the latest dev of the host's other sensors.
"""
_START = 16
_NAN = np.nan


class State(NamedTuple):
    """What is known of each sensor, a row each.

    Attributes:
        values: the last LONG values, a ring.
        sizes: sizes of their dev, a ring.
        waits: the last LONG waits, s, a ring.
        longs: the last RECENT dev_long, a ring.
        latest: its latest dev.
        seen: values so far, and how many in a row are equal.
        host: code of its host.
    """

    values: Floats
    sizes: Floats
    waits: Floats
    longs: Floats
    latest: Floats
    seen: Ints
    host: Ints


def _new(sensors: int) -> State:
    values, sizes, waits, longs = (np.full((sensors, size), np.nan) for size in (LONG, LONG, LONG, RECENT))
    seen, host = np.zeros((sensors, 2), np.int64), np.full(sensors, -1, np.int64)
    return State(values, sizes, waits, longs, np.full(sensors, np.nan), seen, host)


class Kernel(Protocol):
    """What :func:`load` returns."""

    def __call__(
        self, sensor: Ints, host: Ints, wait: Floats, value: Floats, state: State, room: Floats, said: Floats
    ) -> int:
        """Follow values, see :func:`_follow_history`."""


@cache
def load() -> Kernel:
    """Return the compiled kernel; only the first call of all on a machine compiles it."""
    numbers, floats = np.zeros(1, np.int64), np.zeros(1)
    return entry(_follow_history, 1, numbers, numbers, floats, floats, _new(1), floats, np.zeros((1, 1)))


class History:
    """Follows sensors; each is known by a code from 0 on, its host by another."""

    def __init__(self) -> None:
        self._state = _new(_START)

    def follow(self, sensor: Ints, host: Ints, wait: Floats, value: Floats) -> Floats:
        """Return what is said of each value, shape (values, len(COLUMNS)); missing where the past is too short.

        Args:
            sensor: whose value it is, in order of time.
            host: whose sensor that is.
            wait: time since the sensor's value before, s; missing for its first.
            value: °C; missing where the payload was no number.
        """
        if len(sensor) and int(sensor.max()) >= len(self._state.host):
            self._grow(int(sensor.max()) + 1)
        said, room = np.empty((len(sensor), len(COLUMNS))), np.empty(LONG + len(self._state.host))
        load()(sensor, host, wait, value, self._state, room, said)
        return said

    def _grow(self, sensors: int) -> None:
        more = _new(max(sensors, 2 * len(self._state.host)) - len(self._state.host))
        self._state = State._make(np.concatenate(pair) for pair in zip(self._state, more, strict=True))


@inner
def _median(room: Floats, held: int, least: int) -> float:
    """Return the median of the first ``held`` numbers of a room, which it sorts; missing where they are fewer than ``least``."""
    if held < least:
        return _NAN
    for at in range(1, held):
        number, place = room[at], at
        while place > 0 and room[place - 1] > number:
            room[place] = room[place - 1]
            place -= 1
        room[place] = number
    half = held // 2
    return float(room[half]) if held % 2 else float((room[half - 1] + room[half]) / 2)


@inner
def _recent(ring: Floats, seen: int, most: int, room: Floats) -> int:
    """Copy what is known of the last ``most`` numbers of a ring into a room; return how many."""
    held = 0
    for back in range(min(seen, most)):
        number = ring[(seen - 1 - back) % len(ring)]
        if not np.isnan(number):
            room[held] = number
            held += 1
    return held


@inner
def _mean(room: Floats, held: int) -> float:
    total = 0.0
    for at in range(held):
        total += room[at]
    return total / held if held else _NAN


@inner
def _spread(room: Floats, held: int) -> float:
    """Return the standard deviation (n - 1) of the first numbers of a room; missing below two."""
    if held < 2:  # noqa: PLR2004 - one value has no spread
        return _NAN
    mean, total = _mean(room, held), 0.0
    for at in range(held):
        total += (room[at] - mean) ** 2
    return float(np.sqrt(total / (held - 1)))


def _follow_history(
    sensor: Ints, host: Ints, wait: Floats, value: Floats, state: State, room: Floats, said: Floats
) -> int:
    """Follow values, see :meth:`History.follow`; return how many.

    Args:
        sensor: codes of sensors.
        host: codes of their hosts.
        wait: s.
        value: °C.
        state: what was known, and then is.
        room: scratch, LONG and a number for every sensor.
        said: where the result goes.
    """
    for at in range(len(sensor)):
        own, now = sensor[at], value[at]
        values, sizes, waits, longs = (
            state.values[own],
            state.sizes[own],
            state.waits[own],
            state.longs[own],
        )
        seen = state.seen[own, 0]
        diff = now - values[(seen - 1) % LONG] if seen else _NAN
        dev = now - _median(room, _recent(values, seen, SHORT, room), LEAST)
        dev_long = now - _median(room, _recent(values, seen, LONG, room), LEAST)
        usual = _median(room, _recent(sizes, seen, LONG, room), LEAST)
        late = wait[at] - _median(room, _recent(waits, seen, LONG, room), LEAST)
        run = state.seen[own, 1] + 1 if diff == 0 else 1
        values[seen % LONG] = now
        sizes[seen % LONG] = 0.0 if np.isnan(dev) else abs(dev)
        waits[seen % LONG] = wait[at]
        longs[seen % RECENT] = dev_long
        state.seen[own, 0], state.seen[own, 1], state.host[own] = seen + 1, run, host[at]
        if not np.isnan(dev):
            state.latest[own] = dev
        held = 0
        for other in range(len(state.host)):
            if other != own and state.host[other] == host[at] and not np.isnan(state.latest[other]):
                room[held] = state.latest[other]
                held += 1
        said[at, 0], said[at, 1], said[at, 2] = diff, dev, dev_long
        said[at, 8] = dev - _median(room, held, 1)
        said[at, 3] = _mean(room, _recent(longs, seen + 1, RECENT, room))
        scale = FLOOR if usual < FLOOR else usual  # noqa: FURB136 - compiled, max() would lose a missing one
        said[at, 4] = abs(dev) / scale
        said[at, 5] = _spread(room, _recent(values, seen + 1, RECENT, room))
        said[at, 6], said[at, 7] = run, late
    return len(sensor)
