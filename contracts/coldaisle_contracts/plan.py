"""The plan of a run: every reading slot and every act; a pure function of scenario and seed."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Self

from coldaisle_contracts.addressing import BROKER as BROKER_HOST
from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.background import NOWHERE
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.episodes import Act, Episode
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.loops import Loop, governed
from coldaisle_contracts.scenario import BROKER, Scenario
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.topics import SENSORS
from coldaisle_contracts.units import Unit
from coldaisle_contracts.validation import Model

__all__ = ["Act", "Episode", "Plan"]
CONNECT = 2 * SECOND
"""Time from local midnight to the connection of the sensors, in ns, as in the published captures."""
FIRST_READING = CONNECT + SECOND // 2
DISCONNECT = SECOND
"""Time from the next midnight to the disconnection of the sensors, in ns."""
UNIT_STAGGER = 1_000_000
"""Time between the wakings of two units, in ns; the published captures show 20 ms."""


def seed_for(seed: int, name: str) -> int:
    """Return the seed of the random choice with a name; further choices leave it unchanged."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")


class Plan(Model):
    """Every reading slot and every episode of a run.

    Attributes:
        scenario: the scenario it follows from.
        start_ns: local midnight of the first day, in ns since the epoch, UTC.
        utc_offset_s: declared offset of local time from UTC, in s.
        episodes: all episodes, in order of time.
    """

    scenario: Scenario
    start_ns: int
    utc_offset_s: int
    episodes: tuple[Episode, ...]

    @cached_property
    def units(self) -> dict[str, Unit]:
        """The units that run, by name."""
        return {name: self.scenario.site.units[name] for name in self.scenario.units}

    @property
    def steps(self) -> dict[str, tuple[str, int]]:
        """The chain and the step of each episode of a chain, by id."""
        return {episode.id: (episode.chain, episode.step) for episode in self.episodes if episode.chain}

    @property
    def companions(self) -> dict[str, Companion]:
        """The devices that are no units, by name."""
        return self.scenario.site.companions

    @cached_property
    def loops(self) -> dict[str, Loop]:
        """The units that a controller governs, by name."""
        return governed(self.units, self.companions.values(), self.scenario.interval_s)

    @property
    def subscription(self) -> str:
        """The filter that receives the messages of all sensors: their topic, or everything where they have several."""
        topics = {unit.topic(sensor) for unit in self.units.values() for sensor in SENSORS}
        return min(topics) if len(topics) == 1 else "#"

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The hosts that have an address of their own: broker, attacker, units, companions, workstations."""
        units = (unit.host for unit in self.units.values())
        companions = (companion.host for companion in self.companions.values())
        return (BROKER_HOST, INJECTOR, *units, *companions, *self.workstations.values())

    @cached_property
    def workstations(self) -> dict[str, Host]:
        """The workstations, by name; none without the site's table ``background``."""
        background = self.scenario.site.background
        return {host.name: host for host in background.hosts()} if background else {}

    @property
    def devices(self) -> tuple[str, ...]:
        """The names of all units, companions and workstations; each is a program with a journal of its own."""
        return (*self.scenario.units, *self.companions, *self.workstations)

    @property
    def sources(self) -> set[str]:
        """The IPv4 addresses that packets come from: those of the hosts, and none at all where a workstation asks for its own."""
        background = self.scenario.site.background
        leased = {NOWHERE} if background and background.dhcp_s else set()
        return {host.ip for host in self.hosts} | leased

    def host_of(self, target: str) -> Host:
        """Return the host of a unit, or for :data:`~coldaisle_contracts.scenario.BROKER` the broker's."""
        return self.units[target].host if target in self.units else BROKER_HOST

    def day_ns(self, day: int) -> int:
        """Return local midnight of a day (from 0), in ns since the epoch."""
        return self.start_ns + day * DAY

    def day_slots(self, day: int) -> range:
        """Return the slots of a day (from 0)."""
        per_day = self.scenario.slots_per_day
        return range(day * per_day, min((day + 1) * per_day, self.scenario.slots))

    def slots_of(self, unit: str, day: int | None = None) -> range:
        """Return the slots in which a unit reports, of a day (from 0) or of the run."""
        within = range(self.scenario.slots) if day is None else self.day_slots(day)
        return self.units[unit].rhythm.slots(within)

    def readings_on(self, days: Iterable[int]) -> int:
        """Return the number of readings of all sensors on some days (from 0)."""
        return sum(len(SENSORS) * len(self.slots_of(unit, day)) for day in days for unit in self.units)

    def span(self, episode: Episode) -> range:
        """Return the slots from that of the first reading of an episode to that of the last."""
        return self.scenario.rhythm_of(episode.unit).span(episode.onset, episode.readings)

    def connect_ns(self, day: int, unit: str) -> int:
        """Return the time at which a unit or a companion connects on a day, in ns since the epoch."""
        return self.day_ns(day) + CONNECT + stagger_ns(self.scenario, unit)

    def reading_ns(self, slot: int, unit: str) -> int:
        """Return the time at which a unit takes the readings of a slot, in ns since the epoch."""
        return reading_ns(self.scenario, self.start_ns, slot, unit)

    def disconnect_ns(self, day: int, unit: str) -> int:
        """Return the time at which a unit or a companion disconnects at the end of a day, in ns since the epoch."""
        return self.end_ns(day) + DISCONNECT + stagger_ns(self.scenario, unit)

    def end_ns(self, day: int) -> int:
        """Return the end of the last slot of a day, in ns since the epoch."""
        return self.day_ns(day) + round(len(self.day_slots(day)) * self.scenario.interval_s * SECOND)

    def episodes_on(self, days: range) -> list[Episode]:
        """Return the episodes whose onset lies in these days."""
        per_day = self.scenario.slots_per_day
        return [episode for episode in self.episodes if episode.onset // per_day in days]

    def continues(self, earlier: Self) -> bool:
        """Tell whether this is an earlier plan to which episodes may have been added."""
        before, after = earlier.scenario.added, self.scenario.added
        same = self.scenario.model_copy(update={"added": before}) == earlier.scenario
        return same and after[: len(before)] == before

    def bystanders(self, unit: str) -> tuple[Host, ...]:
        """Return the hosts to which frames of a unit can be misdirected: other units, or else the attacker's own.

        These hosts have to be connected all the time, because a bridge floods frames for an unknown host to every port.
        """
        unplugged = {episode.unit for episode in self.episodes if episode.kind == "cable"}
        names = [name for name in self.scenario.units if name not in (unit, *unplugged)]
        return tuple(self.units[name].host for name in names) or (INJECTOR,)

    def digest(self) -> str:
        """Return the sha256 of the plan, hex, without the scenario's table ``publish``, which does not change the run."""
        text = self.model_dump_json(exclude={"scenario": {"publish"}})
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``plan.json``.

        Raises:
            InputError: if it is missing, is not a plan, or does not follow from the scenario in it.
        """
        plan = cls.check(read_text(path, "name a run that has a plan.json"), path)
        for key, expected in begins(plan.scenario).items():
            if (value := getattr(plan, key)) != expected:
                remedy = f"its scenario has {expected}, so the plan was edited: make the run again"
                raise InputError(f"{path}: key {key}", remedy, value)
        return plan


def begins(scenario: Scenario) -> dict[str, int]:
    """Return ``start_ns`` and ``utc_offset_s`` of the plan of a scenario."""
    start = scenario.start
    offset = start.utcoffset()
    assert offset is not None  # noqa: S101 - an aware datetime has one
    return {"start_ns": int(start.timestamp()) * SECOND, "utc_offset_s": int(offset.total_seconds())}


def stagger_ns(scenario: Scenario, unit: str) -> int:
    """Return the time from the first unit's waking to a unit's or companion's, in ns; 0 for the broker, which has no readings."""
    names: list[str] = [*scenario.units, *scenario.site.companions]
    return names.index(unit) * UNIT_STAGGER if unit != BROKER else 0


def reading_ns(scenario: Scenario, start_ns: int, slot: int, unit: str) -> int:
    """Return the time at which a unit takes the readings of a slot, in ns: the slot's time, the stagger and a seeded jitter."""
    stagger = stagger_ns(scenario, unit)
    jitter_s = scenario.rhythm_of(unit).jitter_s
    wakings = UNIT_STAGGER * 3 // 4 if jitter_s is None else 1 + round(jitter_s * SECOND)
    jitter = seed_for(scenario.seed, f"wake/{unit}/{slot}") % wakings
    return start_ns + FIRST_READING + round(slot * scenario.interval_s * SECOND) + stagger + jitter
