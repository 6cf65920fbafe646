"""The comparison of a run with its twins, row by row, at every level."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_analysis.twins.at_level import AtLevel, EpisodeTrace
from coldaisle_analysis.twins.sides import side_of, site_of
from coldaisle_contracts.plan import Episode, Plan

Levels = Mapping[Level, pd.DataFrame]
"""The tables of a play by level."""


@dataclass(frozen=True)
class Outcome:
    """The result of a comparison.

    Attributes:
        episodes: what each episode changed at each level.
        rows: by level the compared rows: ``row`` (place in the level's table, from 0), ``episode``, ``added``, ``visible``, a column
            per group of columns, and ``column``, the name of one that shows it, empty where none does.
        pairs: number of pairs of rows that the ranges of each level rest on.
    """

    episodes: list[EpisodeTrace]
    rows: dict[Level, pd.DataFrame]
    pairs: dict[Level, int]


class Comparison:
    """The comparison of a run with its twins.

    Args:
        plan: the plan of the run.
        levels: the tables of the run.
        only: the levels to compare.
    """

    def __init__(self, plan: Plan, levels: Levels, only: Sequence[Level] = LEVELS) -> None:
        self._plan = plan
        self._sites = {level: site_of(levels[level], level) for level in only}
        self._at = {
            level: AtLevel(level, plan, levels[level], side_of(levels, level, plan, site))
            for level, site in self._sites.items()
        }

    def add_clean(self, one: Levels, other: Levels, days: Sequence[int]) -> None:
        """Add two plays of the plan without any attack on some days (from 0) as a yardstick; other days are not looked at."""
        for level, at in self._at.items():
            left, right = (side_of(levels, level, self._plan, self._sites[level]) for levels in (one, other))
            at.add_clean(left, right, (_on(one[level], days), _on(other[level], days)))

    def add_twin(self, levels: Levels, without: Sequence[Episode], days: Sequence[int]) -> None:
        """Add a twin.

        Args:
            levels: the tables of the twin.
            without: the episodes that were left out; none may touch the rows of another.
            days: the days (from 0) that were played for it; the others are those of the run itself.
        """
        for level, at in self._at.items():
            twin = side_of(levels, level, self._plan, self._sites[level])
            at.add_twin(twin, levels[level], without, _on(at.table, days))

    def conclude(self) -> Outcome:
        """Return what every episode changed that was left out of a twin; there must be one."""
        results = {level: at.conclude() for level, at in self._at.items()}
        episodes = [trace for traces, _, _ in results.values() for trace in traces]
        return Outcome(
            sorted(episodes, key=lambda trace: trace["episode"]),
            {level: rows for level, (_, rows, _) in results.items()},
            {level: pairs for level, (_, _, pairs) in results.items()},
        )


def _on(table: pd.DataFrame, days: Iterable[int]) -> Mask:
    """Return which rows lie on some days (from 0)."""
    return table["day"].isin([day + 1 for day in days]).to_numpy(np.bool_)
