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


def neighbours(subject: Subject, count: int) -> tuple[Ints, npt.NDArray[np.bool_], Floats]:
    """Return drawn attack rows, which of their nearest neighbours are attacks, and the distance to the nearest benign row.

    Neighbours are searched among the drawn attacks and up to four times as many benign rows.

    Args:
        subject: the rows.
        count: neighbours of each row.

    Returns:
        The rows drawn, shape (n,); whether each neighbour is an attack, shape (n, count); distance, shape (n,).
    """
    attacks = subject.draw(subject.label, SAMPLE // 4, 1)
    benign = subject.draw(~subject.label, SAMPLE, 2)
    rows = np.concatenate([attacks, benign])
    there = subject.label[rows]
    features = subject.scaled(rows)
    of_attacks, of_benign = features[: len(attacks)], features[len(attacks) :]
    tree = NearestNeighbors(n_neighbors=min(count + 1, len(rows)), algorithm="brute").fit(features)
    near = tree.kneighbors(of_attacks, return_distance=False)
    itself = near == np.arange(len(attacks))[:, None]
    itself[~itself.any(axis=1), -1] = True
    attack_neighbours = there[near][~itself].reshape(len(attacks), -1)
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(of_benign)
    distance = nearest.kneighbors(of_attacks)[0][:, 0] / np.sqrt(features.shape[1])
    return attacks, attack_neighbours, distance
