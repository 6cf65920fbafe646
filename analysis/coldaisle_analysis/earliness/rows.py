"""Cases from rows: anybody's samples, each with a label, an alarm and the name of its case, as :class:`~coldaisle_analysis.earliness.erde.Outcomes`."""

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Ints, Mask, Rows
from coldaisle_analysis.earliness import checked
from coldaisle_analysis.earliness.outcomes import Outcomes

NEVER = np.iinfo(np.int64).max


def first_alarms(alarming: Mask, starts: Rows, place: Ints) -> Ints:
    """Return the item at which each case first alarms, counted from 1; 0 where it never does.

    Args:
        alarming: whether each item alarms, the items of all cases one after another, shape (items,).
        starts: position of the first item of each case, which has at least one, shape (cases,).
        place: place of each item in its case, from 1, shape (items,).
    """
    first = np.minimum.reduceat(np.where(alarming, place, NEVER), starts)
    return np.where(first == NEVER, 0, first)


def outcomes_of_rows(
    labels: npt.ArrayLike, alarms: npt.ArrayLike, cases: npt.ArrayLike, time: npt.ArrayLike | None = None
) -> Outcomes:
    """Return the outcome of each case, from rows that name their case.

    Args:
        labels: whether each row is positive; all rows of a case have the same label: booleans, or 1 and 0, shape (rows,).
        alarms: whether the detector alarms at each row: booleans, or 1 and 0, shape (rows,).
        cases: name of the case of each row, such as a user, a machine or a connection, shape (rows,).
        time: time of each row, in s or as dates, shape (rows,). Items of a case are in the order of time, or of the rows if missing; then no
            outcome has seconds. The first item is the onset.

    Returns:
        The cases in the order of their names.

    Raises:
        ValueError: if the arrays do not fit each other, or a case has both labels; :func:`stretches` cuts such rows into cases.

    Examples:
        >>> labels, alarms = [1, 1, 1, 0, 0], [0, 1, 0, 0, 0]
        >>> outcomes = outcomes_of_rows(labels, alarms, ["ann", "ann", "ann", "bob", "bob"], time=[0, 60, 120, 0, 60])
        >>> outcomes.attacked.tolist(), outcomes.alarm.tolist(), outcomes.seconds.tolist()
        ([True, False], [2, 0], [60.0, nan])
    """
    label, alarm, case = (
        checked.flags("labels", labels),
        checked.flags("alarms", alarms),
        checked.codes("cases", cases),
    )
    (moment,), unit = ([np.full(len(label), np.nan)], 1) if time is None else checked.ticks(time=time)
    checked.same_length(labels=label, alarms=alarm, cases=case, time=moment)
    order = np.argsort(case, kind="stable") if time is None else np.lexsort((moment, case))
    label, alarm, moment, sorted_case = label[order], alarm[order], moment[order], case[order]
    starts = np.flatnonzero(np.diff(sorted_case, prepend=-1))
    if not len(starts):
        return Outcomes(np.zeros(0), np.zeros(0), np.zeros(0))
    attacked = np.logical_or.reduceat(label, starts)
    mixed = np.flatnonzero(attacked != np.logical_and.reduceat(label, starts))
    if mixed.size:
        name = np.asarray(cases)[order[starts[mixed[0]]]]
        raise ValueError(
            f"case {name} has rows of both labels: give every stretch of one label a case of its own, such as by stretches()"
        )
    length = np.diff(starts, append=len(label))
    place = np.arange(1, len(label) + 1) - np.repeat(starts, length)
    first = first_alarms(alarm, starts, place)
    waited = (moment[starts + np.maximum(first - 1, 0)] - moment[starts]) / unit
    return Outcomes(attacked, length, first, np.where(first > 0, waited, np.nan))


def stretches(labels: npt.ArrayLike, streams: npt.ArrayLike, time: npt.ArrayLike | None = None) -> Ints:
    """Return the case of each row where cases are stretches of rows of one stream with the same label.

    So a stream that is attacked twice gives two positive cases and three negative ones.

    Args:
        labels: whether each row is positive: booleans, or 1 and 0, shape (rows,).
        streams: name of the stream of each row, shape (rows,).
        time: time of each row, in s or as dates, shape (rows,); rows are in order of time if missing.

    Raises:
        ValueError: if the arrays do not fit each other.

    Examples:
        >>> stretches([0, 1, 1, 0, 1], ["a", "a", "a", "a", "b"]).tolist()
        [0, 1, 1, 2, 3]
    """
    label, stream = checked.flags("labels", labels), checked.codes("streams", streams)
    moment = np.arange(len(label)) if time is None else checked.ticks(time=time)[0][0]
    checked.same_length(labels=label, streams=stream, time=moment)
    order = np.lexsort((moment, stream))
    changes = np.zeros(len(label), np.int64)
    changes[1:] = (label[order][1:] != label[order][:-1]) | (stream[order][1:] != stream[order][:-1])
    cases = np.zeros(len(label), np.int64)
    cases[order] = np.cumsum(changes)
    return cases
