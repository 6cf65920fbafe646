"""Scores of predictions, sample by sample, in the form that scikit-learn's ``make_scorer`` takes: ``score(y_true, y_pred, **arguments)``.

scikit-learn is not imported. ``groups`` and ``time`` have one value per sample, so ``cross_val_score`` must route them to the fold's own samples;
docs/early-detection.md shows how. A prediction is an alarm from ``threshold`` on: classes 0 and 1, booleans and probabilities all work.
A score without a case or an event in the fold is NaN: take a splitter that gives each fold some.
"""

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.earliness import checked
from coldaisle_analysis.earliness.curves import recall_by_items, recall_by_seconds
from coldaisle_analysis.earliness.erde import ERISK_RATE, erde, f_latency, latency_weighted_f1
from coldaisle_analysis.earliness.events import Matches, events_of_labels, match_events
from coldaisle_analysis.earliness.incidents import suppress
from coldaisle_analysis.earliness.outcomes import Outcomes
from coldaisle_analysis.earliness.rows import outcomes_of_rows

HALF = 0.5
"""Prediction from which on a sample alarms."""
HOUR_S = 3_600.0


def erde_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    time: npt.ArrayLike | None = None,
    deadline: float = 5.0,
    threshold: float = HALF,
) -> float:
    """Return ERDE_o with o = ``deadline`` of cases that are groups of samples; lower is better.

    Args:
        y_true: label of each sample, 1 or 0, the same within a group, shape (n,).
        y_pred: prediction of each sample, shape (n,).
        groups: name of each sample's case, shape (n,).
        time: time of each sample, shape (n,); samples of a group are in order of time if missing.
        deadline: o, in samples.
        threshold: prediction from which on a sample alarms.

    Raises:
        ValueError: if the arrays do not fit each other, or a group has both labels.

    Examples:
        >>> y_true, groups = [1, 1, 1, 0, 0, 0], ["ann", "ann", "ann", "bob", "bob", "bob"]
        >>> round(erde_score(y_true, [0, 1, 1, 0, 0, 0], groups=groups, deadline=2), 3)
        0.25
    """
    return erde(_outcomes(y_true, y_pred, groups, time, threshold), deadline)


def f_latency_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    time: npt.ArrayLike | None = None,
    threshold: float = HALF,
) -> float:
    """Return F_latency of cases that are groups of samples, with the rate of these cases; arguments as of :func:`erde_score`.

    Examples:
        >>> round(f_latency_score(y_true, [0, 1, 1, 0, 0, 0], groups=groups), 3)
        0.732
    """
    return f_latency(_outcomes(y_true, y_pred, groups, time, threshold))


def latency_weighted_f1_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    time: npt.ArrayLike | None = None,
    rate: float = ERISK_RATE,
    threshold: float = HALF,
) -> float:
    """Return F_latency of cases that are groups of samples, with a fixed rate; arguments as of :func:`erde_score`.

    Examples:
        >>> round(latency_weighted_f1_score(y_true, [0, 1, 1, 0, 0, 0], groups=groups), 3)
        0.996
    """
    return latency_weighted_f1(_outcomes(y_true, y_pred, groups, time, threshold), rate)


def recall_within_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    delay: float,
    time: npt.ArrayLike | None = None,
    threshold: float = HALF,
) -> float:
    """Return the share of the positive cases caught within a delay; other arguments as of :func:`erde_score`.

    The delay is the time from the first sample of a group to the alarm; without ``time``, the number of the sample, from 1.

    Examples:
        >>> recall_within_score(y_true, [0, 1, 1, 0, 0, 0], groups=groups, delay=1)
        0.0
        >>> recall_within_score(y_true, [0, 1, 1, 0, 0, 0], groups=groups, delay=60, time=[0, 60, 120, 0, 60, 120])
        1.0
    """
    outcomes = _outcomes(y_true, y_pred, groups, time, threshold)
    if not outcomes.attacked.any():
        return float("nan")
    return (recall_by_items if time is None else recall_by_seconds)(outcomes).at(delay)


def event_recall_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    time: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    earliest: float = 0.0,
    latest: float = 0.0,
    threshold: float = HALF,
) -> float:
    """Return the share of the events that were detected; an event is a run of positive samples of a group.

    Args:
        y_true: label of each sample, 1 or 0, shape (n,).
        y_pred: prediction of each sample, shape (n,).
        time: time of each sample, in s (or another unit, then offsets are in it) or as dates, shape (n,).
        groups: name of each sample's stream, shape (n,); one stream if missing.
        earliest: start of an event's window relative to its first sample.
        latest: end of an event's window relative to its last sample.
        threshold: prediction from which on a sample alarms.

    Raises:
        ValueError: if the arrays do not fit each other, or a window ends before it starts.

    Examples:
        >>> time, broken, predicted = [0, 60, 120, 180, 240], [0, 0, 1, 0, 0], [0, 0.9, 0.8, 0, 0.7]
        >>> event_recall_score(broken, predicted, time=time), event_recall_score(broken, [0] * 5, time=time)
        (1.0, 0.0)
    """
    return _matches(y_true, y_pred, time, groups, earliest, latest, threshold).event_recall


def advance_time_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    time: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    earliest: float = 0.0,
    latest: float = 0.0,
    threshold: float = HALF,
) -> float:
    """Return the mean time from the first alarm of detected events to their start; arguments as of :func:`event_recall_score`.

    Examples:
        >>> advance_time_score(broken, predicted, time=time, earliest=-90)
        60.0
    """
    return _matches(y_true, y_pred, time, groups, earliest, latest, threshold).advance_time


def false_alarms_score(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    time: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    earliest: float = 0.0,
    latest: float = 0.0,
    cooldown: float = 0.0,
    unit: float = HOUR_S,
    threshold: float = HALF,
) -> float:
    """Return the false alarms per unit of time over all groups; lower is better. Other arguments as of :func:`event_recall_score`.

    The time watched is that from the first sample of each group to its last, added up. NaN where it is 0. Within ``cooldown`` of a false alarm
    further ones of its group are duplicates. ``unit`` is the unit of time, an hour where times are in s.

    Examples:
        >>> false_alarms_score(broken, predicted, time=time)  # two in four minutes
        30.0
        >>> false_alarms_score(broken, predicted, time=time, earliest=-90)
        15.0
    """
    matches = _matches(y_true, y_pred, time, groups, earliest, latest, threshold)
    (moment,), unit_ticks = checked.ticks(time=time)
    stream = _stream(groups, len(moment))
    rows = np.flatnonzero(_alarms(y_pred, threshold))[matches.false]
    remaining = int(suppress(np.asarray(time)[rows], stream[rows], cooldown=cooldown).sum())
    order = np.argsort(stream, kind="stable")
    starts = np.flatnonzero(np.diff(stream[order], prepend=-1))
    watched = 0.0
    if len(starts):
        last, first = (extreme.reduceat(moment[order], starts) for extreme in (np.maximum, np.minimum))
        watched = float((last - first).sum()) / unit_ticks
    return remaining / watched * checked.positive("unit", unit) if watched else float("nan")


def _outcomes(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    groups: npt.ArrayLike,
    time: npt.ArrayLike | None,
    threshold: float,
) -> Outcomes:
    return outcomes_of_rows(
        checked.flags("y_true", y_true), _alarms(y_pred, threshold), checked.flat("groups", groups), time
    )


def _matches(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    time: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    earliest: float,
    latest: float,
    threshold: float,
) -> Matches:
    label, alarm, moment = (
        checked.flags("y_true", y_true),
        _alarms(y_pred, threshold),
        checked.flat("time", time),
    )
    stream = _stream(groups, len(moment))
    checked.same_length(y_true=label, y_pred=alarm, time=moment, groups=stream)
    starts, ends, of_events = events_of_labels(label, moment, stream)
    return match_events(
        starts,
        moment[alarm],
        earliest=earliest,
        latest=latest,
        ends=ends,
        event_streams=of_events,
        alarm_streams=stream[alarm],
    )


def _alarms(y_pred: npt.ArrayLike, threshold: float) -> Mask:
    return checked.numbers("y_pred", y_pred) >= checked.number("threshold", threshold)


def _stream(groups: npt.ArrayLike | None, samples: int) -> Ints:
    return np.zeros(samples, np.int64) if groups is None else checked.codes("groups", groups)
