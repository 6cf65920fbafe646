"""How much an episode changed: the size of its effect on each group of columns."""

from typing import TypedDict

import numpy as np
from scipy.stats import rankdata

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.columns import Level
from coldaisle_analysis.twins.sides import TRACES, Trace, names_of, trace_of


class Effect(TypedDict):
    """The effect of an episode on one group of columns of a level.

    Attributes:
        rows: rows of the episode with a column of the group outside of its range.
        effect: Cliff's delta of the column that it changed most, from -1 (always smaller than without the episode) to 1 (always
            larger); 0 where no column left its range, missing where no row has a counterpart.
        column: name of that column; empty where there is none.
    """

    rows: int
    effect: float | None
    column: str


def delta(played: Floats, without: Floats) -> float:
    """Return Cliff's delta: the share of pairs in which the first value is larger, less the share in which it is smaller.

    It needs no distribution and no scale, and is 2·AUC - 1 of a detector that looks at this column alone and has to tell the rows of the
    episode from what they would have been without it (Cliff, *Dominance statistics: Ordinal analyses to answer ordinal questions*,
    Psychological Bulletin 114(3), 1993). A missing value counts as smaller than any other.

    Args:
        played: the values of a column in the rows of an episode.
        without: the values of the same rows in the twin.
    """
    both = np.nan_to_num(np.concatenate([played, without]), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    ranks = rankdata(both)[: len(played)]
    above = ranks.sum() - len(played) * (len(played) + 1) / 2
    return float(2 * above / (len(played) * len(without)) - 1)


def effects(level: Level, played: Floats, without: Floats, outside: Mask) -> dict[Trace, Effect]:
    """Return the effect of an episode on each group of columns.

    Args:
        level: the level.
        played: columns of the rows of the episode that have a counterpart, shape (rows, columns).
        without: the same rows in the twin, shape (rows, columns).
        outside: which of them are outside of their range, shape (rows, columns).
    """
    groups = np.array(trace_of(level))
    return {trace: _of_group(level, played, without, outside, groups == trace) for trace in TRACES}


def _of_group(level: Level, played: Floats, without: Floats, outside: Mask, group: Mask) -> Effect:
    rows = int(outside[:, group].any(axis=1).sum())
    sizes = [
        (delta(played[:, column], without[:, column]), names_of(level)[column])
        for column in np.flatnonzero(group & outside.any(axis=0))
    ]
    effect, name = max(sizes, key=lambda size: abs(size[0]), default=(0.0, ""))
    return {"rows": rows, "effect": round(effect, 4) if len(played) else None, "column": name}
