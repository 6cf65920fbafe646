"""From how far a row lies outside to a score in [0, 1)."""

import numpy as np

from coldaisle_analysis.models.model import Matrix


def as_probability(excess: Matrix) -> Matrix:
    """Return both columns of ``predict_proba`` for an excess ≥ 0: excess/(1 + excess), one half at an excess of 1."""
    above = np.maximum(excess, 0.0)
    score = above / (1.0 + above)
    return np.column_stack([1.0 - score, score])
