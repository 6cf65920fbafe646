"""The compiled loop that grows a tree.

References:
    scikit-learn 1.9, ``sklearn/tree``: ``_tree.pyx`` (DepthFirstTreeBuilder), ``_splitter.pyx`` (the order in which columns are drawn,
    what counts as constant) and ``_criterion.pyx`` (Gini). Nothing here draws another random number than these do.
"""

from functools import cache
from typing import Any, Protocol

import numpy as np

from coldaisle_analysis.compiled import entry, inner
from coldaisle_analysis.models.growth.masses import attacks_of, gini, rows_of, weight_of
from coldaisle_analysis.models.growth.splits import best_split, partition, random_split

_EPSILON = 2.220446049250313e-16
"""Impurities and improvements that are no larger count as none."""
START, END, DEPTH, PARENT, SIDE, CONSTANT = range(6)
"""Numbers of an entry of the stack: range of rows, depth, parent, which child it is, and how many columns are known to be constant."""
LEFT, RIGHT, COLUMN, ROWS, MORE_LEFT = range(5)
THRESHOLD, IMPURITY, WEIGHT, CLEAN, ATTACK = range(5)
"""Numbers of a node: whole ones, and those with a fraction."""
FEATURES, LEAST, FEWEST, DEEPEST, RANDOM = range(5)
"""Settings: columns drawn, least rows of a leaf and of a node that is split, largest depth, whether thresholds are drawn."""


class Grow(Protocol):
    """Type of :func:`_grow`."""

    def __call__(
        self,
        table: tuple[Any, ...],
        rows: tuple[Any, ...],
        draws: tuple[Any, ...],
        nodes: tuple[Any, ...],
        settings: Any,
    ) -> tuple[int, int]:
        """See :func:`_grow`."""


@cache
def load() -> Grow:
    """Return the compiled function; only the first call on a machine compiles it."""
    whole, part, real = np.zeros(1, np.int64), np.zeros(1, np.float32), np.zeros(1, np.float64)
    grid, reals = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.float64)
    table = (np.zeros((1, 1), np.uint16), part, whole, np.zeros((1, 1), np.float32))
    return entry(
        _grow,
        2,
        table,
        (np.zeros(1, np.uint64), whole, part, whole, whole),
        (whole, whole, whole, real),
        (grid, reals, grid, real),
        whole,
    )


def _grow(table: Any, rows: Any, draws: Any, nodes: Any, settings: Any) -> tuple[int, int]:
    """Grow a tree and return how many nodes it has, and how deep it is.

    Args:
        table: numbers of the values, shape (columns, rows); the values by number, all columns one behind the other; where each
            column begins among them, shape (columns + 1,); the values, shape (columns, rows). A tree with drawn thresholds reads only
            the last, others only the first three.
        rows: the rows to learn from, and the mass of each; two buffers for one value and one number of each, and one for the mass.
        draws: the columns in the order of drawing, those known to be constant, the state of the generator, and a buffer.
        nodes: whole and other numbers of each node, the stack, and the impurity of each entry of the stack.
        settings: see :data:`FEATURES`.
    """
    whole, real, stack, impurities = nodes
    entire, count, depth, deepest = _mass(rows, 0, stack[0, END]), 0, 1, 0
    while depth > 0:
        depth -= 1
        start, end, level = stack[depth, START], stack[depth, END], stack[depth, DEPTH]
        mass, node, size = _mass(rows, start, end), count, end - start
        impurity = impurities[depth] if node else gini(mass)
        if node:
            whole[stack[depth, PARENT], stack[depth, SIDE]] = node
        count, deepest = count + 1, max(deepest, level)
        _describe(whole, real, node, mass, impurity)
        small = size < settings[FEWEST] or size < 2 * settings[LEAST]
        if small or level >= settings[DEEPEST] or impurity <= _EPSILON:
            continue
        constant = stack[depth, CONSTANT]
        if settings[RANDOM]:
            column, left = random_split(table, rows, draws, start, end, mass, constant, settings)
        else:
            column, left = best_split(table, rows, draws, start, end, mass, constant, settings)
        if column < 0 or _improvement(left, mass, entire, impurity) + _EPSILON < 0.0:
            continue
        middle = start + rows_of(left)
        partition(table, rows, start, end, column, draws[3][0], settings[RANDOM])
        whole[node, COLUMN], real[node, THRESHOLD] = column, draws[3][0]
        whole[node, MORE_LEFT] = 2 * rows_of(left) > size
        _push(stack, impurities, depth, middle, end, level + 1, node, RIGHT, draws[2][1], gini(mass - left))
        _push(stack, impurities, depth + 1, start, middle, level + 1, node, LEFT, draws[2][1], gini(left))
        depth += 2
    return count, deepest


@inner
def _mass(rows: Any, start: int, end: int) -> int:
    """Return the mass of a node's rows."""
    masses, mass = rows[1], 0
    for at in range(start, end):
        mass += masses[at]
    return mass


@inner
def _describe(whole: Any, real: Any, node: int, mass: int, impurity: float) -> None:
    """Write down a node as a leaf."""
    whole[node, LEFT] = whole[node, RIGHT] = -1
    whole[node, COLUMN], whole[node, ROWS], whole[node, MORE_LEFT] = -2, rows_of(mass), 0
    weight, attacks = float(weight_of(mass)), float(attacks_of(mass))
    real[node, THRESHOLD], real[node, IMPURITY], real[node, WEIGHT] = -2.0, impurity, weight
    real[node, CLEAN], real[node, ATTACK] = (weight - attacks) / weight, attacks / weight


@inner
def _improvement(left: int, mass: int, entire: int, impurity: float) -> float:
    """Return how much smaller the impurity of the whole tree is after a split."""
    right, weight = mass - left, float(weight_of(mass))
    return (weight / float(weight_of(entire))) * (
        impurity
        - (float(weight_of(right)) / weight * gini(right))
        - (float(weight_of(left)) / weight * gini(left))
    )


@inner
def _push(
    stack: Any,
    impurities: Any,
    at: int,
    start: int,
    end: int,
    level: int,
    parent: int,
    side: int,
    constant: int,
    impurity: float,
) -> None:
    """Put a child on the stack."""
    stack[at, START], stack[at, END], stack[at, DEPTH] = start, end, level
    stack[at, PARENT], stack[at, SIDE], stack[at, CONSTANT] = parent, side, constant
    impurities[at] = impurity
