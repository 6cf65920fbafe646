"""Checks of the audit and their results: a signal with its evidence, never a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from coldaisle_analysis.audit.subject import Absent, Subject

Scope = Literal["capture", "rows"]
"""Whether a check looks at a data set once, or at the rows of each of its levels."""
Evidence = list[dict[str, Any]]

MOST_EVIDENCE = 8
"""The most rows of evidence per check."""


class Status(StrEnum):
    """How strong a signal is: ``look`` asks for a human's eyes, ``bad`` is likely a flaw."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"
    ABSENT = "n/a"


@dataclass(frozen=True)
class Measured:
    """The measurement of a check.

    Attributes:
        value: strength of the signal; larger is worse.
        sentence: its meaning here, in one sentence.
        evidence: the worst cases, one dict each.
    """

    value: float
    sentence: str
    evidence: Evidence


@dataclass(frozen=True)
class Check:
    """A criterion of the audit.

    Attributes:
        id: its name in the list of criteria, such as ``C1``.
        name: its title, in a few words.
        means: meaning of the value.
        look, bad: the values from which the status is ``look`` and ``bad``.
        source: source of the criterion and, where starred, of its threshold.
        measure: the function that measures it.
        scope: the rows it looks at.
    """

    id: str
    name: str
    means: str
    look: float
    bad: float
    source: str
    measure: Callable[[Subject], Measured]
    scope: Scope = "rows"

    def status(self, value: float) -> Status:
        """Return the status of a value."""
        if value >= self.bad:
            return Status.BAD
        return Status.LOOK if value >= self.look else Status.OK


@dataclass(frozen=True)
class Result:
    """The result of a check on a subject.

    Attributes:
        check: the check.
        level: the level whose rows it looked at, or ``capture``.
        status: status of the signal.
        value: strength of the signal; ``None`` where there was nothing to measure.
        sentence: its meaning, or what is missing.
        evidence: the worst cases.
    """

    check: Check
    level: str
    status: Status
    value: float | None
    sentence: str
    evidence: Evidence

    def row(self) -> dict[str, Any]:
        """Return it as a row of ``SCORECARD.json``."""
        return {
            "id": self.check.id,
            "level": self.level,
            "name": self.check.name,
            "value": self.value,
            "means": self.check.means,
            "threshold": {"look": self.check.look, "bad": self.check.bad},
            "status": str(self.status),
            "sentence": self.sentence,
            "evidence": self.evidence,
            "source": self.check.source,
        }


def perform(check: Check, subject: Subject) -> Result:
    """Return the result of a check on a subject, ``n/a`` where the subject lacks what the check needs."""
    level = subject.level if check.scope == "rows" else "capture"
    try:
        signal = check.measure(subject)
    except Absent as reason:
        return Result(check, level, Status.ABSENT, None, str(reason), [])
    value = round(float(signal.value), 6)
    return Result(check, level, check.status(value), value, signal.sentence, signal.evidence[:MOST_EVIDENCE])
