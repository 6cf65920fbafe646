"""Measures of how well one column alone separates attacks: in one pass over its order, or learned on other days."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.numbers import MISSING
from coldaisle_analysis.audit.subject import Absent, Subject

_CHANCE = 0.5
_TEXTS = 3
"""How many texts a rule names."""


@dataclass(frozen=True)
class Sweep:
    """How well the order of a column separates the labels.

    Attributes:
        auc: area under the ROC curve in the better direction, 0.5 to 1.
        accuracy: balanced accuracy of the best single threshold.
        threshold: that threshold.
        above: whether rows above it are the attacks.
        rule: the rule of this threshold; empty where it is one of plain numbers.
    """

    auc: float
    accuracy: float
    threshold: float
    above: bool
    rule: str = ""


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


def _curve(values: Floats, label: Mask) -> tuple[Floats, Floats, Floats]:
    """Return the distinct values, sorted, and the shares of attacks and of other rows up to each of them, from 0 on."""
    ranked, attacks = np.sort(values), np.sort(values[label])  # numpy sorts much faster than it orders
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    distinct = ranked[last]
    hits = np.searchsorted(attacks, distinct, side="right")
    false = (last + 1 - hits) / (len(values) - len(attacks))
    return distinct, np.append(0, hits / len(attacks)), np.append(0, false)


def sweeps_of(subject: Subject, name: str) -> list[Sweep]:
    """Return how well a column separates the labels by its order and, where it holds text, by the attack rate of its values; computed once."""
    if name not in subject.sweeps:
        values, label = subject.ordered(name), both_classes(subject)
        subject.sweeps[name] = [sweep(values, label)]
        if name in subject.texts:
            score = by_value(values, label, subject.seed)
            by_rate = sweep(score, label)
            if by_rate.above and _area(score, label) > _CHANCE:  # else texts say nothing about other rows
                rule = f"{name} is {_listed(subject, name, values[score > by_rate.threshold])}"
                subject.sweeps[name].insert(0, replace(by_rate, rule=rule))
    return subject.sweeps[name]


def _listed(subject: Subject, name: str, values: Floats) -> str:
    """Return the texts of a column's values, the most frequent first."""
    distinct, counts = np.unique(values, return_counts=True)
    ranked = distinct[np.argsort(-counts, kind="stable")]
    texts = [repr(subject.texts[name].get(float(value), f"{value:.6g}")) for value in ranked[:_TEXTS]]
    return " or ".join(texts) + (f" or one of {len(ranked) - _TEXTS} more" if len(ranked) > _TEXTS else "")


def by_value(values: Floats, label: Mask, seed: int) -> Floats:
    """Return the attack rate that each value has in the other four fifths of the rows, shape (rows,).

    A text that many rows share counts, and one that names a single row does not.
    """
    return rates(values, label, np.random.default_rng([seed, 6]).integers(0, 5, len(values)))


def transferred(values: Floats, label: Mask, days: Ints) -> float:
    """Return the AUC of the attack rate that each value has on the other days, 0 to 1.

    A value that recurs and gives attacks away counts, and one that names a single episode does not. A missing value
    has the mean rate.
    """
    score = rates(values, label, days)
    return _area(np.where(values == MISSING, label.mean(), score), label)


def _area(score: Floats, label: Mask) -> float:
    """Return the AUC of a score that is higher for attacks, 0 to 1."""
    _, below, false = _curve(score, label)
    return 1 - float(np.trapezoid(below, false))


def rates(values: Floats, label: Mask, groups: Ints) -> Floats:
    """Return the attack rate that each value has in the other groups, drawn towards the rate of all rows, shape (rows,)."""
    codes, parts = pd.factorize(values, use_na_sentinel=False)[0], pd.factorize(groups)[0]
    cells = pd.factorize(codes * (int(parts.max()) + 1) + parts)[0]
    elsewhere = np.bincount(codes)[codes] - np.bincount(cells)[cells]
    attacks_elsewhere = np.bincount(codes, label)[codes] - np.bincount(cells, label)[cells]
    return np.asarray((attacks_elsewhere + label.mean()) / (elsewhere + 1.0))
