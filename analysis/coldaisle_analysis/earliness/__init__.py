"""Earliness of detection: cases, ERDE, F_latency, recall against delay, incidents, events, and alarm policies.

The names below are a library for arrays that anybody has, and need NumPy alone: to import this package imports no other third-party
library. :mod:`cases`, :mod:`per_kind` and :mod:`policies`, which know the dataset, are imported by their own names.
"""

from coldaisle_analysis.earliness.curves import Curve, recall_by_items, recall_by_seconds
from coldaisle_analysis.earliness.erde import (
    ERISK_RATE,
    case_f1,
    erde,
    erde_bounds,
    f_latency,
    latency_cost,
    latency_penalty,
    latency_rate,
    latency_weighted_f1,
    seconds_to_detect,
)
from coldaisle_analysis.earliness.events import Matches, events_of_labels, match_events
from coldaisle_analysis.earliness.incidents import incidents, suppress
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.rows import outcomes_of_rows, stretches
from coldaisle_analysis.earliness.scorers import (
    advance_time_score,
    erde_score,
    event_recall_score,
    f_latency_score,
    false_alarms_score,
    latency_weighted_f1_score,
    recall_within_score,
)

__all__ = [
    "ERISK_RATE",
    "Curve",
    "Matches",
    "Outcomes",
    "advance_time_score",
    "case_f1",
    "erde",
    "erde_bounds",
    "erde_score",
    "event_recall_score",
    "events_of_labels",
    "f_latency",
    "f_latency_score",
    "false_alarms_score",
    "incidents",
    "latency_cost",
    "latency_penalty",
    "latency_rate",
    "latency_weighted_f1",
    "latency_weighted_f1_score",
    "match_events",
    "outcomes_of_rows",
    "recall_by_items",
    "recall_by_seconds",
    "recall_within_score",
    "seconds_to_detect",
    "stretches",
    "suppress",
]
