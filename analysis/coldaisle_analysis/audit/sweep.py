"""Measures of how well one column alone separates attacks: in one pass over its order, or learned on other days."""

from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.subject import MISSING, Absent, Subject


@dataclass(frozen=True)
class Sweep:
    """How well the order of a column separates the labels.

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
    """Return the labels, shape (rows,).

    Raises:
        Absent: if all rows have the same label.
    """
    if not subject.label.any() or subject.label.all():
        raise Absent("all rows have the same label")
    return subject.label


def sweep(values: Floats, label: Mask) -> Sweep:
    """Return how well the order of a column separates the labels; rows with equal values are never separated."""
    distinct, below, false = _curve(values, label)
    area = float(np.trapezoid(below, false))
    apart = (below - false)[1:]
    best = int(np.argmax(np.abs(apart)))
    accuracy = 0.5 + float(np.abs(apart[best])) / 2
    return Sweep(max(area, 1 - area), accuracy, float(distinct[best]), bool(apart[best] < 0))


def transferred(values: Floats, label: Mask, days: Ints) -> float:
    """Return the AUC of the attack rate that each value has on the other days, 0 to 1.

    A value that recurs and gives attacks away counts, and one that names a single episode does not. A missing value
    has the mean rate.
    """
    codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    days = np.unique(days, return_inverse=True)[1].astype(np.int64)
    cell = np.unique(codes * (int(days.max()) + 1) + days, return_inverse=True)[1]
    elsewhere = np.bincount(codes)[codes] - np.bincount(cell)[cell]
    attacks_elsewhere = np.bincount(codes, label)[codes] - np.bincount(cell, label)[cell]
    rate = label.mean()
    score = (attacks_elsewhere + rate) / (elsewhere + 1.0)
    _, below, false = _curve(np.where(values == MISSING, rate, score), label)
    return 1 - float(np.trapezoid(below, false))


def _curve(values: Floats, label: Mask) -> tuple[Floats, Floats, Floats]:
    """Return the distinct values, sorted, and the shares of attacks and of other rows up to each of them, from 0 on."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    below, false = (np.append(0, np.cumsum(rows[order])[last] / rows.sum()) for rows in (label, ~label))
    return ranked[last], below, false
