"""The search for the split of one node: columns are drawn until enough that vary were looked at, and the best split is kept."""

from typing import Any

import numpy as np

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.models.growth.masses import proxy, rows_of
from coldaisle_analysis.models.growth.runs import by_counting, by_sorting

ALIKE = np.float32(1e-7)
"""Values that differ by no more are one value."""
_WORST = -np.inf
_FEW = 32
_SPARSE = 2
"""Rows are counted by number where a column has at most so many values for each row, and a few more; else they are sorted."""
_MOST = 2147483647
"""Largest random number."""
_WORD = 0xFFFFFFFF


@inner
def random_number(draws: Any) -> int:
    """Return the next number of scikit-learn's generator, a xorshift of 32 bits."""
    state = draws[2][0]
    if state == 0:
        state = 1
    state ^= (state << 13) & _WORD
    state ^= state >> 17
    state ^= (state << 5) & _WORD
    draws[2][0] = state
    return int(state & _MOST)


@inner
def _swap(numbers: Any, here: int, there: int) -> None:
    numbers[here], numbers[there] = numbers[there], numbers[here]


@inner
def best_split(
    table: Any, rows: Any, draws: Any, start: int, end: int, mass: int, known: int, settings: Any
) -> tuple[int, int]:
    """Return the column of the best split of a node, -1 where there is none, and the mass of its left child.

    The threshold is written to the buffer, and how many columns are constant now beside the state of the generator.
    """
    features, constants, state, buffer = draws
    left_over, visited, found, drawn, total = len(features), 0, 0, 0, known
    column, kept, best = -1, 0, _WORST
    while left_over > total and (visited < settings[0] or visited <= found + drawn):
        visited += 1
        place = drawn + random_number(draws) % (left_over - found - drawn)
        if place < known:
            _swap(features, drawn, place)
            drawn += 1
            continue
        place += found
        feature = features[place]
        varies, value, left, threshold = _best_of(table, rows, start, end, feature, mass, settings[1])
        if not varies:
            _swap(features, place, total)
            found += 1
            total += 1
            continue
        left_over -= 1
        _swap(features, left_over, place)
        if value > best:
            best, column, kept, buffer[0] = value, feature, left, threshold
    _remember(features, constants, known, found)
    state[1] = total
    return column, kept


@inner
def random_split(
    table: Any, rows: Any, draws: Any, start: int, end: int, mass: int, known: int, settings: Any
) -> tuple[int, int]:
    """Return what :func:`best_split` does, of one drawn threshold for each column."""
    features, constants, state, buffer = draws
    left_over, visited, found, drawn, total = len(features), 0, 0, 0, known
    column, kept, best = -1, 0, _WORST
    while left_over > total and (visited < settings[0] or visited <= found + drawn):
        visited += 1
        place = drawn + random_number(draws) % (left_over - found - drawn)
        if place < known:
            _swap(features, drawn, place)
            drawn += 1
            continue
        place += found
        feature = features[place]
        low, high = _gathered(table[3], rows, start, end, feature)
        if high <= np.float32(low + ALIKE):
            _swap(features, place, total)
            found += 1
            total += 1
            continue
        left_over -= 1
        _swap(features, left_over, place)
        threshold = (np.float64(high) - np.float64(low)) * float(random_number(draws)) / float(
            _MOST
        ) + np.float64(low)
        if threshold == np.float64(high):
            threshold = np.float64(low)
        left = _below(rows, start, end, threshold)
        if rows_of(left) < settings[1] or rows_of(mass - left) < settings[1]:
            continue
        value = proxy(left, mass)
        if value > best:
            best, column, kept, buffer[0] = value, feature, left, threshold
    _remember(features, constants, known, found)
    state[1] = total
    return column, kept


@inner
def _remember(features: Any, constants: Any, known: int, found: int) -> None:
    """Put back the columns that were known to be constant, in their old order, and note those that were found."""
    for at in range(known):
        features[at] = constants[at]
    for at in range(known, known + found):
        constants[at] = features[at]


@inner
def _best_of(
    table: Any, rows: Any, start: int, end: int, feature: int, mass: int, least: int
) -> tuple[bool, float, int, float]:
    """Return whether a column varies in a node, the proxy of its best split, the mass of the left child, and the threshold."""
    values, offset = table[1], table[2][feature]
    distinct = table[2][feature + 1] - offset
    if distinct <= _SPARSE * (end - start) + _FEW:
        runs = by_counting(table[0], rows, start, end, feature, distinct)
    else:
        runs = by_sorting(table[0], rows, start, end, feature)
    numbers, sums = rows[3], rows[4]
    if values[offset + numbers[runs - 1]] <= np.float32(values[offset + numbers[0]] + ALIKE):
        return False, _WORST, 0, 0.0
    left, best, kept, threshold = 0, _WORST, 0, 0.0
    for at in range(runs - 1):
        left += sums[at]
        here, following = values[offset + numbers[at]], values[offset + numbers[at + 1]]
        if following <= np.float32(here + ALIKE) or rows_of(left) < least or rows_of(mass - left) < least:
            continue
        value = proxy(left, mass)
        if value > best:
            best, kept, threshold = value, left, np.float64(here) / 2.0 + np.float64(following) / 2.0
    return True, best, kept, threshold


@inner
def _gathered(values: Any, rows: Any, start: int, end: int, feature: int) -> tuple[Any, Any]:
    """Copy the values of a node's rows to the buffer, and return the smallest and the largest."""
    positions, copied = rows[0], rows[2]
    low = high = values[feature, positions[start]]
    for at in range(start, end):
        value = values[feature, positions[at]]
        copied[at] = value
        low, high = min(low, value), max(high, value)
    return low, high


@inner
def _below(rows: Any, start: int, end: int, threshold: float) -> int:
    """Return the mass of the rows whose value in the buffer is at most a threshold."""
    masses, copied, left = rows[1], rows[2], 0
    for at in range(start, end):
        left += masses[at] if np.float64(copied[at]) <= threshold else 0
    return left


@inner
def partition(
    table: Any, rows: Any, start: int, end: int, feature: int, threshold: float, drawn: int
) -> None:
    """Move the rows of a node that go to the left child to its beginning."""
    positions, masses = rows[0], rows[1]
    numbers, values, offset = table[0], table[1], table[2][feature]
    low, high = start, end
    while low < high:
        row = positions[low]
        value = table[3][feature, row] if drawn else values[offset + np.int64(numbers[feature, row])]
        if np.float64(value) <= threshold:
            low += 1
        else:
            high -= 1
            _swap(positions, low, high)
            _swap(masses, low, high)
