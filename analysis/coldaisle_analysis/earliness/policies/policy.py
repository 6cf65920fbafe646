"""The families of alarm policies, which turn the scores of a stream into alarms.

A policy can be run in two ways that agree in every item. :meth:`Policy.step` takes the next item of a live stream and
a state that sums up the items before: one whole number, 0 at the start of every stream. :meth:`Policy.alarms` takes whole
arrays. Scores are finite and lie in [0, 1]; a score alarms when it *reaches* a limit.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.earliness.policies import kernels
from coldaisle_contracts.errors import InputError

ABOVE_ALL = 2.0
"""A limit that no score reaches; unlike infinity it is a number in JSON."""
_MOST_ITEMS = 1_000
"""Upper bound of a policy's parameters in a file: of its items, and of its limits, which lie far below."""
_STEPS_PER_UNIT = 1 << 20
"""A CUSUM adds whole multiples of 2^-20: sums of whole numbers do not depend on the order of addition."""


class Policy(Protocol):
    """A rule that turns scores into alarms; its parameters are the fields of a frozen dataclass."""

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
        """Return the unchanged state, and whether the item alarms."""
        return state, score >= self.limit

    def alarms(self, score: Floats, streams: Ints) -> Mask:  # noqa: ARG002 - a threshold has no state
        """Return which items alarm, see :meth:`Policy.alarms`."""
        return np.asarray(score >= self.limit)


@dataclass(frozen=True)
class InARow:
    """Alarm at the ``items``-th consecutive item that reaches a limit, and at each further consecutive one.

    The state is the number of consecutive items so far, ``items`` at most.
    """

    family: ClassVar[str] = "in a row"
    limit: float
    items: int

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the number of consecutive items, and whether the item alarms."""
        length = min(state + 1, self.items) if score >= self.limit else 0
        return length, length == self.items

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        return _k_of_n(score >= self.limit, streams, self.items, self.items)


@dataclass(frozen=True)
class TwoThresholds:
    """Alarm at once when the score reaches ``high``, or when it reaches ``low`` for the ``items``-th time among the last few.

    An item below ``low`` never alarms, and an alarm does not reset the state. The state has a bit for each of the last
    ``among`` items, the latest in the lowest bit: whether the item reached ``low``.

    Attributes:
        high: limit that a single item must reach.
        low: limit that several items must reach.
        items: number of items that must reach ``low``.
        among: number of consecutive items of the stream among which they must lie, the present one included.
    """

    family: ClassVar[str] = "two thresholds"
    high: float
    low: float
    items: int
    among: int

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the bits of the last items that reached ``low``, and whether the item alarms."""
        raised = score >= self.low
        bits = (state << 1 | raised) & ((1 << self.among) - 1)
        return bits, score >= self.high or (raised and bits.bit_count() >= self.items)

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        repeated = _k_of_n(score >= self.low, streams, self.items, self.among)
        return np.asarray(repeated | (score >= self.high))


@dataclass(frozen=True)
class Cusum:
    """Alarm when the sum of the excesses of scores over a drift reaches a limit; then the sum starts again at 0.

    S ← max(0, S + score - drift), an alarm when S ≥ limit, and then S ← 0: the one-sided cumulative sum of Page,
    *Continuous Inspection Schemes*, Biometrika 41, 1954. The state is S in multiples of 2^-20, to which score and drift
    are rounded.
    """

    family: ClassVar[str] = "cusum"
    drift: float
    limit: float

    def step(self, state: int, score: float) -> tuple[int, bool]:
        """Return the sum in multiples of 2^-20, and whether the item alarms."""
        level = max(0, state + round(score * _STEPS_PER_UNIT) - round(self.drift * _STEPS_PER_UNIT))
        return (0, True) if level >= self._limit else (level, False)

    def alarms(self, score: Floats, streams: Ints) -> Mask:
        """Return which items alarm, see :meth:`Policy.alarms`."""
        steps = np.rint(score * _STEPS_PER_UNIT).astype(np.int64) - round(self.drift * _STEPS_PER_UNIT)
        alarms = np.zeros(len(score), dtype=np.bool_)
        kernels.load().cusum(steps, streams, self._limit, alarms)
        return alarms

    @property
    def _limit(self) -> int:
        """The limit in multiples of 2^-20, at least 1: a sum of 0 is no alarm."""
        return max(1, round(self.limit * _STEPS_PER_UNIT))


def _k_of_n(raised: Mask, streams: Ints, items: int, among: int) -> Mask:
    """Return which raised items are at least the ``items``-th raised item among the last ``among`` of their stream."""
    alarms = np.zeros(len(raised), dtype=np.bool_)
    kernels.load().k_of_n(raised, streams, items, among, np.zeros(items, np.int64), alarms)
    return alarms


NEVER = Threshold(ABOVE_ALL)
"""The policy that never alarms."""
FAMILIES: dict[str, type[Threshold | InARow | TwoThresholds | Cusum]] = {
    policy.family: policy for policy in (Threshold, InARow, TwoThresholds, Cusum)
}
"""Every family by name."""


def as_json(policy: Policy) -> dict[str, Any]:
    """Return a policy as JSON: its family and its parameters."""
    parameters: dict[str, Any] = asdict(policy)  # type: ignore[call-overload]
    return {"family": policy.family, **parameters}


def of_json(row: dict[str, Any]) -> Policy:
    """Return the policy that :func:`as_json` wrote.

    Raises:
        InputError: if the family is unknown, or the parameters are not those of the family.
    """
    try:
        parameters = {key: _number(key, value) for key, value in row.items() if key != "family"}
        return FAMILIES[row["family"]](**parameters)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "policy", f"name one of the families {', '.join(FAMILIES)}, with its parameters", row
        ) from error


def _number(key: str, value: Any) -> Any:
    """Return a parameter unchanged.

    Raises:
        ValueError: if it is not a number that a policy can have.
    """
    counted = key in {"items", "among"}
    if type(value) not in ((int,) if counted else (int, float)) or not 0 <= value <= _MOST_ITEMS:
        raise ValueError(key)
    return value
