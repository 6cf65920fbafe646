"""Comparison of rows with rows: equal features, near neighbours, and the draws for it."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.subject import SAMPLE, Subject

NEAR = 0.01
"""Rows are nearly the same when their root mean square distance is below this share of the features' spread."""


def shared(subject: Subject, here: Mask, there: Mask) -> float:
    """Return the share of the rows ``here`` whose features equal those of some row ``there``."""
    return float(np.isin(subject.prints[here], subject.prints[there]).mean())


def per_kind(subject: Subject, rows: Ints, flagged: Mask) -> list[dict[str, object]]:
    """Return the share of flagged rows of each kind, the worst first."""
    table = pd.Series(flagged).groupby(subject.kind.to_numpy()[rows]).agg(["mean", "size"])
    table = table.sort_values("mean", ascending=False)
    return [
        {"kind": str(kind), "share": round(float(mean), 4), "rows": int(size)}
        for kind, mean, size in table.itertuples()
    ]


def neighbours(subject: Subject, count: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return drawn attack rows, and which of their nearest neighbours are attacks.

    Neighbours are searched among the drawn attacks and up to four times as many benign rows.

    Args:
        subject: the rows.
        count: neighbours of each row.

    Returns:
        The rows drawn, shape (n,); whether each neighbour is an attack, shape (n, count).
    """
    attacks, benign = _drawn(subject)
    rows = np.concatenate([attacks, benign])
    features = subject.scaled(rows)
    tree = NearestNeighbors(n_neighbors=min(count + 1, len(rows)), algorithm="brute").fit(features)
    near = tree.kneighbors(features[: len(attacks)], return_distance=False)
    itself = near == np.arange(len(attacks))[:, None]
    itself[~itself.any(axis=1), -1] = True
    return attacks, subject.label[rows][near][~itself].reshape(len(attacks), -1)


def distances(subject: Subject) -> tuple[Ints, Floats]:
    """Return the attack rows of :func:`neighbours`, and the distance of each to the nearest of its benign rows, shapes (n,)."""
    attacks, benign = _drawn(subject)
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(subject.scaled(benign))
    distance = nearest.kneighbors(subject.scaled(attacks))[0][:, 0]
    return attacks, distance / np.sqrt(len(subject.features))


def _drawn(subject: Subject) -> tuple[Ints, Ints]:
    """Return the positions of the attack rows that are compared, and of the benign rows."""
    return subject.draw(subject.label, SAMPLE // 4, 1), subject.draw(~subject.label, SAMPLE, 2)
