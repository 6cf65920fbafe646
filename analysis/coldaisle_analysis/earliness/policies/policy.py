"""The families of policies: a score in, an alarm out, one item of a stream at a time.

A policy is run in two ways that agree in every item. :meth:`Policy.step` judges the next item of a live stream, given
what is left of the items before: one whole number, 0 at the start of every stream. :meth:`Policy.alarms` judges whole
arrays. Scores are finite and lie in [0, 1]; a score alarms when it *reaches* a limit.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.earliness.policies import kernels
from coldaisle_contracts.errors import InputError

ABOVE_ALL = 2.0
"""A limit no score reaches, and a number in JSON."""
_MOST_ITEMS = 1_000
"""Items a policy looks at, at most; its other parameters lie far below."""
_TICKS = 1 << 20
"""A CUSUM adds in ticks of 2^-20: sums of whole numbers do not depend on how they are taken."""


class Policy(Protocol):
    """When scores amount to an alarm; the parameters are the fields of a frozen dataclass."""

    family: ClassVar[str]

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the state after the next item of a stream, and whether that item alarms."""

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm.

        Args:
            score: shape (items,); the items of a stream stand together, in order of time.
            streams: the stream of each item, shape (items,).
        """


@dataclass(frozen=True)
class Threshold:
    """Alarm at every item whose score reaches a limit."""

    family: ClassVar[str] = "threshold"
    limit: float

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the state, which nothing changes, and whether the item alarms."""
        return state, score >= self.limit

    def alarms(self, score: Floats, streams: Ints) -> Mask:  # noqa: ARG002 - a threshold remembers nothing
        """Return which items alarm, see :meth:`Policy.alarms`."""
        return np.asarray(score >= self.limit)


@dataclass(frozen=True)
class InARow:
    """Alarm at the ``items``-th item in a row that reaches a limit, and at each that goes on with the row.

    The state is how many items the row has, ``items`` at most.
    """

    family: ClassVar[str] = "in a row"
    limit: float
    items: int

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the length of the row, and whether the item alarms."""
        row = min(state + 1, self.items) if score >= self.limit else 0
        return row, row == self.items

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        return _crowded(score >= self.limit, streams, self.items, self.items)


@dataclass(frozen=True)
class TwoThresholds:
    """Alarm at once when the score reaches ``high``, or when it reaches ``low`` for the ``items``-th time among the last few.

    An item below ``low`` never alarms, and an alarm clears nothing. The state is a bit for each of the last
    ``among`` items, the latest lowest: whether it reached ``low``.

    Attributes:
        high: limit of a single item.
        low: limit of an item that needs others beside it.
        items: how many of them.
        among: of how many items of the stream in a row, the present one included.
    """

    family: ClassVar[str] = "two thresholds"
    high: float
    low: float
    items: int
    among: int

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return which of the last items reached ``low``, and whether the item alarms."""
        raised = score >= self.low
        seen = (state << 1 | raised) & ((1 << self.among) - 1)
        return seen, score >= self.high or (raised and seen.bit_count() >= self.items)

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        crowded = _crowded(score >= self.low, streams, self.items, self.among)
        return np.asarray(crowded | (score >= self.high))


@dataclass(frozen=True)
class Cusum:
    """Alarm when scores have exceeded a drift by so much in sum, and start the sum again.

    S ← max(0, S + score - drift), an alarm when S ≥ limit, and then S ← 0: the one-sided cumulative sum of Page,
    *Continuous Inspection Schemes*, Biometrika 41, 1954. The state is S in ticks of 2^-20, to which score and drift
    are rounded.
    """

    family: ClassVar[str] = "cusum"
    drift: float
    limit: float

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the sum in ticks, and whether the item alarms."""
        level = max(0, state + round(score * _TICKS) - round(self.drift * _TICKS))
        return (0, True) if level >= self._limit else (level, False)

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        steps = np.rint(score * _TICKS).astype(np.int64) - round(self.drift * _TICKS)
        alarms = np.zeros(len(score), dtype=np.bool_)
        kernels.load()[0](steps, streams, self._limit, alarms)
        return alarms

    @property
    def _limit(self) -> int:
        """The limit in ticks; a sum of nothing is no alarm."""
        return max(1, round(self.limit * _TICKS))


def _crowded(raised: Mask, streams: Ints, items: int, among: int) -> Mask:
    """Return which raised items are at least the ``items``-th raised one among the last ``among`` of their stream."""
    alarms = np.zeros(len(raised), dtype=np.bool_)
    kernels.load()[1](raised, streams, items, among, np.zeros(items, np.int64), alarms)
    return alarms


NEVER = Threshold(ABOVE_ALL)
"""The policy that never alarms."""
FAMILIES: dict[str, type[Threshold | InARow | TwoThresholds | Cusum]] = {
    one.family: one for one in (Threshold, InARow, TwoThresholds, Cusum)
}
"""Every family by name."""


def as_json(policy: Policy) -> dict[str, Any]:
    """Return a policy as JSON: its family and its parameters."""
    parameters: dict[str, Any] = asdict(policy)  # type: ignore[call-overload]
    return {"family": policy.family, **parameters}


def of_json(row: dict[str, Any]) -> Policy:
    """Return the policy that :func:`as_json` wrote.

    Raises:
        InputError: if the family is unknown, or its parameters are others.
    """
    try:
        parameters = {key: _number(key, value) for key, value in row.items() if key != "family"}
        return FAMILIES[row["family"]](**parameters)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "policy", f"families are {', '.join(FAMILIES)}, with their parameters", row
        ) from error


def _number(key: str, value: Any) -> Any:
    """Return a parameter as it is, if a policy can have it."""
    counted = key in {"items", "among"}
    if type(value) not in ((int,) if counted else (int, float)) or not 0 <= value <= _MOST_ITEMS:
        raise ValueError(key)
    return value
