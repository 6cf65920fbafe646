"""Compiled loops of the policies over whole arrays of scores: tuning evaluates thousands of candidates."""

from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.compiled import entry


class Cusum(Protocol):
    """Type of :func:`_cusum`."""

    def __call__(self, steps: Ints, streams: Ints, limit: int, alarms: Mask) -> int:
        """See :func:`_cusum`."""


class KOfN(Protocol):
    """Type of :func:`_k_of_n`."""

    def __call__(self, raised: Mask, streams: Ints, items: int, among: int, last: Ints, alarms: Mask) -> int:
        """See :func:`_k_of_n`."""


class Kernels(NamedTuple):
    """The compiled kernels."""

    cusum: Cusum
    k_of_n: KOfN


@cache
def load() -> Kernels:
    """Return the compiled kernels; only the first call on a machine compiles them."""
    numbers, mask = np.zeros(1, np.int64), np.zeros(1, np.bool_)
    return Kernels(
        entry(_cusum, 1, numbers, numbers, 1, mask),
        entry(_k_of_n, 1, mask, numbers, 1, 1, numbers, mask),
    )


def _cusum(steps: Ints, streams: Ints, limit: int, alarms: Mask) -> int:
    """Write where the sum of steps reaches a limit; the sum is never below 0, and 0 again after an alarm and in a new stream."""
    level = 0
    for at in range(len(steps)):
        if at == 0 or streams[at] != streams[at - 1]:
            level = 0
        level = max(0, level + steps[at])
        alarms[at] = level >= limit
        if level >= limit:
            level = 0
    return len(steps)


def _k_of_n(raised: Mask, streams: Ints, items: int, among: int, last: Ints, alarms: Mask) -> int:
    """Write which raised items are at least the ``items``-th raised item among the last ``among`` of their stream.

    Args:
        raised: shape (n,).
        streams: the stream of each item, shape (n,).
        items: number of raised items that are needed.
        among: number of items among which they must lie.
        last: buffer for the positions of the last raised items, shape (items,).
        alarms: the result, shape (n,).
    """
    count = 0
    for at in range(len(raised)):
        if at == 0 or streams[at] != streams[at - 1]:
            count = 0
        alarms[at] = False
        if raised[at]:
            last[count % items] = at
            count += 1
            alarms[at] = count >= items and at - last[count % items] < among
    return len(raised)
