"""Labels of groups of rows: a group is an attack if one of its rows is.

Kind, episode and role are those of the first row of the highest rank: attack, then benign anomaly, then only
touched by an episode.
"""

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.truth.frames import NORMAL, TRUTH

_ATTACK, _BENIGN, _TOUCHED = 4, 2, 1


def touched(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the label columns of the rows that an episode touched, with the rows' index."""
    episode = rows["episode"]
    in_episode = episode.notna() & (episode != "")
    chosen = rows.loc[in_episode | (rows["label"] == 1) | (rows["benign"] == 1), list(TRUTH)]
    return chosen.astype({"kind": "object", "episode": "object", "role": "object"})


def decide(rows: pd.DataFrame, group: Ints, count: int) -> pd.DataFrame:
    """Return the label columns of each group.

    Args:
        rows: label columns of the touched rows, see :func:`touched`.
        group: group of each of these rows, -1 for none.
        count: number of groups.

    Returns:
        One row per group: label, benign, kind, episode, role.
    """
    rank = rows["label"].to_numpy() * _ATTACK + rows["benign"].to_numpy() * _BENIGN + _TOUCHED
    order = np.lexsort((np.arange(len(rows)), -rank, group))
    order = order[group[order] >= 0]
    groups, first = np.unique(group[order], return_index=True)
    chosen = rows.iloc[order[first]].set_axis(groups)
    table = chosen.reindex(range(count))
    fill = {"label": 0, "benign": 0, "kind": NORMAL}
    return table.fillna(fill).astype({"label": "int8", "benign": "int8"})
