"""The evaluation sets of a split: the cases and rows of its training and test sides, for each kind of case."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coldaisle_analysis.arrays import Rows
from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.earliness.policies import EvaluationSet, evaluation_set
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_analysis.evaluation.splits import Fold


@dataclass(frozen=True)
class CaseSets:
    """The evaluation sets of a split for one kind of case.

    Attributes:
        name: the kind of case, such as ``connection``.
        whole: the rows of all test sides.
        train: one set per fold: the rows that inner folds hold out of its training side.
        test: one set per fold: its test side.
    """

    name: str
    whole: EvaluationSet
    train: tuple[EvaluationSet, ...]
    test: tuple[EvaluationSet, ...]


def case_sets(level: Level, folds: Sequence[Fold]) -> tuple[CaseSets, ...]:
    """Return the evaluation sets of a split for each kind of case of the level that has a positive case."""

    def set_of(cases: Cases, *rows: Rows) -> EvaluationSet:
        mask = np.zeros(len(level.labels), np.bool_)
        mask[np.concatenate(rows)] = True
        return evaluation_set(cases, level.labels, level.episodes, mask)

    return tuple(
        CaseSets(
            name,
            set_of(cases, *(fold.test for fold in folds)),
            tuple(set_of(cases, *(side.scored for side in fold.inner)) for fold in folds),
            tuple(set_of(cases, fold.test) for fold in folds),
        )
        for name, cases in level.cases.items()
        if folds and cases.attacked.any()
    )
