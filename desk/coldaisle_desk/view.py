"""A moment of a run: what a panel may know, which in a replay ends at the slider."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.manifest import instant
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_desk.alarms import LIVE, Alarm
from coldaisle_desk.matching import Matched
from coldaisle_desk.watched import EVER, Watched


@dataclass(frozen=True)
class View:
    """A run at a moment.

    Attributes:
        run: the run.
        plan: its plan.
        matched: its alarms by source.
        source: source of the alarms that are shown.
        at_ns: virtual time of the moment; ``None`` for everything that is known.
        day: number of the day that is shown, from 1; ``None`` for all.
    """

    run: Watched
    plan: Plan
    matched: dict[str, Matched]
    source: str = LIVE
    at_ns: int | None = None
    day: int | None = None

    @property
    def until_ns(self) -> int:
        """Virtual time after which nothing is shown."""
        return EVER if self.at_ns is None else self.at_ns

    @property
    def is_replay(self) -> bool:
        """Whether it is a moment of the past."""
        return self.at_ns is not None

    def alarms(self) -> list[Alarm]:
        """Return the alarms until the moment, in order of time."""
        if self.source not in self.matched:
            self.matched[self.source] = Matched(self.run, self.source)
        every = self.matched[self.source].alarms()
        return every if self.at_ns is None else [alarm for alarm in every if alarm.at_ns <= self.until_ns]

    @property
    def exact(self) -> bool:
        """Whether alarms are matched by frame."""
        return self.run.labels is not None

    @property
    def watched(self) -> bool:
        """Whether anything raises alarms, so that an episode can be missed."""
        return self.source != LIVE or bool(self.run.books.watching)

    def now_of(self, episode: Episode) -> int:
        """Return the virtual time that has been reached on the day of an episode."""
        day = episode.onset // self.plan.scenario.slots_per_day
        if self.run.manifest is not None:
            return min(self.run.end_ns, self.until_ns)
        reached = [
            self.run.now_ns(shard) for shard in list(self.run.record.paces) if day in self.run.days_of(shard)
        ]
        latest = max(reached, default=self.run.start_ns)
        return min(latest, self.until_ns)

    def local(self, at_ns: int, pattern: str = "%a %d %b %H:%M:%S") -> str:
        """Return a virtual time in the scenario's local time."""
        return f"{self.moment(at_ns):{pattern}}"

    def moment(self, at_ns: int) -> datetime:
        """Return a virtual time as the scenario's clocks on the wall show it."""
        return instant(at_ns) + timedelta(seconds=self.plan.utc_offset_s)


def spell(nanoseconds: int) -> str:
    """Return a length of time for people, such as ``3 ms``, ``8.2 s``, ``4 min 10 s`` or ``1 h 05 min``."""
    seconds = nanoseconds / SECOND
    if 0 < seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"  # noqa: PLR2004 - three digits
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - two digits are enough
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
