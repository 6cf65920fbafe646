"""The comparison of a run with its twins, row by row.

A row of an episode is **visible** at a level if it left a trace in a column that a model may use there. A row with a counterpart in the
twin leaves a trace if a column has left the range of clean plays (:mod:`yardstick`). A row that exists only because of the episode leaves
one if a column has a value that no row of its sort takes in clean plays, or if clean plays have no row of its sort.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask, Rows
from coldaisle_analysis.columns import LEVELS, Level
from coldaisle_analysis.twins.effects import Effect, effects
from coldaisle_analysis.twins.keys import matched, unmatched
from coldaisle_analysis.twins.sides import TRACES, Side, Trace, names_of, side_of, site_of, trace_of
from coldaisle_analysis.twins.yardstick import Yardstick, distance
from coldaisle_contracts.addressing import UNITS
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.scenario import BROKER

Levels = Mapping[Level, pd.DataFrame]
"""The tables of a play by level."""


class EpisodeTrace(TypedDict):
    """What an episode changed at one level.

    Attributes:
        episode: its id.
        kind: its kind.
        variant: its variant.
        level: the level.
        rows: rows of the level that are part of the anomaly.
        visible: those among them that left a trace.
        added: those among them that the twin does not have.
        removed: rows of the twin that the run does not have, of the same target while the episode lasts.
        traces: the effect on each group of columns, over the rows that both have.
    """

    episode: str
    kind: str
    variant: str
    level: str
    rows: int
    visible: int
    added: int
    removed: int
    traces: dict[Trace, Effect]


@dataclass(frozen=True)
class _Compared:
    """The rows of one episode at one level: their places in the run, and their columns here and in the twin."""

    episode: Episode
    rows: Rows
    has_twin: Mask
    without: Floats
    removed: int


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


@dataclass
class _AtLevel:
    """The comparison at one level."""

    level: Level
    plan: Plan
    table: pd.DataFrame
    run: Side
    yardstick: Yardstick
    compared: list[_Compared] = field(default_factory=list)

    def add_twin(self, twin: Side, table: pd.DataFrame, without: Iterable[Episode], days: Mask) -> None:
        place = matched(self.run.keys, twin.keys)
        lonely = unmatched(place, len(twin.known_ns))
        first_ns = _first_ns(self.table["day"].to_numpy(np.int64), without, self.plan)
        clean = (self.table["label"] == 0).to_numpy(np.bool_)
        self.yardstick.add_before(self.run, twin, place, days & clean & (self.run.known_ns < first_ns))
        anomalous = ((self.table["label"] == 1) | (self.table["benign"] == 1)).to_numpy(np.bool_)
        names = self.table["episode"].astype("object").to_numpy()
        for episode in without:
            rows = np.flatnonzero(anomalous & (names == episode.id))
            there = place[rows]
            values = twin.columns[np.maximum(there, 0)]
            gone = lonely & _around(episode, table, twin.known_ns)
            self.compared.append(_Compared(episode, rows, there >= 0, values, int(gone.sum())))

    def conclude(self, compared: _Compared) -> tuple[EpisodeTrace, pd.DataFrame]:
        rows, both = compared.rows, compared.has_twin
        sort, values = self.run.keys.sort[rows], self.run.columns[rows]
        outside = np.zeros(values.shape, np.bool_)
        apart = distance(values[both], compared.without[both])
        outside[both] = self.yardstick.outside(sort[both], apart)
        outside[~both] = self.yardstick.strange(sort[~both], values[~both])
        groups = np.array(trace_of(self.level))
        table = pd.DataFrame(
            {"row": rows, "episode": compared.episode.id, "added": ~both, "visible": outside.any(axis=1)}
        )
        for trace in TRACES:
            table[trace] = np.asarray(outside[:, groups == trace].any(axis=1))
        names = np.array(["", *names_of(self.level)], object)
        table["column"] = names[np.where(table["visible"], outside.argmax(axis=1) + 1, 0)]
        about = compared.episode
        return {
            "episode": about.id, "kind": about.kind, "variant": about.variant, "level": self.level,
            "rows": len(rows), "visible": int(table["visible"].sum()), "added": int((~both).sum()), "removed": compared.removed,
            "traces": effects(self.level, values[both], compared.without[both], outside[both]),
        }, table  # fmt: skip


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
            level: _AtLevel(level, plan, levels[level], side_of(levels, level, plan, site), Yardstick(len(names_of(level))))
            for level, site in self._sites.items()
        }  # fmt: skip

    def add_clean(self, one: Levels, other: Levels, days: Iterable[int]) -> None:
        """Add two plays of the plan without any attack on some days (from 0) as a yardstick; other days are not looked at."""
        for level, at in self._at.items():
            left, right = (side_of(levels, level, self._plan, self._sites[level]) for levels in (one, other))
            place = matched(left.keys, right.keys)
            at.yardstick.add_clean(left, right, place, _on(one[level], days))

    def add_twin(self, levels: Levels, without: Sequence[Episode], days: Iterable[int]) -> None:
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
        """Return what every episode changed that was left out of a twin."""
        episodes: list[EpisodeTrace] = []
        rows: dict[Level, pd.DataFrame] = {}
        for level, at in self._at.items():
            at.yardstick.close()
            results = [at.conclude(compared) for compared in at.compared]
            episodes += [trace for trace, _ in results]
            if results:
                rows[level] = pd.concat([table for _, table in results]).sort_values("row", ignore_index=True)
        pairs = {level: at.yardstick.pairs for level, at in self._at.items()}
        return Outcome(sorted(episodes, key=lambda trace: trace["episode"]), rows, pairs)


def _on(table: pd.DataFrame, days: Iterable[int]) -> Mask:
    """Return which rows lie on some days (from 0)."""
    return table["day"].isin([day + 1 for day in days]).to_numpy(np.bool_)


def _first_ns(day: Ints, without: Iterable[Episode], plan: Plan) -> Ints:
    """Return for each row when the first episode that was left out on its day began to be prepared, in ns."""
    first = np.full(plan.scenario.days + 2, np.iinfo(np.int64).max, np.int64)
    for episode in without:
        at = episode.onset // plan.scenario.slots_per_day + 1
        first[at] = min(first[at], episode.approach_ns)
    return first[day]


def _around(episode: Episode, table: pd.DataFrame, known_ns: Ints) -> Mask:
    """Return which rows of a twin concern the target of an episode while it lasts; those of every host where it is the broker."""
    during = (known_ns >= episode.approach_ns) & (known_ns <= episode.end_ns)
    if episode.unit == BROKER or "ip_src" not in table:
        return during
    ip = UNITS[episode.unit].ip
    return during & (table[["ip_src", "ip_dst"]] == ip).any(axis=1).to_numpy(np.bool_)
