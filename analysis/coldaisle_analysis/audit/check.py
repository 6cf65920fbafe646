"""What a check is, and what it finds: a signal with its evidence, never a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from coldaisle_analysis.audit.subject import Subject

Scope = Literal["capture", "rows"]
"""Whether a check looks at a data set once, or at the rows of each of its levels."""
Evidence = list[dict[str, Any]]

MOST_EVIDENCE = 8
"""Rows of evidence kept for a check."""


class Status(StrEnum):
    """How loud a signal is."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"
    ABSENT = "n/a"


class Absent(Exception):  # noqa: N818 - it says that there is nothing to measure, which is no error
    """The data set lacks what a check needs; the message says what."""


@dataclass(frozen=True)
class Measured:
    """What a check found.

    Attributes:
        value: how strong the signal is; more is worse.
        sentence: what that means here, in one sentence.
        evidence: the worst cases, a dict each.
    """

    value: float
    sentence: str
    evidence: Evidence


@dataclass(frozen=True)
class Check:
    """A criterion of the audit.

    Attributes:
        id: its name in the list of criteria, such as ``C1``.
        name: what it looks for, in a few words.
        means: what the value is.
        look, bad: the value from which the status is ``look`` and ``bad``.
        source: where the criterion, and its threshold where starred, come from.
        measure: finds it.
        scope: what it looks at.
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
        """Return how loud a value is."""
        if value >= self.bad:
            return Status.BAD
        return Status.LOOK if value >= self.look else Status.OK


@dataclass(frozen=True)
class Result:
    """What a check said of a subject.

    Attributes:
        check: which.
        level: the level whose rows it looked at, or ``capture``.
        status: how loud the signal is.
        value: how strong it is; ``None`` where there was nothing to measure.
        sentence: what that means, or what is missing.
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


def ask(check: Check, subject: Subject) -> Result:
    """Return what a check says of a subject: always one result."""
    level = subject.level if check.scope == "rows" else "capture"
    try:
        found = check.measure(subject)
    except Absent as reason:
        return Result(check, level, Status.ABSENT, None, str(reason), [])
    value = round(float(found.value), 6)
    return Result(check, level, check.status(value), value, found.sentence, found.evidence[:MOST_EVIDENCE])
