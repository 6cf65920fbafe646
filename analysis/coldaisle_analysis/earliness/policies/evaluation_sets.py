"""What a policy is judged on: rows in the order it meets them, cases, and where an alarm is false.

False alarms are counted as an operator does, in *incidents*: alarms of one stream on rows that are no attack, each
less than :data:`QUIET_S` after the one before. An incident that goes on counts again whenever another
:data:`REPEAT_S` have passed, or a detector that always alarms would have caused a single one.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Labels, Mask, Rows
from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.earliness.erde import Outcomes
from coldaisle_analysis.earliness.policies import kernels
from coldaisle_analysis.earliness.policies.policy import Policy
from coldaisle_contracts.clock import DAY_S, SECOND

QUIET_S = 900
"""Quiet time after which the next alarm is a new incident, s."""
REPEAT_S = 3_600
"""Time after which an alarm that goes on is looked at anew, s."""


@dataclass(frozen=True)
class EvaluationSet:
    """The rows of a level a policy is judged on.

    A row of no stream (code -1, such as ARP) is judged in a stream they all share: what the network at large says.

    Attributes:
        cases: the cases that lie on these rows as a whole.
        order: the positions of the rows in the frame by stream, then time, shape (judged,).
        streams: the stream of each, shape (judged,).
        known_ns: when each could be judged, ns since the epoch, shape (judged,).
        false: where an alarm is false, shape (judged,).
        days: time these rows span, days.
    """

    cases: Cases
    order: Rows
    streams: Ints
    known_ns: Ints
    false: Mask
    days: float

    @cached_property
    def _in_order(self) -> Cases:
        """Return the cases with their rows as places in ``order``."""
        place = np.zeros(len(self.cases.streams), np.intp)
        place[self.order] = np.arange(len(self.order))
        return replace(
            self.cases, rows=tuple(place[rows] for rows in self.cases.rows), known_ns=self.known_ns
        )

    def alarms(self, policy: Policy, score: Floats) -> Mask:
        """Return which rows of the frame alarm, given the score of each; one that is not judged does not."""
        alarms = np.zeros(len(self.cases.streams), dtype=np.bool_)
        alarms[self.order] = policy.alarms(score[self.order], self.streams)
        return alarms

    def outcomes_of(self, alarming: Mask) -> Outcomes:
        """Return what alarms come to in each case, given for the rows in ``order``."""
        return self._in_order.outcomes(alarming)

    def incidents(self, alarms: Mask) -> int:
        """Return how many incidents alarms come to, given for every row of the frame."""
        return self.incidents_of(alarms[self.order])

    def incidents_of(self, alarming: Mask) -> int:
        """Return how many incidents alarms come to, given for the rows in ``order``."""
        at = np.flatnonzero(alarming & self.false)
        return kernels.load()[2](self.known_ns[at], self.streams[at], QUIET_S * SECOND, REPEAT_S * SECOND)

    def per_day(self, incidents: int) -> float:
        """Return a number of incidents by the time the rows span."""
        return incidents / self.days


def evaluation_set(cases: Cases, labels: Labels, episodes: Ints, rows: Mask | None = None) -> EvaluationSet:
    """Return what a policy is judged on.

    An alarm is false on a row that is no attack, of a benign anomaly too. On a row of an attack's episode that is not
    an attack itself, such as a connection made anew because of it, it is neither true nor false.

    Args:
        cases: of a whole level.
        labels: 1 is attack, shape (rows,).
        episodes: code of each row's episode, -1 outside one, shape (rows,).
        rows: which rows are judged, shape (rows,); all if missing.
    """
    judged = np.ones(len(labels), dtype=np.bool_) if rows is None else rows
    attacks = np.setdiff1d(episodes[labels == 1], -1)
    false = (labels == 0) & ~np.isin(episodes, attacks)
    order = cases.order[judged[cases.order]]
    known = cases.known_ns[order]
    span = float(np.ptp(known)) / SECOND if len(known) else 0.0
    return EvaluationSet(
        cases=cases.within(judged),
        order=order,
        streams=cases.streams[order],
        known_ns=known,
        false=false[order],
        days=max(span, 1.0) / DAY_S,
    )
