"""The rows of a node by the number of their value in one column: by counting where values are few, else by sorting."""

from typing import Any

import numpy as np

from coldaisle_analysis.compiled import inner

_SHORT = 40
"""So many rows are sorted by insertion."""
_DIGIT = 256


@inner
def by_counting(numbers: Any, rows: Any, start: int, end: int, feature: int, distinct: int) -> int:
    """Write the numbers that rows of a node have in a column, ascending, and the mass of the rows with each; return how many there are."""
    positions, masses, found, sums = rows[0], rows[1], rows[3], rows[4]
    for number in range(distinct):
        sums[number] = 0
    for at in range(start, end):
        sums[np.uint64(numbers[feature, positions[at]])] += masses[at]
    runs = 0
    for number in range(distinct):
        if sums[number] != 0:
            mass = sums[number]
            found[runs], sums[runs] = number, mass
            runs += 1
    return runs


@inner
def by_sorting(numbers: Any, rows: Any, start: int, end: int, feature: int) -> int:
    """Write the same as :func:`by_counting`."""
    positions, masses, found, sums = rows[0], rows[1], rows[3], rows[4]
    size = end - start
    for at in range(size):
        found[at] = np.int64(numbers[feature, positions[start + at]]) << 32 | at
    if size <= _SHORT:
        _insert(found, size)
    else:
        _radix(found, sums, size, 32)
        _radix(found, sums, size, 40)
    for at in range(size):
        sums[at] = masses[start + (found[at] & 0xFFFFFFFF)]
    runs = 0
    for at in range(size):
        number, mass = found[at] >> 32, sums[at]
        if runs > 0 and found[runs - 1] == number:
            sums[runs - 1] += mass
        else:
            found[runs], sums[runs] = number, mass
            runs += 1
    return runs


@inner
def _insert(keys: Any, size: int) -> None:
    for at in range(1, size):
        key, place = keys[at], at
        while place > 0 and keys[place - 1] > key:
            keys[place] = keys[place - 1]
            place -= 1
        keys[place] = key


@inner
def _radix(keys: Any, spare: Any, size: int, shift: int) -> None:
    """Sort keys by one of their bytes, equal ones in their order; the counts lie behind the keys."""
    counts = size
    for digit in range(_DIGIT):
        spare[counts + digit] = 0
    for at in range(size):
        spare[counts + ((keys[at] >> shift) & 255)] += 1
    before = 0
    for digit in range(_DIGIT):
        number = spare[counts + digit]
        spare[counts + digit] = before
        before += number
    for at in range(size):
        digit = (keys[at] >> shift) & 255
        spare[spare[counts + digit]] = keys[at]
        spare[counts + digit] += 1
    for at in range(size):
        keys[at] = spare[at]
