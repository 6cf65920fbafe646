"""Precision, recall and F1 of alarms against labels, with bootstrap intervals.

Rows of one episode resemble each other, so whole clusters are resampled: episodes for caught attacks, days (or blocks of time) for
false alarms.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from typing_extensions import TypedDict

from coldaisle_analysis.arrays import Floats, Ints, Labels, Mask

DRAWS = 1000
CONFIDENCE = 0.95


class Intervals(TypedDict):
    """Bootstrap intervals of 95 %, each ``[low, high]``.

    Attributes:
        precision: interval of the precision.
        recall: interval of the recall.
        f1: interval of F1.
    """

    precision: list[float]
    recall: list[float]
    f1: list[float]


@dataclass(frozen=True)
class Counts:
    """A confusion matrix; each count is a number, or an array with one entry per bootstrap draw."""

    tp: Floats | float
    fp: Floats | float
    fn: Floats | float

    @property
    def precision(self) -> Floats:
        """Return the share of alarms that were attacks; 0 without an alarm."""
        return _ratio(self.tp, np.add(self.tp, self.fp))

    @property
    def recall(self) -> Floats:
        """Return the share of attacks that raised an alarm; 0 without an attack."""
        return _ratio(self.tp, np.add(self.tp, self.fn))

    @property
    def f1(self) -> Floats:
        """Return the harmonic mean of precision and recall; 0 where both are."""
        return _ratio(np.multiply(2, self.tp), np.multiply(2, self.tp) + np.add(self.fp, self.fn))


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    top, bottom = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def count(labels: Labels, alarms: Mask) -> Counts:
    """Return the confusion matrix of alarms."""
    attack = labels == 1
    return Counts(
        tp=float((attack & alarms).sum()),
        fp=float((~attack & alarms).sum()),
        fn=float((attack & ~alarms).sum()),
    )


def intervals(labels: Labels, alarms: Mask, episodes: Ints, groups: Ints, seed: int) -> Intervals:
    """Return 95 % bootstrap intervals of precision, recall and F1, each ``[low, high]``.

    Args:
        labels: 1 is attack, shape (rows,).
        alarms: shape (rows,).
        episodes: code of each row's episode, shape (rows,); used for attack rows.
        groups: code of each row's day or block, shape (rows,); used for normal rows.
        seed: seed of the resampling.
    """
    attack = labels == 1
    caught = _sums(episodes[attack], np.column_stack([alarms[attack], ~alarms[attack]]))
    false = _sums(groups[~attack], alarms[~attack, None])
    per_episode, per_group = _draws(seed, len(caught), len(false))
    attacks, clean = per_episode @ caught, per_group @ false
    drawn = Counts(tp=attacks[:, 0], fn=attacks[:, 1], fp=clean[:, 0])
    tail = (1 - CONFIDENCE) / 2
    precision, recall, f1 = (
        [float(edge) for edge in np.quantile(values, [tail, 1 - tail])]
        for values in (drawn.precision, drawn.recall, drawn.f1)
    )
    return {"precision": precision, "recall": recall, "f1": f1}


def _sums(clusters: Ints, counted: Mask) -> Floats:
    """Return the column sums of ``counted`` in each cluster, shape (clusters, columns)."""
    codes, names = pd.factorize(clusters, sort=True)
    sums = [np.bincount(codes, column, len(names)) for column in counted.T]
    return np.column_stack(sums)


@lru_cache(maxsize=16)
def _draws(seed: int, *clusters: int) -> tuple[Floats, ...]:
    """Return how often each cluster occurs in each draw with replacement, one array of shape (draws, clusters) per number of clusters."""
    rng = np.random.default_rng(seed)
    return tuple(
        rng.multinomial(number, np.full(number, 1 / number), size=DRAWS).astype(np.float64)
        if number
        else np.zeros((DRAWS, 0))
        for number in clusters
    )


def recall_per_kind(labels: Labels, alarms: Mask, kinds: pd.Series) -> dict[str, float]:
    """Return the recall on the attack rows of each kind."""
    codes, names = pd.factorize(kinds[labels == 1], sort=True)
    caught, rows = np.bincount(codes, alarms[labels == 1]), np.bincount(codes)
    return {str(name): float(share) for name, share in zip(names, caught / rows, strict=True)}
