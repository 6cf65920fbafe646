"""The excess of a row over the limits of its columns, and the score in [0, 1) that follows from it."""

from collections.abc import Sequence

import numpy as np

from coldaisle_analysis.arrays import Floats


def limit(column: Floats, share: float) -> tuple[float, float]:
    """Return the median of a column, and how far above it this quantile of its values lies; missing values are left out.

    If the quantile equals the median, the distance is 1; an empty column has median 0 and distance 1.
    """
    present = column[~np.isnan(column)]
    if not len(present):
        return 0.0, 1.0
    middle, top = np.quantile(present, [0.5, share])
    return float(middle), float(top - middle) if top > middle else 1.0


def farthest(columns: Sequence[Floats], limits: Sequence[tuple[float, float]]) -> Floats:
    """Return the largest excess of each row, at least 0; a column at its limit has 1, and a missing value 0."""
    worst = np.zeros(len(columns[0]) if columns else 0)
    for column, (middle, room) in zip(columns, limits, strict=True):
        worst = np.fmax(worst, (column - middle) / room)
    return worst


def as_probability(excess: Floats) -> Floats:
    """Return both columns of ``predict_proba`` for an excess ≥ 0; the second is excess/(1 + excess), one half for an excess of 1."""
    above = np.maximum(excess, 0.0)
    score = above / (1.0 + above)
    return np.column_stack([1.0 - score, score])
