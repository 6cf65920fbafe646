"""Where moments stand among the frames of their flows, which are sorted by flow and time."""

import numpy as np

from coldaisle_analysis.arrays import Ints, Rows


def nearest(
    time: Ints, code: Ints, wanted: Ints, start: Ints, end: Ints, low: Rows, high: Rows, within_ns: int
) -> tuple[Rows, Rows]:
    """Return first and last place (exclusive) of each alert's frames in the sorted frames.

    A stretch of time has those from ``low`` to ``high``. An instant has the nearest of the frames before and after it, if one is within
    the tolerance; of two that are equally near, the earlier.
    """
    far = np.iinfo(np.int64).max
    distances = []
    for place in (low - 1, low):
        inside = np.clip(place, 0, max(len(time) - 1, 0))
        same = (place >= 0) & (place < len(time)) & (code[inside] == wanted if len(code) else False)
        distances.append(np.where(same, np.abs(time[inside] - start) if len(time) else far, far))
    before, after = distances
    chosen = np.where(before <= after, low - 1, low)
    near = np.minimum(before, after) <= within_ns
    instant = start == end
    return np.where(instant, chosen, low), np.where(instant, np.where(near, chosen + 1, chosen), high)


def searched(code: Ints, time: Ints, wanted: Ints, moment: Ints) -> Rows:
    """Return where each moment stands among the times of its code, given codes and times sorted together."""
    begins, ends = np.searchsorted(code, wanted), np.searchsorted(code, wanted, "right")
    return np.array(
        [
            begin + np.searchsorted(time[begin:end], at)
            for begin, end, at in zip(begins, ends, moment, strict=True)
        ],
        np.intp,
    )
