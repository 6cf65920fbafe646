"""How far a row lies from the middle of most rows, seen along the directions in which rows differ at all.

scikit-learn's EllipticEnvelope fails on rows that repeat or whose columns depend on each other, as rows of both levels do. So few
directions are looked along, a little noise keeps repeated rows apart, and the covariance is searched for in a draw of the rows.

References:
    P. J. Rousseeuw, K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator, Technometrics 41 (1999).
"""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA

from coldaisle_analysis.arrays import Floats

DIRECTIONS = 10
"""Principal components that are looked along at most."""
DRAWN = 300
"""Rows the covariance is searched for in; of more, FAST-MCD needs a second for what it finds here in a tenth of one."""
ROWS_EACH = 5
"""Rows there must be for each direction that is looked along."""
WITHIN = 0.9
"""Share of the drawn rows that middle and covariance are those of."""
FEW = 20
"""Rows of which none is left out."""
NOISE = 0.01
"""Standard deviation of the noise that keeps repeated rows apart, where columns have one of 1."""


class RobustCovariance(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An outlier detector: Mahalanobis' distance with a middle and a covariance that outliers hardly move.

    Args:
        seed: of the draw, the noise and the search.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Learn from rows alone, scaled and none missing, shape (rows, columns); labels are not looked at."""
        rng = np.random.default_rng(self.seed)
        rows, columns = features.shape
        directions = max(min(DIRECTIONS, columns, rows // ROWS_EACH), 1)
        self.directions_ = PCA(directions, svd_solver="full").fit(features)
        drawn = rng.choice(rows, min(rows, DRAWN), replace=False)
        seen = self.directions_.transform(features[drawn])
        seen += NOISE * rng.standard_normal(seen.shape)
        within = WITHIN if len(seen) > FEW else 1.0
        found = MinCovDet(support_fraction=within, random_state=self.seed).fit(seen)
        self.middle_, self.precision_ = found.location_, found.precision_
        return self

    def decision_function(self, features: Floats) -> Floats:
        """Return the distance of each row, negative: larger is more usual, shape (rows,)."""
        off = self.directions_.transform(features) - self.middle_
        squared = np.einsum("ri,ij,rj->r", off, self.precision_, off, optimize=True)
        return np.asarray(-np.sqrt(np.maximum(squared, 0.0)), np.float64)
