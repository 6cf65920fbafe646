"""How well one column alone tells attacks from the rest: in one pass over its order, or learned on other days."""

from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.check import Absent
from coldaisle_analysis.audit.subject import MISSING, Subject


@dataclass(frozen=True)
class Sweep:
    """What the order of a column says of the labels.

    Attributes:
        auc: area under the ROC curve in the better direction, 0.5 to 1.
        accuracy: balanced accuracy of the best single threshold.
        threshold: that threshold.
        above: whether rows above it are the attacks.
    """

    auc: float
    accuracy: float
    threshold: float
    above: bool


def both_classes(subject: Subject) -> Mask:
    """Return the labels.

    Raises:
        Absent: where all rows have the same.
    """
    if not subject.label.any() or subject.label.all():
        raise Absent("all rows have the same label")
    return subject.label


def sweep(values: Floats, label: Mask) -> Sweep:
    """Return what the order of a column says; rows with equal values are told apart by nobody."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    below = np.cumsum(label[order])[last] / label.sum()
    false = np.cumsum(~label[order])[last] / (~label).sum()
    area = float(np.trapezoid(np.append(0, below), np.append(0, false)))
    apart = below - false
    best = int(np.argmax(np.abs(apart)))
    return Sweep(
        max(area, 1 - area),
        0.5 + float(np.abs(apart[best])) / 2,
        float(ranked[last][best]),
        bool(apart[best] < 0),
    )


def transferred(values: Floats, label: Mask, days: Ints) -> float:
    """Return the AUC of the attack rate each value had on the other days, 0 to 1.

    So a value that recurs and gives attacks away counts, and one that names a single episode does not; a missing one
    says nothing.
    """
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    days = np.unique(days, return_inverse=True)[1].astype(np.int64)
    cell = np.unique(codes * (int(days.max()) + 1) + days, return_inverse=True)[1]
    others = np.bincount(codes)[codes] - np.bincount(cell)[cell]
    caught = np.bincount(codes, label)[codes] - np.bincount(cell, label)[cell]
    rate = label.mean()
    score = (caught + rate) / (others + 1.0)
    return _auc(np.where(values == MISSING, rate, score), label)


def _auc(score: Floats, label: Mask) -> float:
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    below = np.cumsum(label[order])[last] / label.sum()
    false = np.cumsum(~label[order])[last] / (~label).sum()
    return 1 - float(np.trapezoid(np.append(0, below), np.append(0, false)))
