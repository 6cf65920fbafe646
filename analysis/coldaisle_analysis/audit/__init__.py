"""The audit: what is wrong with a labelled data set, as signals with evidence. Signals, not verdicts.

A flag can be a tautology (a flood that is named after the flag it counts), so each comes with its evidence and the
source of its threshold. The criteria are those of Arp et al. 2022, Engelen et al. 2021, Flood et al. 2024, Gharib et al.
2016, Lanvin et al. 2022, Liu et al. 2022 and Ring et al. 2019, and of the tools ID2T, IDS2Eval and pcapML.
"""

from coldaisle_analysis.audit import capture, diversity, division, labels, metadata, shortcuts
from coldaisle_analysis.audit.check import Check, Result, Status, ask
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
"""What the first letter of a check's id stands for."""

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
    """Return what every check says of every level; a check of the whole data set is asked once, of the first.

    Args:
        subjects: the levels of one data set.
    """
    return [
        ask(check, subject)
        for check in CHECKS
        for number, subject in enumerate(subjects)
        if check.scope == "rows" or number == 0
    ]
