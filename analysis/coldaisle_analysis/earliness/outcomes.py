"""The outcomes of cases, which the scores of early detection are computed from.

A case is one sequence of items: the packets of a connection, the readings of a unit or of a sensor, from the onset
of an episode to its end (a positive case), or in a clean window matched to one (a negative case). :mod:`coldaisle_analysis.earliness.cases`
finds these items and windows; here a case is three numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.earliness import checked


@dataclass(frozen=True, init=False)
class Outcomes:
    """The outcomes of n cases with one detector.

    Attributes:
        attacked: whether the case follows an episode; bool, shape (n,).
        length: items in the case; at least 1, shape (n,).
        alarm: item at which the detector first said "alarm", counted from 1; 0 when it never did, shape (n,).
        seconds: time from the onset to that item, s; NaN when it never did, or where times are not known, shape (n,).

    Raises:
        ValueError: if the arrays differ in length, a case has no item, or an alarm lies behind the last item of its case.

    Examples:
        >>> from math import nan
        >>> attacked, length = [True, True, True, False, False], [9, 9, 9, 9, 9]
        >>> alarm, seconds = [1, 5, 0, 0, 4], [2.0, 10.0, nan, nan, nan]
        >>> outcomes = Outcomes(attacked, length, alarm, seconds)  # two hits, a miss, a true negative, a false alarm
    """

    attacked: Mask
    length: Ints
    alarm: Ints
    seconds: Floats

    def __init__(
        self,
        attacked: npt.ArrayLike,
        length: npt.ArrayLike,
        alarm: npt.ArrayLike,
        seconds: npt.ArrayLike | None = None,
    ) -> None:
        arrays: dict[str, npt.NDArray[Any]] = {
            "attacked": checked.flags("attacked", attacked),
            "length": checked.counts("length", length, least=1),
            "alarm": checked.counts("alarm", alarm, least=0),
        }
        arrays["seconds"] = (
            np.full(len(arrays["alarm"]), np.nan) if seconds is None else checked.floats("seconds", seconds)
        )
        checked.same_length(**arrays)
        late = arrays["alarm"] > arrays["length"]
        if late.any():
            at = int(np.argmax(late))
            raise ValueError(
                f"alarm[{at}] is {arrays['alarm'][at]} and length[{at}] {arrays['length'][at]}: count items from 1 to the length, 0 is no alarm"
            )
        for name, array in arrays.items():
            object.__setattr__(self, name, array)

    @property
    def caught(self) -> Mask:
        """Return which cases are true positives.

        Examples:
            >>> outcomes.caught.tolist()
            [True, True, False, False, False]
        """
        return self.attacked & (self.alarm > 0)

    @property
    def share(self) -> float:
        """Return the share of positive cases, NaN without a case.

        Examples:
            >>> outcomes.share
            0.6
        """
        return float(self.attacked.mean()) if self.attacked.size else float("nan")
