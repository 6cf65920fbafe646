"""The classifier two-sample test: how well a classifier tells our rows from published ones.

It is trained to tell rows of our plays from published rows, and scored on sources it has not seen. An area under the ROC curve (AUC) of 0.5 means that
it cannot tell them (Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017). Whole plays and whole published days are held
out, so that it learns what sets the sides apart and not one day. Columns that name hosts, ports, frames or hours are left out. Which
columns it uses is told by how much the AUC falls when a column is shuffled (permutation importance; Breiman, Machine Learning 45, 2001).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.columns import Level, columns, features

ROWS = 4_000
"""The most rows of each side."""
FOLDS = 4
"""The most folds."""
NAMED = 6
"""The most columns that a result names."""
_LEAST_DROP = 0.001
_TREES = 60
_TOPICS = {"bytes": "sizes", "s": "times", "°C": "values"}
LEVELS: tuple[Level, ...] = ("packets", "flows")
"""The levels whose rows are told apart."""
BOTH, PLAYS, DAYS = "ours and published", "our plays", "published days"
"""What is told apart: the two sides, and to compare it with, one half of a side from the other."""


@dataclass(frozen=True)
class Rows:
    """Drawn rows of a day at one level, and the source they are held out with."""

    source: str
    table: pd.DataFrame


Sides = tuple[Sequence[Rows], Sequence[Rows]]


@dataclass(frozen=True)
class Told:
    """How well rows are told apart.

    Attributes:
        level: ``packets`` or ``flows``.
        topic: which columns: ``all``, ``sizes``, ``times``, ``values`` or ``counts`` (counts, flags and codes).
        sides: what is told apart, :data:`BOTH`, :data:`PLAYS` or :data:`DAYS`.
        auc: mean AUC over the folds; NaN where either side has a single source, or no column is left.
        low: the least AUC of a fold.
        high: the greatest.
        rows: rows of both sides.
        used: the columns that the classifier uses most, with the fall of the AUC when one is shuffled.
    """

    level: Level
    topic: str
    sides: str
    auc: float
    low: float
    high: float
    rows: int
    used: tuple[tuple[str, float], ...] = ()


def topics(level: Level) -> dict[str, list[str]]:
    """Return the columns of each topic, by the unit of the column; ``all`` has all of them."""
    chosen = {column.name: column for column in columns(level)}
    out: dict[str, list[str]] = {"all": features(level)}
    for name in features(level):
        out.setdefault(_TOPICS.get(chosen[name].unit, "counts"), []).append(name)
    return out


def draw(table: pd.DataFrame, level: Level, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return drawn rows of a level with the columns that are compared, as 32-bit numbers; times have microseconds."""
    places = np.sort(rng.choice(len(table), min(count, len(table)), replace=False))
    values = table[features(level)].iloc[places]
    numbers = {name: np.round(values[name].to_numpy(np.float64, na_value=np.nan), 6) for name in values}
    return pd.DataFrame(numbers, dtype=np.float32)


def tell(level: Level, ours: Sequence[Rows], theirs: Sequence[Rows], seed: int) -> Iterator[Told]:
    """Yield how well a level's rows are told apart by all columns and by those of each topic: ours and published, and within either side.

    Args:
        level: the level.
        ours: rows of our days.
        theirs: rows of published days.
        seed: seed of folds and trees.
    """
    whole = {BOTH: (ours, theirs), PLAYS: _halves(ours), DAYS: _halves(theirs)}
    for topic, names in topics(level).items():
        for sides, both in whole.items():
            yield _told(level, topic, sides, both, names, seed)


def _halves(rows: Sequence[Rows]) -> Sides:
    """Return every other source of one side, and the rest of them."""
    sources = sorted({part.source for part in rows})
    first, second = ([part for part in rows if sources.index(part.source) % 2 == half] for half in (0, 1))
    return first, second


@dataclass(frozen=True)
class _Sample:
    """Rows of both sides, shape (rows, columns), and for each row its side (0 or 1) and its fold."""

    rows: Floats
    side: Ints
    fold: Ints
    folds: int


def _told(level: Level, topic: str, sides: str, both: Sides, names: Sequence[str], seed: int) -> Told:
    sample = _sample(both, names, seed)
    count = len(sample.side)
    if sample.folds < 2:  # noqa: PLR2004 - one side of a test and one of training
        return Told(level, topic, sides, np.nan, np.nan, np.nan, count)
    wanted = sides == BOTH
    with threadpool_limits(1):
        results = [_fold(sample, number, seed, wanted) for number in range(sample.folds)]
    scores = [score for score, _ in results]
    used = _used(names, np.mean([drop for _, drop in results], axis=0)) if wanted else ()
    return Told(level, topic, sides, float(np.mean(scores)), min(scores), max(scores), count, used)


def _sample(both: Sides, names: Sequence[str], seed: int) -> _Sample:
    """Return the rows that have a value in these columns; whole sources are dealt to folds, those of either side in turn."""
    rng = np.random.default_rng(seed)
    parts = [
        (side, part.source, part.table[list(names)].dropna(how="all").to_numpy(np.float64))
        for side in (0, 1)
        for part in both[side]
    ]
    parts = [part for part in parts if len(part[2])]
    sources = [sorted({source for side, source, _ in parts if side == wanted}) for wanted in (0, 1)]
    folds = min(FOLDS, *map(len, sources))
    dealt = [
        {source: place % max(folds, 1) for place, source in enumerate(rng.permutation(names_of).tolist())}
        for names_of in sources
    ]
    sizes = [len(values) for _, _, values in parts]
    return _Sample(
        np.concatenate([values for _, _, values in parts] or [np.zeros((0, len(names)))]),
        np.repeat(np.array([side for side, _, _ in parts], np.int64), sizes),
        np.repeat(np.array([dealt[side][source] for side, source, _ in parts], np.int64), sizes),
        folds,
    )


def _fold(sample: _Sample, number: int, seed: int, wanted: bool) -> tuple[float, Floats]:
    """Return the AUC of the rows held out, and if wanted how much it falls for each column that is shuffled."""
    test = sample.fold == number
    drops = np.zeros(sample.rows.shape[1])
    usable = np.flatnonzero(_varies(sample.rows[~test]))
    if not len(usable):
        return 0.5, drops
    model = HistGradientBoostingClassifier(
        max_iter=_TREES, max_leaf_nodes=15, early_stopping=False, random_state=seed
    )
    model.fit(sample.rows[np.ix_(~test, usable)], sample.side[~test])
    rows, side = sample.rows[np.ix_(test, usable)], sample.side[test]
    score = _auc(model, rows, side)
    rng = np.random.default_rng([seed, number])
    for place in np.flatnonzero(_varies(rows)) if wanted else ():
        shuffled = rows.copy()
        shuffled[:, place] = rng.permutation(rows[:, place])
        drops[usable[place]] = score - _auc(model, shuffled, side)
    return score, drops


def _varies(values: Floats) -> Mask:
    """Return which columns have two different values; a missing one counts only beside another."""
    known = np.isfinite(values)
    least = np.where(known, values, np.inf).min(axis=0)
    return np.asarray(
        known.any(axis=0) & ((np.where(known, values, -np.inf).max(axis=0) > least) | ~known.all(axis=0))
    )


def _auc(model: HistGradientBoostingClassifier, rows: Floats, side: Ints) -> float:
    """Return the area under the ROC curve from the ranks of the scores (Mann and Whitney, 1947)."""
    ranks = rankdata(model.predict_proba(rows)[:, 1])
    high, low = int(side.sum()), int((1 - side).sum())
    return float((ranks[side == 1].sum() - high * (high + 1) / 2) / (high * low))


def _used(names: Sequence[str], drop: Floats) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-drop, kind="stable")[:NAMED]
    return tuple((names[place], float(drop[place])) for place in order if drop[place] > _LEAST_DROP)
