"""The audit: signals, with evidence, of flaws in a labelled data set. They are signals, not verdicts.

A signal can be a tautology (a SYN flood is recognised by its SYN flags), so each comes with its evidence and the
source of its threshold. The criteria are those of Arp et al. 2022, Engelen et al. 2021, Flood et al. 2024, Gharib et al.
2016, Lanvin et al. 2022, Liu et al. 2022 and Ring et al. 2019, and of the tools ID2T, IDS2Eval and pcapML.
"""

from threadpoolctl import threadpool_limits

from coldaisle_analysis.audit import capture, diversity, division, labels, metadata, shortcuts
from coldaisle_analysis.audit.check import Check, Result, Status, perform
from coldaisle_analysis.audit.subject import Subject

__all__ = ["CHECKS", "GROUPS", "Check", "Result", "Status", "Subject", "audit"]

GROUPS = {
    "A": "the capture",
    "B": "the labels",
    "C": "shortcuts",
    "D": "diversity",
    "E": "training and test sides",
    "F": "description",
}
"""Name of each group of checks, by the first letter of their ids."""

CHECKS: tuple[Check, ...] = (
    *capture.CHECKS,
    *labels.CHECKS,
    *shortcuts.CHECKS,
    *diversity.CHECKS,
    *division.CHECKS,
    *metadata.CHECKS,
)
"""Every check, in the order of the scorecard."""


def audit(subjects: list[Subject]) -> list[Result]:
    """Return the result of every check on every level; a check of the whole data set is made once, on the first level.

    Args:
        subjects: the levels of one data set.
    """
    with threadpool_limits(1):  # threads that wait for each other took a third of its processor time
        return [
            perform(check, subject)
            for check in CHECKS
            for number, subject in enumerate(subjects)
            if check.scope == "rows" or number == 0
        ]
