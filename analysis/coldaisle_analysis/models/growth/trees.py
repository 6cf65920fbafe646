"""Values of columns by number, and trees grown from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.tree._tree import NODE_DTYPE, Tree

from coldaisle_analysis.models.growth import kernels
from coldaisle_analysis.models.growth.masses import BITS

MOST_ROWS = (1 << BITS) - 1
"""Most rows of a tree, and most weight of them."""
MOST_VALUES = 1 << 16
"""Most different values of a column."""
_SPARE = 256
"""Entries of a buffer behind those of the rows."""


class Settings(NamedTuple):
    """How a tree is grown, in scikit-learn's words.

    Attributes:
        max_features: how many columns are drawn for each node.
        min_samples_leaf: least number of rows of a leaf.
        min_samples_split: least number of rows of a node that is split.
        max_depth: largest depth.
        random: whether thresholds are drawn.
    """

    max_features: int
    min_samples_leaf: int
    min_samples_split: int
    max_depth: int
    random: bool


@dataclass(frozen=True)
class Table:
    """Training rows column by column; what the values of a column are numbered for is computed when it is first asked for.

    Attributes:
        rows: shape (rows, columns), nothing missing.
    """

    rows: npt.NDArray[np.float32]

    @cached_property
    def columns(self) -> npt.NDArray[np.float32]:
        """The values, shape (columns, rows)."""
        return np.ascontiguousarray(self.rows.T)

    @cached_property
    def numbered(
        self,
    ) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32], npt.NDArray[np.int64]] | None:
        """The number of each value, the values by number, and where each column begins among them; None with more than :data:`MOST_VALUES`."""
        numbers, values = np.empty(self.columns.shape, np.uint16), []
        for at, column in enumerate(self.columns):
            order = np.argsort(column)
            ascending = column[order]
            first = np.append(True, ascending[1:] != ascending[:-1])
            if first.sum() > MOST_VALUES:
                return None
            numbers[at, order] = np.cumsum(first) - 1
            values.append(ascending[first])
        begins = np.append(0, np.cumsum([len(distinct) for distinct in values])).astype(np.int64)
        return numbers, np.concatenate(values), begins

    def arrays(self, *, random: bool) -> tuple[Any, ...] | None:
        """Return what :func:`kernels.load` takes; None where it cannot grow a tree."""
        if random:
            empty = np.zeros(1, np.int64)
            return np.zeros((1, 1), np.uint16), np.zeros(1, np.float32), empty, self.columns
        return (*self.numbered, np.zeros((1, 1), np.float32)) if self.numbered else None


def grow(
    table: tuple[Any, ...],
    labels: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    state: int,
    settings: Settings,
) -> Tree:
    """Return the tree that scikit-learn grows from the same rows.

    Args:
        table: see :meth:`Table.arrays`.
        labels: 0 or 1, shape (rows,).
        weights: whole numbers, shape (rows,); rows without weight are left out.
        state: first state of the generator that columns and thresholds are drawn with.
        settings: how to grow it.
    """
    columns = len(table[3] if settings.random else table[0])
    positions = np.flatnonzero(weights).astype(np.uint64)  # without a sign, no compiled look-up asks for it
    weight = weights[positions].astype(np.int64)
    masses = (1 << (2 * BITS)) | (weight << BITS) | (weight * (labels[positions] == 1))
    size = len(positions)
    room = max(size, int(np.diff(table[2]).max(initial=0))) + _SPARE
    rows = (positions, masses, np.empty(size, np.float32), np.empty(room, np.int64), np.empty(room, np.int64))
    draws = np.arange(columns), np.zeros(columns, np.int64), np.array([state, 0]), np.zeros(1)
    most = 2 * (size // settings.min_samples_leaf) + 1
    stack = np.zeros((size + 2, 6), np.int64)
    stack[0, kernels.END] = size
    whole, real = np.empty((most, 5), np.int64), np.empty((most, 5))
    given = np.array(settings, np.int64)
    count, depth = kernels.load()(table, rows, draws, (whole, real, stack, np.zeros(len(stack))), given)
    return _tree(whole[:count], real[:count], columns, depth)


def _tree(whole: npt.NDArray[np.int64], real: npt.NDArray[np.float64], columns: int, depth: int) -> Tree:
    """Return nodes as a tree of scikit-learn."""
    nodes = np.zeros(len(whole), NODE_DTYPE)
    places = {
        "left_child": whole[:, kernels.LEFT], "right_child": whole[:, kernels.RIGHT], "feature": whole[:, kernels.COLUMN],
        "threshold": real[:, kernels.THRESHOLD], "impurity": real[:, kernels.IMPURITY], "n_node_samples": whole[:, kernels.ROWS],
        "weighted_n_node_samples": real[:, kernels.WEIGHT], "missing_go_to_left": whole[:, kernels.MORE_LEFT],
    }  # fmt: skip
    for name, numbers in places.items():
        nodes[name] = numbers
    values = np.ascontiguousarray(real[:, [kernels.CLEAN, kernels.ATTACK]]).reshape(-1, 1, 2)
    tree = Tree(columns, np.array([2], np.intp), 1)
    tree.__setstate__({"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values})
    return tree
