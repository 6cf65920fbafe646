"""How far a row lies outside what is usual, and from there to a score in [0, 1)."""

from collections.abc import Sequence

import numpy as np

from coldaisle_analysis.arrays import Floats


def limit(column: Floats, share: float) -> tuple[float, float]:
    """Return the middle of a column and how far above it the limit lies that this share of its known values keeps.

    A column that hardly varies has its limit 1 above its middle, an empty one at 1.
    """
    known = column[~np.isnan(column)]
    if not len(known):
        return 0.0, 1.0
    middle, top = np.quantile(known, [0.5, share])
    return float(middle), float(top - middle) if top > middle else 1.0


def farthest(columns: Sequence[Floats], limits: Sequence[tuple[float, float]]) -> Floats:
    """Return the largest excess of each row, at least 0; 1 is a column at its limit, and missing values keep theirs."""
    worst = np.zeros(len(columns[0]) if columns else 0)
    for column, (middle, room) in zip(columns, limits, strict=True):
        worst = np.fmax(worst, (column - middle) / room)
    return worst


def as_probability(excess: Floats) -> Floats:
    """Return both columns of ``predict_proba`` for an excess ≥ 0: excess/(1 + excess), one half at an excess of 1."""
    above = np.maximum(excess, 0.0)
    score = above / (1.0 + above)
    return np.column_stack([1.0 - score, score])
