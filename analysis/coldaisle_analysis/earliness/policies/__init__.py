"""Alarm policies: decision rules that turn a detector's scores into alarms, and their choice on training rows.

A *policy* reads one stream of scores, item by item. :mod:`~coldaisle_analysis.earliness.policies.policy` has the four families,
:mod:`~coldaisle_analysis.earliness.policies.evaluation_sets` has the rows a policy is evaluated on and counts its incidents,
:mod:`~coldaisle_analysis.earliness.policies.tuning` chooses parameters on training rows. To add a family, add a class to
``FAMILIES`` and its grid to ``GRIDS``; the tests include it by themselves.
"""

from coldaisle_analysis.earliness.incidents import QUIET_S, REPEAT_S
from coldaisle_analysis.earliness.policies.evaluation_sets import EvaluationSet, evaluation_set
from coldaisle_analysis.earliness.policies.policy import (
    FAMILIES,
    NEVER,
    Cusum,
    InARow,
    Policy,
    Threshold,
    TwoThresholds,
    as_json,
    of_json,
)
from coldaisle_analysis.earliness.policies.tuning import (
    OBJECTIVES,
    ONE_A_DAY,
    ONE_A_WEEK,
    Tuned,
    budget_threshold,
    simplest,
    tune,
    tune_all,
)

__all__ = [
    "FAMILIES",
    "NEVER",
    "OBJECTIVES",
    "ONE_A_DAY",
    "ONE_A_WEEK",
    "QUIET_S",
    "REPEAT_S",
    "Cusum",
    "EvaluationSet",
    "InARow",
    "Policy",
    "Threshold",
    "Tuned",
    "TwoThresholds",
    "as_json",
    "budget_threshold",
    "evaluation_set",
    "of_json",
    "simplest",
    "tune",
    "tune_all",
]
