"""Events, alarms and active intervals on one axis of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.earliness import checked


@dataclass(frozen=True)
class Axis:
    """The times of a match in ticks.

    Attributes:
        start: start of each event.
        end: end of each event.
        raised: time of each alarm.
        opened: start of each active interval, in order; None where all time counts.
        closed: end of each active interval.
        unit: ticks in a unit of the caller.
    """

    start: npt.NDArray[Any]
    end: npt.NDArray[Any]
    raised: npt.NDArray[Any]
    opened: npt.NDArray[Any] | None
    closed: npt.NDArray[Any]
    unit: int

    @classmethod
    def of(
        cls, events: npt.ArrayLike, ends: npt.ArrayLike, alarms: npt.ArrayLike, active: npt.ArrayLike | None
    ) -> "Axis":
        """Return the axis of what a caller passes."""
        edges = np.asarray([] if active is None else active)
        edges = edges if edges.size else edges.reshape(0, 2)
        if edges.shape[1:] != (2,):
            raise ValueError(
                f"active has shape {edges.shape}: give one [start, end] per interval, shape (intervals, 2)"
            )
        (start, end, raised, opened, closed), unit = checked.ticks(
            events=events, ends=ends, alarms=alarms, active=edges[:, 0], active_ends=edges[:, 1]
        )
        checked.same_length(events=start, ends=end)
        order = np.argsort(opened, kind="stable")
        opened, closed = opened[order], closed[order]
        if (closed <= opened).any() or (opened[1:] < closed[:-1]).any():
            raise ValueError(
                "active has an interval that is empty or overlaps another: give [start, end] with start before end, apart"
            )
        return cls(start, end, raised, None if active is None else opened, closed, unit)

    @property
    def duration(self) -> float:
        """Return the length of the active intervals in the caller's unit; NaN without any."""
        return float("nan") if self.opened is None else float((self.closed - self.opened).sum()) / self.unit

    def active(self, time: npt.NDArray[Any]) -> Mask:
        """Return which times lie in an active interval."""
        if self.opened is None:
            return np.ones(len(time), np.bool_)
        place = np.searchsorted(self.opened, time, side="right")
        return (place > 0) & (place > np.searchsorted(self.closed, time, side="right"))

    def refuse(self, earliest: float, latest: float) -> None:
        """Refuse events and windows that end before they start."""
        checked.number("earliest", earliest)
        checked.number("latest", latest)
        wrong = np.flatnonzero(self.end < self.start)
        if wrong.size:
            raise ValueError(f"event {wrong[0]} ends before it starts: give ends that are not before events")
        low, high = (checked.offset(value, self.unit) for value in (earliest, latest))
        if (self.start + low > self.end + high).any():
            raise ValueError(
                f"earliest is {earliest:g} and latest {latest:g}, so a window ends before it starts: give an earliest that is not after latest"
            )
