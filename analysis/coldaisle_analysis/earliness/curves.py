"""Recall against delay, and the earliness of detection for each kind of attack."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import WithJsonSchema
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.earliness.erde import Outcomes

Number = Annotated[float, WithJsonSchema({"type": ["number", "null"]})]
"""A number that may not exist: NaN in memory, ``null`` in a file."""
MOST_POINTS = 40
"""Largest number of points of a curve that is written to a file."""


@dataclass(frozen=True)
class Curve:
    """Recall against delay as steps, one at each delay at which a case was caught.

    Attributes:
        delay: items (from 1) or seconds after the onset, increasing, shape (steps,).
        recall: share of the positive cases caught within that delay, increasing, shape (steps,).
    """

    delay: Floats
    recall: Floats

    def points(self, most: int = MOST_POINTS) -> list[list[float]]:
        """Return at most ``most`` points ``[delay, recall]``, evenly spaced in steps, with the first and the last."""
        steps = len(self.delay)
        points = np.unique(np.linspace(0, steps - 1, min(most, steps)).round().astype(np.intp))
        return [
            [float(self.delay[step]), float(self.recall[step])] for step in (points if steps else points[:0])
        ]


def recall_by_items(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within k items of the onset, for each k at which one was."""
    return _curve(outcomes.alarm[outcomes.caught].astype(np.float64), int(outcomes.attacked.sum()))


def recall_by_seconds(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within t seconds of the onset, for each t at which one was."""
    return _curve(outcomes.seconds[outcomes.caught], int(outcomes.attacked.sum()))


def _curve(delays: Floats, cases: int) -> Curve:
    """Return the curve of cases caught with these delays, out of so many positive cases."""
    delay, count = np.unique(delays, return_counts=True)
    return Curve(delay, np.cumsum(count) / max(cases, 1))


class KindEarliness(TypedDict):
    """Earliness of detection for one kind of attack.

    Attributes:
        cases: positive cases of the kind.
        caught: positive cases that were caught.
        items: median item of the alarm over caught cases, counted from 1; NaN without any.
        seconds: median time from onset to alarm over caught cases, in s; NaN without any.
    """

    cases: int
    caught: int
    items: Number
    seconds: Number


def earliness_per_kind(outcomes: Outcomes, kinds: npt.NDArray[np.str_]) -> dict[str, KindEarliness]:
    """Return the earliness of detection by kind of attack; clean windows are left out.

    Args:
        outcomes: the outcomes of n cases.
        kinds: kind of attack of each positive case, see :attr:`cases.Cases.kinds`, shape (n,).
    """
    return {str(kind): _of_kind(outcomes, kinds == kind) for kind in np.unique(kinds[outcomes.attacked])}


def _of_kind(outcomes: Outcomes, of_kind: npt.NDArray[np.bool_]) -> KindEarliness:
    caught = outcomes.caught & of_kind
    return KindEarliness(
        cases=int((outcomes.attacked & of_kind).sum()),
        caught=int(caught.sum()),
        items=float(np.median(outcomes.alarm[caught])) if caught.any() else float("nan"),
        seconds=float(np.median(outcomes.seconds[caught])) if caught.any() else float("nan"),
    )
