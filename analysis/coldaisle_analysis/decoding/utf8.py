"""Payloads as text: invalid UTF-8 becomes U+FFFD, exactly as in Python's ``bytes.decode("utf-8", "replace")``."""

from coldaisle_analysis.arrays import Bytes
from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.fields import u8

_REPLACEMENT = (0xEF, 0xBF, 0xBD)


@inner
def copy(data: Bytes, at: int, end: int, out: Bytes, to: int) -> int:
    """Copy bytes as UTF-8 text and return the end of the text.

    Args:
        data: the array of the bytes.
        at: offset of the first byte.
        end: offset behind the last byte.
        out: the array for the text, with room for three times the bytes.
        to: offset of the text.
    """
    every = 0
    for index in range(at, end):
        every |= u8(data, index)
    if every < 0x80:  # the usual case: ASCII
        for index in range(end - at):
            out[to + index] = data[at + index]
        return to + end - at
    while at < end:
        if data[at] < 0x80:
            out[to] = data[at]
            at, to = at + 1, to + 1
            continue
        size = sequence(data, at, end)
        if size > 0:
            for index in range(size):
                out[to + index] = data[at + index]
            at, to = at + size, to + size
        else:
            for index in range(3):
                out[to + index] = _REPLACEMENT[index]
            at, to = at - size, to + 3
    return to


@inner
def sequence(data: Bytes, at: int, end: int) -> int:
    """Return the length of the sequence that starts here; for an invalid one, minus the length of its valid beginning.

    The ranges are those of Unicode 16, table 3-7, where that beginning is called the "maximal subpart".
    """
    lead = u8(data, at)
    if lead < 0xC2 or lead > 0xF4:
        return -1
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    least = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    most = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    for index in range(1, size):
        if at + index == end or not least <= u8(data, at + index) <= most:
            return -index
        least, most = 0x80, 0xBF
    return size
