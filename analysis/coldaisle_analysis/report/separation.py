"""Separation of each kind of traffic from normal traffic by single columns: AUC and mutual information."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats

NORMAL, PASSED = "normal", "passed through"
BINS = 20


def separation(level: columns.Level, frame: pd.DataFrame, kind: pd.Series) -> pd.DataFrame:
    """Return how well each column alone separates each kind from normal traffic, by AUC and by mutual information.

    ``auc`` is the probability that a row of the kind has a larger value than a normal row (0.5: no separation; 0
    and 1: complete separation); a missing value counts as smaller than any other. ``information`` is the mutual information,
    in bits, of the column in twenty quantile bins (one more for missing values) and of the class, kind or normal.
    """
    normal = (kind == NORMAL).to_numpy()
    kinds = {
        name: np.flatnonzero(kind == name) for name in sorted(kind.unique()) if name not in (NORMAL, PASSED)
    }
    rows = []
    for column in columns.features(level):
        values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
        below = np.nanmin(values, initial=0.0) - 1.0
        ranked, binned = np.where(np.isnan(values), below, values), _binned(values)
        floor, usual = np.sort(ranked[normal]), np.bincount(binned[normal], minlength=BINS + 1)
        for name, places in kinds.items():
            information, entropy = _information(usual, np.bincount(binned[places], minlength=BINS + 1))
            rows.append({
                "level": level, "column": column, "kind": name, "rows": len(places),
                "auc": auc(floor, ranked[places]), "information": information,
                "explained": information / entropy if entropy > 0 else 0.0,
            })  # fmt: skip
    names = ["level", "column", "kind", "rows", "auc", "information", "explained"]
    return pd.DataFrame(rows, columns=names)


def auc(sorted_normal: Floats, values: Floats) -> float:
    """Return the area under the ROC curve of one column: P(value > normal) + P(equal)/2."""
    if not len(sorted_normal) or not len(values):
        return float("nan")
    low, high = (np.searchsorted(sorted_normal, values, side=side) for side in ("left", "right"))
    return float((low + high).mean() / 2 / len(sorted_normal))


def _binned(values: Floats) -> npt.NDArray[np.intp]:
    """Return the quantile bin of each value; missing values have the last one."""
    present = values[~np.isnan(values)]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(present, inner)) if present.size else np.zeros(0)
    return np.where(np.isnan(values), BINS, np.searchsorted(edges, values, side="left"))


def _information(normal: npt.NDArray[np.intp], kind: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Return the mutual information of bin and class and the entropy of the class, in bits, from the rows in each bin."""
    joint = np.stack([normal, kind]).astype(np.float64)
    joint /= max(joint.sum(), 1.0)
    class_, bin_ = joint.sum(axis=1), joint.sum(axis=0)
    expected = np.outer(class_, bin_)
    filled = joint > 0
    information = float((joint[filled] * np.log2(joint[filled] / expected[filled])).sum())
    return max(information, 0.0), float(sum(_bits(share) for share in class_))


def _bits(share: float) -> float:
    return -share * float(np.log2(share)) if share > 0 else 0.0


def best_columns(table: pd.DataFrame, level: str, most: int) -> list[str]:
    """Return the columns that separate some kind best: the best column of every kind, then the second."""
    rows = table[table["level"] == level]
    place = rows.groupby("kind")["explained"].rank(ascending=False, method="first")
    ranked = rows.assign(place=place).sort_values(["place", "explained"], ascending=[True, False])
    return list(ranked["column"].drop_duplicates().head(most))
