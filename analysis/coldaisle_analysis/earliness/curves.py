"""Recall against delay."""

from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.earliness import checked
from coldaisle_analysis.earliness.outcomes import Outcomes

MOST_POINTS = 40
"""Largest number of points of a curve that is written to a file."""


@dataclass(frozen=True)
class Curve:
    """Recall against delay as steps, one at each delay at which a case was caught.

    Attributes:
        delay: items (from 1) or seconds after the onset, increasing, shape (steps,).
        recall: share of the positive cases caught within that delay, increasing, shape (steps,).

    Examples:
        >>> curve = recall_by_items(outcomes)
        >>> curve.delay.tolist(), curve.recall.round(3).tolist()
        ([1.0, 5.0], [0.333, 0.667])
    """

    delay: Floats
    recall: Floats

    def at(self, delay: float) -> float:
        """Return the share of the positive cases caught within a delay.

        Examples:
            >>> round(curve.at(4), 3)
            0.333
        """
        step = int(np.searchsorted(self.delay, checked.number("delay", delay), side="right"))
        return float(self.recall[step - 1]) if step else 0.0

    def points(self, most: int = MOST_POINTS) -> list[list[float]]:
        """Return at most ``most`` points ``[delay, recall]``, evenly spaced in steps, with the first and the last.

        Examples:
            >>> [[delay, round(recall, 3)] for delay, recall in curve.points(most=1)]
            [[1.0, 0.333]]
        """
        steps = len(self.delay)
        points = np.unique(np.linspace(0, steps - 1, min(most, steps)).round().astype(np.intp))
        return [
            [float(self.delay[step]), float(self.recall[step])] for step in (points if steps else points[:0])
        ]


def recall_by_items(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within k items of the onset, for each k at which one was.

    Examples:
        >>> [round(recall_by_items(outcomes).at(items), 3) for items in (1, 5, 9)]
        [0.333, 0.667, 0.667]
    """
    return _curve(outcomes.alarm[outcomes.caught].astype(np.float64), int(outcomes.attacked.sum()))


def recall_by_seconds(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within t seconds of the onset, for each t at which one was.

    Raises:
        ValueError: if the outcomes have no seconds.

    Examples:
        >>> round(recall_by_seconds(outcomes).at(2), 3)
        0.333
    """
    seconds = outcomes.seconds[outcomes.caught]
    if np.isnan(seconds).any():
        raise ValueError("a caught case has no seconds: give times to the outcomes, or take recall_by_items")
    return _curve(seconds, int(outcomes.attacked.sum()))


def _curve(delays: Floats, cases: int) -> Curve:
    """Return the curve of cases caught with these delays, out of so many positive cases."""
    delay, count = np.unique(delays, return_counts=True)
    return Curve(delay, np.cumsum(count) / max(cases, 1))
