"""An outlier detector with a robust covariance, along the directions in which rows vary.

scikit-learn's EllipticEnvelope fails on rows that repeat or whose columns depend on each other, as rows of both levels do. So only
a few principal components are used, a little noise makes repeated rows differ, and the covariance is estimated from a draw of the rows.

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
"""Largest number of principal components that are used."""
DRAWN = 300
"""Number of rows that the covariance is estimated from; with more, FAST-MCD takes a second instead of a tenth of one."""
ROWS_EACH = 5
"""Rows that are needed for each principal component."""
WITHIN = 0.9
"""Share of the drawn rows that location and covariance are estimated from."""
FEW = 20
"""If there are no more rows than this, none is left out."""
NOISE = 0.01
"""Standard deviation of the noise that makes repeated rows differ; that of the columns is 1."""


class RobustCovariance(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An outlier detector: the Mahalanobis distance with robust estimates of location and covariance.

    Args:
        seed: seed of the draw, the noise and the estimation.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: Floats, _labels: object = None) -> Self:
        """Fit to rows that are scaled and have no missing values, shape (rows, columns); labels are not read."""
        rng = np.random.default_rng(self.seed)
        rows, columns = features.shape
        directions = max(min(DIRECTIONS, columns, rows // ROWS_EACH), 1)
        self.directions_ = PCA(directions, svd_solver="full").fit(features)
        drawn = rng.choice(rows, min(rows, DRAWN), replace=False)
        components = self.directions_.transform(features[drawn])
        components += NOISE * rng.standard_normal(components.shape)
        within = WITHIN if len(components) > FEW else 1.0
        estimate = MinCovDet(support_fraction=within, random_state=self.seed).fit(components)
        self.middle_, self.precision_ = estimate.location_, estimate.precision_
        return self

    def decision_function(self, features: Floats) -> Floats:
        """Return the negative distance of each row; larger is more usual, shape (rows,)."""
        off = self.directions_.transform(features) - self.middle_
        squared = np.einsum("ri,ij,rj->r", off, self.precision_, off, optimize=True)
        return np.asarray(-np.sqrt(np.maximum(squared, 0.0)), np.float64)
