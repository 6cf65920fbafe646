"""Properties of MQTT 5 (OASIS 2019, 2.2.2)."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import u8, u16

ASSIGNED_CLIENT, TOPIC_ALIAS = 18, 35
"""Numbers of the properties that are read."""
ABSENT, WRONG = -1, -2
"""Results of a search: no such property; and properties that do not exist, or that their length cuts off."""
_MORE = 128
_NUMBER, _PAIR = 11, 38
_ONE, _TWO, _FOUR = (1, 23, 25, 36, 37, 40, 41, 42), (19, 33, 34, 35), (2, 17, 24, 39)
_TEXTS = (3, 8, 9, 18, 21, 22, 26, 28, 31)
"""Numbers of the properties by the form of their values: a number of variable length, two texts, 1, 2 or 4 bytes, and a text or
bytes behind their length (table 2-4)."""


@inner
def find(data: Bytes, at: int, end: int, wanted: int) -> int:
    """Return the offset of a property's value among the properties in [at, end), or else :data:`ABSENT` or :data:`WRONG`."""
    value_at = ABSENT
    while at < end:
        number = u8(data, at)
        at += 1
        if number == wanted:
            value_at = at
        at = _behind(data, number, at, end)
        if at < 0 or at > end:
            return WRONG
    return value_at


@inner
def _behind(data: Bytes, number: int, at: int, end: int) -> int:
    """Return the offset behind a property's value, -1 when there is no such property."""
    if number in _ONE:
        return at + 1
    if number in _TWO:
        return at + 2
    if number in _FOUR:
        return at + 4
    if number == _NUMBER:
        while at < end and u8(data, at) >= _MORE:
            at += 1
        return at + 1
    if number not in _TEXTS and number != _PAIR:
        return -1
    for _ in range(2 if number == _PAIR else 1):
        if at + 2 > end:
            return -1
        at += 2 + u16(data, at)
    return at


@inner
def extent(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where properties start and end whose length stands at an offset; -1 when the length is invalid or goes past the end."""
    length = 0
    for place in range(4):
        if at + place >= end:
            break
        byte = u8(data, at + place)
        length |= (byte & 127) << 7 * place
        if byte < _MORE:
            start = at + place + 1
            return start, start + length if start + length <= end else -1
    return at, -1
