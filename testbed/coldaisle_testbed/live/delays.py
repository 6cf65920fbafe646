"""Histogram of the delays from a frame's stamp to its verdict; its size is fixed, so that a watcher can run for years."""

import numpy as np
import numpy.typing as npt

LEAST_MS, STEP, CLASSES = 0.1, 1.02, 1_024
"""Lower end of the first class in ms, ratio of successive classes, and their number, which reaches a day."""


class Delays:
    """Histogram of delays with classes of 2 %, and the exact maximum.

    Attributes:
        counts: number of delays in each class, shape (CLASSES,).
        most: the largest delay, in ms.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(CLASSES, np.int64)
        self.most = 0.0

    def add(self, delays_ms: npt.NDArray[np.float64]) -> None:
        """Count delays, given in ms."""
        place = np.log(np.maximum(delays_ms, LEAST_MS) / LEAST_MS) / np.log(STEP)
        self.counts += np.bincount(np.minimum(place.astype(np.int64), CLASSES - 1), minlength=CLASSES)
        self.most = max(self.most, float(delays_ms.max(initial=0.0)))

    def merge(self, other: "Delays") -> None:
        """Add the counts of another watcher."""
        self.counts += other.counts
        self.most = max(self.most, other.most)

    def quantile(self, share: float) -> float:
        """Return a quantile of the delays, in ms; NaN without a frame."""
        total = int(self.counts.sum())
        if not total:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.counts), share * total))
        return min(LEAST_MS * STEP ** (place + 1), self.most)

    def facts(self) -> dict[str, float]:
        """Return median, 99th percentile and maximum, in ms; empty without a frame."""
        if not self.counts.any():
            return {}
        names = ("delay_ms_p50", "delay_ms_p99", "delay_ms_max")
        values = (self.quantile(0.5), self.quantile(0.99), self.most)
        return {name: round(value, 3) for name, value in zip(names, values, strict=True)}
