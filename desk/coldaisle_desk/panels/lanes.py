"""Episode lanes: what was planned, what was played and what was alarmed, on one axis of virtual time."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.scenario import BROKER
from coldaisle_desk.alarms import Alarm
from coldaisle_desk.traces import Trace, traces
from coldaisle_desk.view import View, spell

MOST = 300
"""Most episodes in the table."""
_BINS = 600
"""Parts of the axis: alarms of a lane within one part are one mark."""
_HOUR = 3600 * SECOND
_STEPS = (_HOUR // 12, _HOUR // 6, _HOUR // 2, _HOUR, 3 * _HOUR, 6 * _HOUR, DAY, 7 * DAY)
_TICKS = 14
Verdict = Literal["", "caught", "missed", "open", "benign"]


@dataclass
class Row:
    """An episode as it stands.

    Attributes:
        episode: as it was planned.
        played: virtual begin and end of its acts; the end is the present while it lasts, ``None`` before it begins.
        present: the same from the first preparation until the attacker has left the path, which may be much later.
        phase: the newest phase; ``planned`` before the first.
        first_frame: virtual time of its first frame in the capture; ``None`` for none so far.
        frames: number of its frames in the capture so far.
        alarms: times of the alarms that belong to it.
        verdict: whether it was caught or missed; ``open`` while that is not known, empty where nothing watches.
        trace: its rows that differ from its twin's; empty where it was not compared with one.
    """

    episode: Episode
    played: tuple[int, int] | None = None
    present: tuple[int, int] | None = None
    phase: str = "planned"
    first_frame: int | None = None
    frames: int = 0
    alarms: list[int] = field(default_factory=list)
    verdict: Verdict = ""
    trace: Trace = field(default_factory=dict)

    @property
    def is_traceless(self) -> bool:
        """Whether it was compared with its twin, and no row differs: nobody can find it."""
        return bool(self.trace) and not any(visible for visible, _ in self.trace.values())

    @property
    def delay(self) -> str:
        """Time from its first frame to its first alarm."""
        if not self.alarms or self.first_frame is None:
            return ""
        return spell(max(0, self.alarms[0] - self.first_frame))

    @property
    def family(self) -> str:
        """Its family as a class of the style sheet."""
        return self.episode.row.family.replace(" ", "-")


@dataclass(frozen=True)
class Axis:
    """An axis of virtual time; places on it are percentages."""

    begin: int
    end: int

    def at(self, at_ns: int) -> float:
        """Return the place of a time."""
        return round(100 * min(1, max(0, (at_ns - self.begin) / (self.end - self.begin))), 3)

    def shows(self, begin: int, end: int) -> bool:
        """Tell whether a part of a span lies on it."""
        return begin <= self.end and end >= self.begin

    def ticks(self) -> Iterator[int]:
        """Yield the times of its marks."""
        step = next((step for step in _STEPS if (self.end - self.begin) / step <= _TICKS), _STEPS[-1])
        yield from range(self.begin, self.end, step)


def rows(view: View) -> list[Row]:
    """Return every episode with its alarms, in order of time."""
    alarms = defaultdict[str, list[int]](list)
    for alarm in view.alarms():
        if alarm.episode:
            alarms[alarm.episode].append(alarm.at_ns)
    of = traces(view.run.folder)
    return [_row(view, episode, alarms[episode.id], of.get(episode.id, {})) for episode in view.plan.episodes]


def _row(view: View, episode: Episode, alarms: list[int], trace: Trace) -> Row:
    record, until = view.run.record, view.until_ns
    phases = {name: at for name, at in record.phases.get(episode.id, {}).items() if at <= until}
    row = Row(episode, alarms=alarms, trace=trace)
    if phases:
        row.phase = max(phases, key=lambda name: phases[name])
        begin, now = min(phases.values()), view.now_of(episode)
        row.present = begin, phases.get("off_path", now if "approach" in phases else phases.get("end", now))
        if "begin" in phases:
            row.played = phases["begin"], phases.get("end", now)
    if episode.id in record.frames:
        times = record.frames[episode.id]
        row.frames = times.until(until)
        row.first_frame = times.first if row.frames else None
    row.verdict = _verdict(view, row, over="end" in phases)
    return row


def _verdict(view: View, row: Row, *, over: bool) -> Verdict:
    if row.episode.row.benign:
        return "benign"
    if not view.watched or row.phase == "planned":
        return ""
    if row.alarms:
        return "caught"
    grace_ns = round(2 * view.plan.scenario.interval_of(row.episode.unit) * SECOND)
    return "missed" if over and row.played and view.now_of(row.episode) > row.played[1] + grace_ns else "open"


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    every, alarms = rows(view), view.alarms()
    axis = _axis(view)
    benign = {row.episode.id for row in every if row.episode.row.benign}
    false = [alarm for alarm in alarms if not alarm.episode or alarm.episode in benign]
    verdicts = Counter(row.verdict for row in every)
    shown = [row for row in every if axis.shows(row.episode.approach_ns, row.episode.end_ns)]
    return {
        "axis": axis,
        "ticks": [(axis.at(tick), _label(view, axis, tick)) for tick in axis.ticks()],
        "lanes": [_lane(view.plan, axis, name, every, false) for name in (*view.plan.scenario.units, BROKER)],
        "reached": _reached(view, axis),
        "table": shown[:MOST],
        "compared": any(row.trace for row in shown),
        "left_out": max(0, len(shown) - MOST),
        "days": range(1, view.plan.scenario.days + 1) if view.plan.scenario.days > 1 else range(0),
        "families": sorted({row.family for row in every}),
        "verdicts": verdicts,
        "played": sum(row.phase != "planned" for row in every),
        "false_alarms": len(false),
        "delays": _median(
            [row.alarms[0] - row.first_frame for row in every if row.verdict == "caught" and row.first_frame]
        ),
    }


def _axis(view: View) -> Axis:
    if view.day is None:
        return Axis(view.run.start_ns, view.run.end_ns)
    begin = view.plan.day_ns(min(view.day, view.plan.scenario.days) - 1)
    return Axis(begin, min(begin + DAY, view.run.end_ns))


def _label(view: View, axis: Axis, tick: int) -> str:
    return view.local(tick, "%a %d" if axis.end - axis.begin > 2 * DAY else "%H:%M")


def _lane(plan: Plan, axis: Axis, name: str, every: list[Row], false: list[Alarm]) -> dict[str, Any]:
    """Return one lane: the episodes of a target, and its false alarms."""
    mine = [
        row
        for row in every
        if row.episode.unit == name and axis.shows(row.episode.approach_ns, row.episode.end_ns)
    ]
    hits = (at for row in mine if not row.episode.row.benign for at in row.alarms)
    wrong = (alarm.at_ns for alarm in false if _target(plan, alarm) == name)
    return {
        "name": name,
        "rows": mine,
        "hits": _marks(axis, hits),
        "false": _marks(axis, wrong),
        "missed": [axis.at(row.episode.begin_ns) for row in mine if row.verdict == "missed"],
    }


def _target(plan: Plan, alarm: Alarm) -> str:
    return next((name for name, unit in plan.units.items() if unit.host.ip in alarm.hosts), BROKER)


def _marks(axis: Axis, times: Iterator[int]) -> list[tuple[float, int]]:
    """Return places of marks with the number of alarms that each stands for."""
    span = axis.end - axis.begin
    bins = Counter((at - axis.begin) * _BINS // span for at in times if axis.begin <= at <= axis.end)
    return [(round(100 * place / _BINS, 3), count) for place, count in sorted(bins.items())]


def _reached(view: View, axis: Axis) -> list[dict[str, Any]]:
    """Return how far each shard has been played, as parts of the axis."""
    parts = []
    for shard in sorted(view.run.record.paces):
        end, now = view.run.end_of(shard), min(view.run.now_ns(shard), view.until_ns)
        pace = view.run.record.paces[shard]
        begin = max(view.run.start_ns, pace.walls[0] + pace.offsets[0])
        if now > begin and axis.shows(begin, now):
            parts.append(
                {
                    "name": shard,
                    "x": axis.at(begin),
                    "width": round(axis.at(now) - axis.at(begin), 3),
                    "whole": now >= end,
                }
            )
    return parts


def _median(times: list[int]) -> str:
    return spell(max(0, sorted(times)[len(times) // 2])) if times else ""
