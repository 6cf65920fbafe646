"""Division of connections into flows.

A flow is a part of a connection (column ``flow`` of level ``packets``). It ends after the idle timeout without a
frame, or when it has lasted for the active timeout; the next frame then starts another flow (RFC 5470, section 5.1.1).
"""

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_contracts.clock import SECOND


def number(packets: pd.DataFrame, cut: Cut) -> Ints:
    """Return the flow of every frame, numbered by first frame from 0; -1 outside TCP and UDP.

    Args:
        packets: level ``packets``.
        cut: limits of flows.
    """
    connection = packets["flow"].to_numpy(np.int64)
    rows = np.flatnonzero(connection >= 0)
    rows = rows[np.argsort(connection[rows], kind="stable")]
    time_ns = clock(packets)[rows]
    fresh = np.diff(connection[rows], prepend=-1) != 0
    fresh[1:] |= np.diff(time_ns) >= round(cut.idle_s * SECOND)
    starts = _cut_long(np.flatnonzero(fresh), time_ns, round(cut.active_s * SECOND))
    rank = np.argsort(np.argsort(rows[starts]))
    flow = np.full(len(packets), -1, np.int64)
    flow[rows] = np.repeat(rank, np.diff(starts, append=len(rows)))
    return flow


def clock(packets: pd.DataFrame) -> Ints:
    """Return the time of every frame, in ns; a time before that of the shard's previous frame is replaced by the latter."""
    time_ns = packets["time_ns"].to_numpy(np.int64, copy=True)
    shard = packets["shard"].cat.codes.to_numpy()
    for code in np.unique(shard):
        time_ns[shard == code] = np.maximum.accumulate(time_ns[shard == code])
    return time_ns


def _cut_long(starts: Ints, time_ns: Ints, active_ns: int) -> Ints:
    """Return the starts of flows after those that last too long are cut; each pass cuts each of these once."""
    while True:
        sizes = np.diff(starts, append=len(time_ns))
        late = np.flatnonzero(time_ns - np.repeat(time_ns[starts], sizes) >= active_ns)
        if not len(late):
            return starts
        _, first = np.unique(np.searchsorted(starts, late, "right"), return_index=True)
        starts = np.union1d(starts, late[first])
