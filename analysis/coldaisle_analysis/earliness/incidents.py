"""Alarms as an operator meets them: incidents, and alarms that a cooldown suppresses as duplicates.

Two rules are in use, and they differ when alarms go on:

* **Incidents** (ours): an alarm belongs to the incident before it if less than a quiet time lies between it and the *last alarm*. An incident
  that goes on begins again after every repeat time; otherwise a detector that always alarms would raise one.
* **Cooldown**: an alarm is suppressed until a time has passed since the *last alarm that was not*. So do the notices of Zeek
  (``Notice::default_suppression_interval``), and sktime's issue 10248 asks for it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Mask, Rows
from coldaisle_analysis.earliness import checked

QUIET_S = 900
"""Quiet time after which the next alarm is a new incident, in s."""
REPEAT_S = 3_600
"""Time after which an alarm that goes on is a new incident, in s."""


def incidents(
    time: npt.ArrayLike,
    streams: npt.ArrayLike | None = None,
    *,
    quiet: float = QUIET_S,
    repeat: float | None = REPEAT_S,
) -> Mask:
    """Return which alarms begin an incident; their sum is the number of incidents.

    Args:
        time: time of each alarm, in s (or any unit, then ``quiet`` and ``repeat`` are in it) or as dates, in any order, shape (n,).
        streams: name of each alarm's stream; alarms of two streams are two incidents. One stream if missing, shape (n,).
        quiet: time without an alarm after which the next one begins an incident, above 0.
        repeat: time after which an incident that goes on begins again, above 0; never if None.

    Raises:
        ValueError: if the arrays do not fit each other or hold no times.

    Examples:
        >>> import numpy as np
        >>> incidents([0, 300, 600, 1500]).tolist()  # 900 s of quiet lie before the last
        [True, False, False, True]
        >>> int(incidents(np.arange(0, 86_400, 60)).sum())  # an alarm every minute of a day is an incident an hour
        24
    """
    (moment,), unit = checked.ticks(time=time)
    order, stream = _in_order(moment, streams)
    begun = np.zeros(len(order), np.bool_)
    again = None if repeat is None else checked.offset(checked.positive("repeat", repeat), unit)
    silence = checked.offset(checked.positive("quiet", quiet), unit)
    begun[order] = begins(moment[order], stream[order], silence, again)
    return begun


def begins(time: npt.NDArray[Any], streams: npt.NDArray[Any], quiet: float, repeat: float | None) -> Mask:
    """Return which alarms begin an incident, given time and stream of each, sorted by stream, then time.

    The arrays are not checked. Whole numbers, such as ns, are compared exactly.
    """
    fresh = np.ones(len(time), np.bool_)
    fresh[1:] = (streams[1:] != streams[:-1]) | (np.diff(time) >= quiet)
    if repeat is None or not len(time):
        return fresh
    opening = np.maximum.accumulate(np.where(fresh, np.arange(len(time)), 0))
    part = (time - time[opening]) // repeat
    fresh[1:] |= part[1:] != part[:-1]
    return fresh


def suppress(time: npt.ArrayLike, streams: npt.ArrayLike | None = None, *, cooldown: float) -> Mask:
    """Return which alarms remain when each one silences its stream for a cooldown.

    The first alarm remains, then the first one at least ``cooldown`` after it, and so on. With a cooldown of 0 all remain.

    Args:
        time: time of each alarm, in s (or any unit, then ``cooldown`` is in it) or as dates, in any order, shape (n,).
        streams: name of each alarm's stream, one stream if missing, shape (n,).
        cooldown: time in which further alarms are duplicates, from 0 on.

    Raises:
        ValueError: if the arrays do not fit each other or hold no times.

    Examples:
        >>> suppress([0, 300, 600, 900, 1200], cooldown=600).tolist()
        [True, False, True, False, True]
        >>> suppress([0, 300, 600], ["pump", "fan", "pump"], cooldown=900).tolist()
        [True, True, False]
    """
    (moment,), unit = checked.ticks(time=time)
    silent = checked.offset(checked.number("cooldown", cooldown, least=0), unit)
    order, stream = _in_order(moment, streams)
    remains = np.zeros(len(order), np.bool_)
    edges = np.flatnonzero(np.diff(stream[order])) + 1
    for rows in np.split(order, edges):
        sorted_time, at = moment[rows], 0
        while at < len(rows):
            remains[rows[at]] = True
            at = max(at + 1, int(np.searchsorted(sorted_time, sorted_time[at] + silent)))
    return remains


def _in_order(time: npt.NDArray[Any], streams: npt.ArrayLike | None) -> tuple[Rows, npt.NDArray[Any]]:
    """Return the positions of alarms sorted by stream, then time, and the code of each alarm's stream."""
    stream = np.zeros(len(time), np.int64) if streams is None else checked.codes("streams", streams)
    checked.same_length(time=time, streams=stream)
    return np.lexsort((time, stream)), stream
