"""What policies do to a whole array of scores, compiled: choosing one tries thousands."""

from functools import cache
from typing import Protocol

import numpy as np

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.compiled import entry


class Cusum(Protocol):
    """What :func:`load` returns first."""

    def __call__(self, steps: Ints, streams: Ints, limit: int, alarms: Mask) -> int:
        """See :func:`_cusum`."""


class KOfN(Protocol):
    """What :func:`load` returns second."""

    def __call__(self, raised: Mask, streams: Ints, items: int, among: int, last: Ints, alarms: Mask) -> int:
        """See :func:`_crowded`."""


class Incidents(Protocol):
    """What :func:`load` returns third."""

    def __call__(self, time_ns: Ints, streams: Ints, quiet_ns: int, repeat_ns: int) -> int:
        """See :func:`_incidents`."""


@cache
def load() -> tuple[Cusum, KOfN, Incidents]:
    """Return the compiled kernels; only the first call of all on a machine compiles them."""
    numbers, mask = np.zeros(1, np.int64), np.zeros(1, np.bool_)
    return (
        entry(_cusum, 1, numbers, numbers, 1, mask),
        entry(_crowded, 1, mask, numbers, 1, 1, numbers, mask),
        entry(_incidents, 1, numbers, numbers, 1, 1),
    )


def _cusum(steps: Ints, streams: Ints, limit: int, alarms: Mask) -> int:
    """Write where the sum of steps, never below 0 and 0 again after an alarm or in a new stream, reaches a limit."""
    level = 0
    for at in range(len(steps)):
        if at == 0 or streams[at] != streams[at - 1]:
            level = 0
        level = max(0, level + steps[at])
        alarms[at] = level >= limit
        if level >= limit:
            level = 0
    return len(steps)


def _crowded(raised: Mask, streams: Ints, items: int, among: int, last: Ints, alarms: Mask) -> int:
    """Write which raised items are at least the ``items``-th raised one among the last ``among`` of their stream.

    Args:
        raised: shape (n,).
        streams: the stream of each, shape (n,).
        items: how many of them.
        among: of how many items.
        last: room for the places of the last raised items, shape (items,).
        alarms: where the result goes, shape (n,).
    """
    seen = 0
    for at in range(len(raised)):
        if at == 0 or streams[at] != streams[at - 1]:
            seen = 0
        alarms[at] = False
        if raised[at]:
            last[seen % items] = at
            seen += 1
            alarms[at] = seen >= items and at - last[seen % items] < among
    return len(raised)


def _incidents(time_ns: Ints, streams: Ints, quiet_ns: int, repeat_ns: int) -> int:
    """Return how many incidents alarms come to, given time and stream of each, see :mod:`~coldaisle_analysis.earliness.policies.evaluation_sets`."""
    count, stream, before, begun, part = 0, -2, 0, 0, 0
    for at in range(len(time_ns)):
        now = time_ns[at]
        if streams[at] != stream or now - before >= quiet_ns:
            count, stream, begun, part = count + 1, streams[at], now, 0
        elif (now - begun) // repeat_ns != part:
            count, part = count + 1, (now - begun) // repeat_ns
        before = now
    return count
