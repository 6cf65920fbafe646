"""Evaluation sets of policies: rows in the order a policy receives them, cases, and rows where an alarm is false.

False alarms are counted as an operator does, in *incidents* of alarms on rows that are no attack
(:mod:`coldaisle_analysis.earliness.incidents`).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Labels, Mask, Rows
from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.earliness.incidents import QUIET_S, REPEAT_S, begins
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.policies.policy import Policy
from coldaisle_contracts.clock import DAY_S, SECOND


@dataclass(frozen=True)
class EvaluationSet:
    """The rows of a level that a policy is evaluated on.

    All rows of no stream (code -1, such as ARP) share one stream.

    Attributes:
        cases: the cases that lie on these rows as a whole.
        order: the positions of the rows in the frame, sorted by stream, then time, shape (evaluated,).
        streams: the stream of each row, shape (evaluated,).
        known_ns: when each row could be scored, in ns since the epoch, shape (evaluated,).
        false: whether an alarm on the row is false, shape (evaluated,).
        days: time that these rows span, in days.
    """

    cases: Cases
    order: Rows
    streams: Ints
    known_ns: Ints
    false: Mask
    days: float

    @cached_property
    def _in_order(self) -> Cases:
        """Return the cases with their rows as positions in ``order``."""
        place = np.zeros(len(self.cases.streams), np.intp)
        place[self.order] = np.arange(len(self.order))
        return replace(
            self.cases, rows=tuple(place[rows] for rows in self.cases.rows), known_ns=self.known_ns
        )

    def alarms(self, policy: Policy, score: Floats) -> Mask:
        """Return which rows of the frame alarm, given the score of each; a row that is not evaluated does not."""
        alarms = np.zeros(len(self.cases.streams), dtype=np.bool_)
        alarms[self.order] = policy.alarms(score[self.order], self.streams)
        return alarms

    def outcomes_of(self, alarming: Mask) -> Outcomes:
        """Return the outcome of each case, given the alarms of the rows in ``order``."""
        return self._in_order.outcomes(alarming)

    def incidents(self, alarms: Mask) -> int:
        """Return the number of incidents, given the alarms of every row of the frame."""
        return self.incidents_of(alarms[self.order])

    def incidents_of(self, alarming: Mask) -> int:
        """Return the number of incidents, given the alarms of the rows in ``order``."""
        at = np.flatnonzero(alarming & self.false)
        return int(begins(self.known_ns[at], self.streams[at], QUIET_S * SECOND, REPEAT_S * SECOND).sum())

    def per_day(self, incidents: int) -> float:
        """Return a number of incidents per day of the time that the rows span."""
        return incidents / self.days


def evaluation_set(cases: Cases, labels: Labels, episodes: Ints, rows: Mask | None = None) -> EvaluationSet:
    """Return the evaluation set of some rows of a level.

    An alarm is false on a row that is no attack, even if the row belongs to a benign anomaly. It is neither true nor false on a row
    of an attack's episode that is no attack itself, such as a connection made again because of the attack.

    Args:
        cases: the cases of the whole level.
        labels: 1 is attack, shape (rows,).
        episodes: code of each row's episode, -1 outside one, shape (rows,).
        rows: which rows are evaluated, shape (rows,); all if missing.
    """
    evaluated = np.ones(len(labels), dtype=np.bool_) if rows is None else rows
    attacks = np.setdiff1d(episodes[labels == 1], -1)
    false = (labels == 0) & ~np.isin(episodes, attacks)
    order = cases.order[evaluated[cases.order]]
    known_ns = cases.known_ns[order]
    span = float(np.ptp(known_ns)) / SECOND if len(known_ns) else 0.0
    return EvaluationSet(
        cases=cases.within(evaluated),
        order=order,
        streams=cases.streams[order],
        known_ns=known_ns,
        false=false[order],
        days=max(span, 1.0) / DAY_S,
    )
