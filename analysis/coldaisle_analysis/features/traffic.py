"""What goes on around a frame: what its connection last published, and how busy the network is.

Rates are counts that decay: each frame adds one, and what was counted fades with a time constant, so no window has to be kept
(damped incremental statistics: Mirsky et al., *Kitsune*, NDSS 2018). The state does not grow, and a capture is followed in one go or
as it comes, with the same result.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np

from coldaisle_analysis.arrays import Bytes, Floats, Ints, Mask
from coldaisle_analysis.compiled import entry, inner
from coldaisle_contracts.clock import SECOND

FLOWS = 1 << 16
"""Flows whose last PUBLISH is known; one that publishes takes the place of the flow so many before it."""
ARP, SYN, RST, PUBLISH = 1, 2, 4, 8
"""What a frame is, a bit each."""
EVERY = 255
"""Counts every frame."""
COUNTED = ((EVERY, 1.0), (EVERY, 60.0), (ARP, 60.0), (ARP, 600.0), (SYN, 60.0), (RST, 60.0))
"""What each rate counts, and its time constant, s."""
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
"""What is said of a frame, see level ``packets`` of :mod:`coldaisle_analysis.columns`."""
FORGOTTEN = 1e-6
"""A count below this is none."""
_FIRST_RATE = len(COLUMNS) - len(COUNTED)


class State(NamedTuple):
    """What is known of the network.

    Attributes:
        flow: number of the flow that has each place, -1 for none, shape (FLOWS,).
        published_ns: when it last published, shape (FLOWS,).
        said: how late that PUBLISH was and the run of equal values it belongs to, shape (FLOWS, 2).
        rates: the rates at the last frame, shape (rates,).
        last_ns: time of the last frame, shape (1,).
    """

    flow: Ints
    published_ns: Ints
    said: Floats
    rates: Floats
    last_ns: Ints


class _Rates(NamedTuple):
    """:data:`COUNTED` as the kernel takes it."""

    what: Ints
    constant_s: Floats


class Kernel(Protocol):
    """What :func:`load` returns."""

    def __call__(
        self,
        time_ns: Ints,
        flow: Ints,
        what: Bytes,
        published: Floats,
        rates: _Rates,
        state: State,
        said: Floats,
    ) -> int:
        """Follow frames, see :func:`_follow_traffic`."""


@cache
def load() -> Kernel:
    """Return the compiled kernel; only the first call of all on a machine compiles it."""
    numbers, table = np.zeros(1, np.int64), np.zeros((1, 1))
    state = State(numbers, numbers, table, np.zeros(1), numbers)
    rates = _Rates(numbers, np.zeros(1))
    return entry(_follow_traffic, 1, numbers, numbers, np.zeros(1, np.uint8), table, rates, state, table)


class Traffic:
    """Follows the frames of a capture."""

    def __init__(self) -> None:
        what, constant_s = zip(*COUNTED, strict=True)
        self._rates = _Rates(np.array(what, np.int64), np.array(constant_s, np.float64))
        self._state = State(
            np.full(FLOWS, -1, np.int64),
            np.zeros(FLOWS, np.int64),
            np.zeros((FLOWS, 2)),
            np.zeros(len(COUNTED)),
            np.zeros(1, np.int64),
        )

    def follow(
        self, time_ns: Ints, flow: Ints, what: Mapping[int, Mask], late: Floats, run: Floats
    ) -> dict[str, Floats]:
        """Return :data:`COLUMNS` of each frame; missing where its flow has not published.

        Args:
            time_ns: when it passed, ns since the epoch, in order.
            flow: number of its flow, -1 for none.
            what: which frames are :data:`ARP`, :data:`SYN`, :data:`RST` and :data:`PUBLISH`.
            late: how late a PUBLISH is, s.
            run: the run of equal values it belongs to.
        """
        said = np.full((len(time_ns), len(COLUMNS)), np.nan)
        flags = sum(
            (bit * mask.astype(np.uint8) for bit, mask in what.items()), np.zeros(len(time_ns), np.uint8)
        )
        time_ns, flow = (np.ascontiguousarray(each, np.int64) for each in (time_ns, flow))
        load()(time_ns, flow, flags, np.column_stack([late, run]), self._rates, self._state, said)
        return {name: said[:, place] for place, name in enumerate(COLUMNS)}


@inner
def _publish(state: State, number: int, now: int, what: int, published: Floats, said: Floats) -> None:
    """Write what a frame's flow last published, given its row of either table."""
    place = number % len(state.flow)
    if what & PUBLISH:
        state.flow[place], state.published_ns[place] = number, now
        state.said[place, 0], state.said[place, 1] = published[0], published[1]
    if state.flow[place] == number:
        said[0] = (now - state.published_ns[place]) / SECOND
        said[1], said[2] = state.said[place, 0], state.said[place, 1]


def _follow_traffic(
    time_ns: Ints, flow: Ints, what: Bytes, published: Floats, rates: _Rates, state: State, said: Floats
) -> int:
    """Follow frames, see :meth:`Traffic.follow`; return how many."""
    for at in range(len(time_ns)):
        since = (time_ns[at] - state.last_ns[0]) / SECOND
        state.last_ns[0] = time_ns[at]
        for rate in range(len(rates.what)):
            counts = rates.what[rate] == EVERY or what[at] & rates.what[rate] != 0
            faded = state.rates[rate] * np.exp(-since / rates.constant_s[rate])
            state.rates[rate] = (faded if faded > FORGOTTEN else 0.0) + (1.0 if counts else 0.0)
            said[at, _FIRST_RATE + rate] = state.rates[rate]
        if flow[at] >= 0:
            _publish(state, flow[at], time_ns[at], what[at], published[at], said[at])
    return len(time_ns)
