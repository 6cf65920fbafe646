"""The comparison at one level: what each episode changed there.

A row of an episode is **visible** if it left a trace in a column that a model may use at the level. A row with a counterpart in the twin
leaves a trace if a column has left the range of clean plays (:mod:`yardstick`). A row without one is judged by :mod:`added`. A row of the
twin that the run lacks is no row of the level, so it cannot be visible there: it is counted, and shows in the rows around it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask, Rows
from coldaisle_analysis.columns import Level
from coldaisle_analysis.twins.added import Stock
from coldaisle_analysis.twins.effects import Effect, effects
from coldaisle_analysis.twins.keys import matched, unmatched
from coldaisle_analysis.twins.sides import TRACES, Side, Trace, least_of, memory_ns, names_of, trace_of
from coldaisle_analysis.twins.yardstick import Pairs, Range, distance, joined, outside, pairs_of, ranges
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.scenario import BROKER


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


@dataclass
class AtLevel:
    """The comparison of a run with its twins at one level.

    Attributes:
        level: the level.
        plan: the plan of the run.
        table: the rows of the run.
        run: the same rows, ready to be compared.
    """

    level: Level
    plan: Plan
    table: pd.DataFrame
    run: Side
    _clean: list[Pairs] = field(default_factory=list)
    _before: list[Pairs] = field(default_factory=list)
    _stock: Stock = field(default_factory=Stock)
    _compared: list[_Compared] = field(default_factory=list)

    def add_clean(self, one: Side, other: Side, on: tuple[Mask, Mask]) -> None:
        """Add two clean plays.

        Args:
            one: the level of the first play.
            other: the level of the second play.
            on: the rows of each that were played for this, and are not those of the run.
        """
        place = matched(one.keys, other.keys)
        self._clean.append(pairs_of(one, other, place, on[0]))
        lonely = place < 0, unmatched(place, len(other.known_ns))
        for side, rows, alone in zip((one, other), on, lonely, strict=True):
            self._stock.add(side.keys.sort[rows], side.columns[rows], alone[rows])

    def add_twin(self, twin: Side, table: pd.DataFrame, without: Iterable[Episode], on: Mask) -> None:
        """Add a twin.

        Args:
            twin: the level of the twin.
            table: its rows.
            without: the episodes that were left out.
            on: the rows of the run on the days that were played for it.
        """
        place = matched(self.run.keys, twin.keys)
        lonely = unmatched(place, len(twin.known_ns))
        calm = _untouched(self.table["day"].to_numpy(np.int64), self.run.known_ns, without, self.plan)
        clean = (self.table["label"] == 0).to_numpy(np.bool_)
        self._before.append(pairs_of(self.run, twin, place, on & clean & calm))
        anomalous = ((self.table["label"] == 1) | (self.table["benign"] == 1)).to_numpy(np.bool_)
        names = self.table["episode"].astype("object").to_numpy()
        for episode in without:
            rows = np.flatnonzero(anomalous & (names == episode.id))
            there = place[rows]
            gone = lonely & _around(self.plan, episode, table, twin.known_ns)
            columns = twin.columns[np.maximum(there, 0)]
            self._compared.append(_Compared(episode, rows, there >= 0, columns, int(gone.sum())))

    def conclude(self) -> tuple[list[EpisodeTrace], pd.DataFrame, int]:
        """Return what each episode changed, the compared rows (see :class:`~.comparison.Outcome`), and the number of pairs of clean rows."""
        samples = [joined(pairs) for pairs in (self._clean, self._before) if pairs]
        found = ranges(least_of(self.level), *samples)
        results = [self._of_episode(compared, found) for compared in self._compared]
        rows = pd.concat([table for _, table in results]).sort_values("row", ignore_index=True)
        return [trace for trace, _ in results], rows, sum(len(sample.sort) for sample in samples)

    def _of_episode(self, compared: _Compared, found: dict[str, Range]) -> tuple[EpisodeTrace, pd.DataFrame]:
        rows, both, about = compared.rows, compared.has_twin, compared.episode
        sort, columns = self.run.keys.sort[rows], self.run.columns[rows]
        groups = np.array(trace_of(self.level), object)
        shown = np.zeros(columns.shape, np.bool_)
        shown[both] = outside(found, sort[both], distance(columns[both], compared.without[both]))
        visible = np.asarray(shown.any(axis=1))
        visible[~both], shown[~both] = self._stock.strange(sort[~both], columns[~both])
        names = np.array(["", *names_of(self.level)], object)
        table = pd.DataFrame({"row": rows, "episode": about.id, "added": ~both, "visible": visible})
        for trace in TRACES:
            table[trace] = np.asarray(shown[:, groups == trace].any(axis=1))
        table["column"] = names[np.where(shown.any(axis=1), shown.argmax(axis=1) + 1, 0)]
        return {
            "episode": about.id, "kind": about.kind, "variant": about.variant, "level": self.level,
            "rows": len(rows), "visible": int(visible.sum()), "added": int((~both).sum()), "removed": compared.removed,
            "traces": effects(self.level, columns[both], compared.without[both], shown[both]),
        }, table  # fmt: skip


def _untouched(day: Ints, known_ns: Ints, without: Iterable[Episode], plan: Plan) -> Mask:
    """Return which rows cannot differ from the twin: nothing was left out on their day before them, nor is what was remembered.

    Args:
        day: the day of each row, from 1.
        known_ns: when each row was complete, in ns since the epoch.
        without: the episodes that were left out.
        plan: the plan of the run.
    """
    ends = np.zeros(plan.scenario.days + 2, np.int64)
    begins = np.full(plan.scenario.days + 2, np.iinfo(np.int64).max, np.int64)
    for episode in without:
        at = episode.onset // plan.scenario.slots_per_day + 1
        ends[at + 1 :] = np.maximum(ends[at + 1 :], episode.end_ns + memory_ns(plan))
        begins[at] = min(begins[at], episode.approach_ns)
    return np.asarray((known_ns > ends[day]) & (known_ns < begins[day]))


def _around(plan: Plan, episode: Episode, table: pd.DataFrame, known_ns: Ints) -> Mask:
    """Return which rows of a twin concern the target of an episode while it lasts; those of every host where it is the broker."""
    during = (known_ns >= episode.approach_ns) & (known_ns <= episode.end_ns)
    if episode.unit == BROKER or "ip_src" not in table:
        return during
    ip = plan.host_of(episode.unit).ip
    return during & (table[["ip_src", "ip_dst"]] == ip).any(axis=1).to_numpy(np.bool_)
