"""Rows that the twin does not have: they are there only because of an episode, so there is no row to compare them with.

Where rows of a sort neither come nor go between two clean plays, a row too many is a trace by itself, whatever its columns say. Rows of
some sorts do come and go: bare acknowledgements, and the ARP frames with which kernels renew addresses. Such a row leaves a trace if a
column of it has a value that no row of its sort takes in clean plays.
"""

from dataclasses import dataclass, field

import numpy as np

from coldaisle_analysis.arrays import Floats, Mask, Texts
from coldaisle_analysis.twins.yardstick import ALPHA


@dataclass
class Stock:
    """The rows of clean plays, by their sort.

    Attributes:
        rows: number of rows.
        lonely: number of those among them that the other clean play does not have.
        low: least value of each column, shape (columns,).
        high: greatest value of each column, shape (columns,).
    """

    rows: dict[str, int] = field(default_factory=dict)
    lonely: dict[str, int] = field(default_factory=dict)
    low: dict[str, Floats] = field(default_factory=dict)
    high: dict[str, Floats] = field(default_factory=dict)

    def add(self, sort: Texts, columns: Floats, lonely: Mask) -> None:
        """Add the rows of a clean play.

        Args:
            sort: sort of each row.
            columns: its columns, shape (rows, columns).
            lonely: which rows the other clean play does not have.
        """
        for name in sorted(set(sort.tolist())):
            here = sort == name
            low, high = np.fmin.reduce(columns[here]), np.fmax.reduce(columns[here])
            self.rows[name] = self.rows.get(name, 0) + int(here.sum())
            self.lonely[name] = self.lonely.get(name, 0) + int((here & lonely).sum())
            self.low[name] = np.fmin(self.low[name], low) if name in self.low else low
            self.high[name] = np.fmax(self.high[name], high) if name in self.high else high

    def comes_and_goes(self, sort: str) -> bool:
        """Tell whether clean plays differ in more rows of a sort than the share :data:`ALPHA` of them."""
        return self.lonely.get(sort, 0) > ALPHA * self.rows.get(sort, 0)

    def strange(self, sort: Texts, columns: Floats) -> tuple[Mask, Mask]:
        """Judge rows that a twin does not have.

        Args:
            sort: sort of each row.
            columns: its columns, shape (rows, columns).

        Returns:
            Which rows leave a trace, shape (rows,), and which of their columns have a value that no row of their sort takes in clean
            plays, shape (rows, columns). A missing value is not one.
        """
        names = sort.tolist()
        beyond = np.zeros(columns.shape, np.bool_)
        for name in set(names) & self.rows.keys():
            here = sort == name
            inside = (columns[here] >= self.low[name]) & (columns[here] <= self.high[name])
            beyond[here] = ~inside & ~np.isnan(columns[here])
        too_many = np.array([not self.comes_and_goes(name) for name in names], np.bool_)
        return too_many | beyond.any(axis=1), beyond
