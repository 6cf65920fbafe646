"""Traffic around a frame: the last PUBLISH of its flow, and the rates of frames on the network.

Rates are counts that decay: each frame adds one, and the count fades with a time constant, so no window has to be stored
(damped incremental statistics: Mirsky et al., *Kitsune*, NDSS 2018). The state does not grow. A capture is followed in one go or
as it comes, with the same result.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from coldaisle_analysis.arrays import Bytes, Floats, Ints, Mask
from coldaisle_analysis.compiled import entry, inner
from coldaisle_contracts.clock import SECOND

FLOWS = 1 << 16
"""Flows whose last PUBLISH is stored; flow n takes the place of flow n - FLOWS."""
ARP, SYN, RST, PUBLISH = 1, 2, 4, 8
"""Flags of a frame, one bit each."""
EVERY = 255
"""Counts every frame."""
COUNTED = ((EVERY, 1.0), (EVERY, 60.0), (ARP, 60.0), (ARP, 600.0), (SYN, 60.0), (RST, 60.0))
"""The frames that each rate counts, and its time constant, in s."""
COLUMNS = (
    "since_publish",
    "last_late",
    "last_run",
    "rate_1",
    "rate_60",
    "arp_60",
    "arp_600",
    "syn_60",
    "rst_60",
)
"""Columns of a frame, see level ``packets`` of :mod:`coldaisle_analysis.columns`."""
FORGOTTEN = 1e-6
"""A count below this is set to 0."""
_FIRST_RATE = len(COLUMNS) - len(COUNTED)


class State(NamedTuple):
    """State of the network.

    Attributes:
        flow: number of the flow at each place, -1 for none, shape (FLOWS,).
        published_ns: time of its last PUBLISH, in ns since the epoch, shape (FLOWS,).
        published: ``publish_late`` and ``value_run`` of that PUBLISH, shape (FLOWS, 2).
        rates: rates at the last frame, shape (rates,).
        last_ns: time of the last frame, in ns since the epoch, shape (1,).
    """

    flow: Ints
    published_ns: Ints
    published: Floats
    rates: Floats
    last_ns: Ints


class _Rates(NamedTuple):
    """:data:`COUNTED` as the kernel takes it."""

    counted: Ints
    constant_s: Floats


Kernel = Callable[[Ints, Ints, Bytes, Floats, _Rates, State, Floats], int]
"""The compiled :func:`_follow_traffic`."""


@cache
def load() -> Kernel:
    """Return the compiled kernel; only the first call on a machine compiles it."""
    numbers, table = np.zeros(1, np.int64), np.zeros((1, 1))
    state = State(numbers, numbers, table, np.zeros(1), numbers)
    rates = _Rates(numbers, np.zeros(1))
    return entry(_follow_traffic, 1, numbers, numbers, np.zeros(1, np.uint8), table, rates, state, table)


class Traffic:
    """Follows the frames of a capture."""

    def __init__(self) -> None:
        counted, constant_s = zip(*COUNTED, strict=True)
        self._rates = _Rates(np.array(counted, np.int64), np.array(constant_s, np.float64))
        self._state = State(
            np.full(FLOWS, -1, np.int64),
            np.zeros(FLOWS, np.int64),
            np.zeros((FLOWS, 2)),
            np.zeros(len(COUNTED)),
            np.zeros(1, np.int64),
        )

    def follow(
        self, time_ns: Ints, flow: Ints, flags: Mapping[int, Mask], late: Floats, run: Floats
    ) -> dict[str, Floats]:
        """Return :data:`COLUMNS` of each frame, shape (frames,) each; missing where its flow has not published.

        Args:
            time_ns: time of the frame, in ns since the epoch, in order.
            flow: number of its flow, -1 for none.
            flags: which frames are :data:`ARP`, :data:`SYN`, :data:`RST` and :data:`PUBLISH`.
            late: ``publish_late`` of a PUBLISH, in s.
            run: ``value_run`` of a PUBLISH.
        """
        columns = np.full((len(time_ns), len(COLUMNS)), np.nan)
        bits = np.zeros(len(time_ns), np.uint8)
        for bit, mask in flags.items():
            bits += bit * mask.astype(np.uint8)
        time_ns, flow = (np.ascontiguousarray(numbers, np.int64) for numbers in (time_ns, flow))
        load()(time_ns, flow, bits, np.column_stack([late, run]), self._rates, self._state, columns)
        return {name: columns[:, place] for place, name in enumerate(COLUMNS)}


@inner
def _publish(state: State, number: int, now: int, bits: int, published: Floats, columns: Floats) -> None:
    """Write the columns on the last PUBLISH of a frame's flow, given the frame's row of both tables."""
    place = number % len(state.flow)
    if bits & PUBLISH:
        state.flow[place], state.published_ns[place] = number, now
        state.published[place, 0], state.published[place, 1] = published[0], published[1]
    if state.flow[place] == number:
        columns[0] = (now - state.published_ns[place]) / SECOND
        columns[1], columns[2] = state.published[place, 0], state.published[place, 1]


def _follow_traffic(
    time_ns: Ints, flow: Ints, bits: Bytes, published: Floats, rates: _Rates, state: State, columns: Floats
) -> int:
    """Follow frames, see :meth:`Traffic.follow`; return their number."""
    for at in range(len(time_ns)):
        now = max(time_ns[at], state.last_ns[0])  # a clock that was set back stands still
        since = (now - state.last_ns[0]) / SECOND
        state.last_ns[0] = now
        for rate in range(len(rates.counted)):
            counts = rates.counted[rate] == EVERY or bits[at] & rates.counted[rate] != 0
            faded = state.rates[rate] * np.exp(-since / rates.constant_s[rate])
            state.rates[rate] = (faded if faded > FORGOTTEN else 0.0) + (1.0 if counts else 0.0)
            columns[at, _FIRST_RATE + rate] = state.rates[rate]
        if flow[at] >= 0:
            _publish(state, flow[at], now, bits[at], published[at], columns[at])
    return len(time_ns)
