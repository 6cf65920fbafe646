"""What publishers report: the value of each PUBLISH and the name of its series, for a whole capture or for frames as they come."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from typing import NamedTuple

import numpy as np

from coldaisle_analysis.arrays import Floats, Ints, Rows
from coldaisle_analysis.series.names import series_name
from coldaisle_analysis.series.payloads import Form, Payloads
from coldaisle_contracts.clock import DAY, SECOND

_TICKS = (1, 1_000, 1_000_000, SECOND)
"""Lengths in ns of the units in which payloads give times since the epoch."""
_NEAR = 366 * DAY
"""A field within this of the time of its frame, in ns, is a time and no measurement."""


class Published(NamedTuple):
    """The first PUBLISH of each frame in which a publisher sends one, in order of time.

    Attributes:
        row: position of its frame.
        series: name of its series, see :func:`series_name`.
        host: source address of its frame.
        time_ns: time of its frame, in ns since the epoch.
        value: its value, the first of the chosen ones; missing where it has none.
    """

    row: Rows
    series: list[str]
    host: list[str]
    time_ns: Ints
    value: Floats


class Sent(NamedTuple):
    """PUBLISH messages that publishers send, in order of time.

    Attributes:
        row: positions of their frames.
        publisher: names of their publishers, see :func:`publisher`.
        host: source addresses of their frames.
        time_ns: times of their frames, in ns since the epoch.
        topic: their topics.
        payload: their payloads.
        msgid: their message ids, 0 for none.
    """

    row: Rows
    publisher: Sequence[str]
    host: list[str]
    time_ns: Ints
    topic: Iterable[str]
    payload: Iterable[bytes]
    msgid: Iterable[int] = ()


class Reader:
    """Reads the values in messages.

    Args:
        chosen: patterns, such as ``*#temperature``, of the names of series to read; without any, all are read.

    Attributes:
        forms: number of messages by form of their payload.
    """

    def __init__(self, chosen: Sequence[str] = ()) -> None:
        self.forms: Counter[Form] = Counter()
        self._payloads = Payloads()
        self._chosen = re.compile("|".join(map(translate, chosen))) if chosen else None

    def values(self, sent: Sent) -> Iterator[list[tuple[str, float]]]:
        """Yield name and value of the chosen series in each message; a missing value under the name of its topic where there is none."""
        columns = zip(sent.publisher, sent.topic, sent.payload, sent.time_ns.tolist(), strict=True)
        for publisher, topic, payload, time_ns in columns:
            form, numbers, topic_of_series = self._payloads.read(topic, payload)
            self.forms[form] += 1
            values = [
                (series_name(publisher, topic_of_series, field), value)
                for field, value in numbers
                if not (field and _is_time(value, time_ns))
            ]
            if self._chosen:
                values = [pair for pair in values if self._chosen.fullmatch(pair[0])]
            yield values or [(series_name(publisher, topic_of_series, ""), np.nan)]

    def first(self, sent: Sent) -> Published:
        """Return the first value of each message."""
        first = [values[0] for values in self.values(sent)]
        value = np.array([value for _, value in first], np.float64)
        return Published(sent.row, [name for name, _ in first], sent.host, sent.time_ns, value)


def _is_time(value: float, time_ns: int) -> bool:
    return any(abs(value * tick - time_ns) < _NEAR for tick in _TICKS)
