"""How much a detector has caught by when: recall against delay, and how early each kind of attack is caught."""

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
"""Points of a curve that is written down."""


@dataclass(frozen=True)
class Curve:
    """Recall against delay: steps, each at a delay at which something was caught.

    Attributes:
        delay: items (from 1) or seconds after the onset, increasing, shape (steps,).
        recall: share of the positive cases caught within that delay, increasing, shape (steps,).
    """

    delay: Floats
    recall: Floats

    def points(self, most: int = MOST_POINTS) -> list[list[float]]:
        """Return at most so many ``[delay, recall]``, evenly spaced in steps, the first and the last among them."""
        steps = len(self.delay)
        shown = np.unique(np.linspace(0, steps - 1, min(most, steps)).round().astype(np.intp))
        return [
            [float(self.delay[step]), float(self.recall[step])] for step in (shown if steps else shown[:0])
        ]


def recall_by_items(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within k items of the onset, for each k at which one was."""
    return _curve(outcomes.alarm[outcomes.caught].astype(np.float64), int(outcomes.attacked.sum()))


def recall_by_seconds(outcomes: Outcomes) -> Curve:
    """Return the share of the positive cases caught within t seconds of the onset, for each t at which one was."""
    return _curve(outcomes.seconds[outcomes.caught], int(outcomes.attacked.sum()))


def _curve(delays: Floats, cases: int) -> Curve:
    """Return the steps of a curve, given the delay of each case that was caught, and how many there are to catch."""
    delay, count = np.unique(delays, return_counts=True)
    return Curve(delay, np.cumsum(count) / max(cases, 1))


class KindEarliness(TypedDict):
    """How early one kind of attack is caught.

    Attributes:
        cases: positive cases of the kind.
        caught: how many of them were caught.
        items: median item of the alarm over those, counted from 1; NaN when none was.
        seconds: median time from onset to alarm over those, s; NaN when none was.
    """

    cases: int
    caught: int
    items: Number
    seconds: Number


def earliness_per_kind(outcomes: Outcomes, kinds: npt.NDArray[np.str_]) -> dict[str, KindEarliness]:
    """Return how early each kind of attack is caught, by name; clean windows are left out.

    Args:
        outcomes: of n cases.
        kinds: kind of attack of each positive case, see :attr:`cases.Cases.kinds`, shape (n,).
    """
    return {str(kind): _of_kind(outcomes, kinds == kind) for kind in np.unique(kinds[outcomes.attacked])}


def _of_kind(outcomes: Outcomes, own: npt.NDArray[np.bool_]) -> KindEarliness:
    caught = outcomes.caught & own
    return KindEarliness(
        cases=int((outcomes.attacked & own).sum()),
        caught=int(caught.sum()),
        items=float(np.median(outcomes.alarm[caught])) if caught.any() else float("nan"),
        seconds=float(np.median(outcomes.seconds[caught])) if caught.any() else float("nan"),
    )
