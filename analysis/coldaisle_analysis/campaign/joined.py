"""Several weeks as one level: their labels, episodes and cases one after another, as if played in a row.

Streams, groups and episodes of different weeks stay apart, and a week begins one second after the one before it has ended, so false
alarms per day count the days that were played. The scores of models are kept beside it, so that no features are needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask, Rows
from coldaisle_analysis.earliness.cases import Cases
from coldaisle_analysis.evaluation.levels import Level
from coldaisle_contracts.clock import SECOND


@dataclass(frozen=True)
class Held:
    """Weeks that are held out of training, as one level.

    Attributes:
        level: the level without features.
        names: name of each week, in order.
        ends: number of rows up to the end of each week.
        visible: which rows left a trace, see :func:`~coldaisle_analysis.twins.visibility_of`; ``None`` where a week was not compared
            with its twins.
    """

    level: Level
    names: tuple[str, ...]
    ends: tuple[int, ...]
    visible: Mask | None = None

    def rows_of(self, names: Sequence[str]) -> Mask:
        """Return which rows belong to some of the weeks, shape (rows,)."""
        mask = np.zeros(len(self.level.labels), np.bool_)
        begin = 0
        for name, end in zip(self.names, self.ends, strict=True):
            mask[begin:end] = name in names
            begin = end
        return mask


def join(levels: Sequence[Level], names: Sequence[str], visible: Sequence[Mask | None]) -> Held:
    """Return weeks as one level.

    Args:
        levels: the levels of the weeks, see :func:`~coldaisle_analysis.campaign.store.outline`.
        names: their names.
        visible: for each week which rows left a trace, ``None`` where that is not known.
    """
    shifted: list[Level] = []
    end_ns, groups, episodes = 0, 0, 0
    for level in levels:
        begin = int(level.known_ns.min(initial=end_ns))
        own = _shifted(level, end_ns - begin, groups, episodes)
        end_ns = int(own.known_ns.max(initial=end_ns)) + SECOND
        groups, episodes = (
            int(own.groups.max(initial=groups)) + 1,
            int(own.episodes.max(initial=episodes)) + 1,
        )
        shifted.append(own)
    ends = np.cumsum([len(level.labels) for level in levels])
    known = [mask for mask in visible if mask is not None]
    whole = np.concatenate(known) if len(known) == len(levels) else None
    joined = replace(
        shifted[0],
        features=np.zeros((int(ends[-1]), 0)),
        identity=np.zeros((int(ends[-1]), 0)),
        labels=np.concatenate([level.labels for level in shifted]),
        benign=np.concatenate([level.benign for level in shifted]),
        kinds=pd.Series(pd.api.types.union_categoricals([level.kinds for level in shifted])),
        episodes=np.concatenate([level.episodes for level in shifted]),
        groups=np.concatenate([level.groups for level in shifted]),
        known_ns=np.concatenate([level.known_ns for level in shifted]),
        days=sum(level.days for level in levels),
        visible=whole,
        cases={kind: _joined([level.cases[kind] for level in shifted]) for kind in shifted[0].cases},
    )
    return Held(joined, tuple(names), tuple(ends.tolist()), whole)


def _shifted(level: Level, by_ns: int, groups: int, episodes: int) -> Level:
    """Return a level that begins later, with other numbers of groups and episodes."""
    cases = {
        kind: replace(cases, onset_ns=cases.onset_ns + by_ns, known_ns=cases.known_ns + by_ns)
        for kind, cases in level.cases.items()
    }
    return replace(
        level,
        groups=level.groups + groups,
        episodes=np.where(level.episodes >= 0, level.episodes + episodes, -1),
        known_ns=level.known_ns + by_ns,
        cases=cases,
    )


def _joined(weeks: Sequence[Cases]) -> Cases:
    """Return the cases of weeks in a row; the rows of no stream share one, over all weeks."""
    rows, streams, orders = [], [], []
    begin, codes = 0, 0
    for cases in weeks:
        rows += [items + begin for items in cases.rows]
        streams.append(np.where(cases.streams >= 0, cases.streams + codes, -1))
        orders.append(cases.order + begin)
        begin, codes = begin + len(cases.streams), codes + int(cases.streams.max(initial=-1)) + 1
    return Cases(
        rows=tuple(rows),
        onset_ns=np.concatenate([cases.onset_ns for cases in weeks]),
        attacked=np.concatenate([cases.attacked for cases in weeks]),
        kinds=np.concatenate([cases.kinds for cases in weeks]),
        streams=np.concatenate(streams),
        order=_by_stream(np.concatenate(streams), np.concatenate(orders)),
        known_ns=np.concatenate([cases.known_ns for cases in weeks]),
    )


def _by_stream(streams: Ints, order: Rows) -> Rows:
    """Return the rows of all weeks by stream; only those of no stream come from more than one week."""
    return order[np.argsort(streams[order], kind="stable")]
