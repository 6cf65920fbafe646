"""The plan: every reading slot and every act of the attacker; a pure function of scenario and seed."""

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coldaisle_contracts.addressing import INJECTOR, UNITS, Host
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS, KindName
from coldaisle_contracts.scenario import BROKER, Scenario, Target
from coldaisle_contracts.taxonomy import Kind
from coldaisle_contracts.texts import read_text
from coldaisle_contracts.validation import first_problem

CONNECT = 2 * SECOND
"""Sensors connect so long after local midnight, as in the published captures, ns."""
FIRST_READING = CONNECT + SECOND // 2
DISCONNECT = SECOND
"""Sensors disconnect so long after the next midnight, ns."""
UNIT_STAGGER = 1_000_000
"""The units wake so far apart, ns; the published captures show 20 ms."""


def seed_for(seed: int, name: str) -> int:
    """Return the seed of the thing called ``name``: adding another thing leaves it unchanged."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big")


Count = Annotated[int, Field(ge=0, lt=1 << 32)]
Sensor = Annotated[int, Field(ge=0, le=4)]
Number = Annotated[float, Field(ge=-1e15, le=1e15)]
Nanoseconds = Annotated[int, Field(ge=0, le=1 << 62)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Act(_Model):
    """One thing done in an episode.

    Attributes:
        slot: its slot, from 0; the reading's, where it is done to a reading.
        sensor: sensor number; 0 where it is done to no sensor.
        operation: what is done.
        amount: how much: °C, factor, s or count, as the operation takes it.
        times_ns: virtual times at which something is due, ns: further deliveries, a release, the act itself; empty where it is
            done as a frame passes.
    """

    slot: Count
    sensor: Sensor
    operation: str
    amount: Number = 0.0
    times_ns: tuple[Nanoseconds, ...] = ()


class Episode(_Model):
    """One anomaly, from getting ready to being gone.

    Attributes:
        id: ``e01``, ``e02``, … in order of time.
        kind: its kind in the taxonomy.
        variant: how the kind is played.
        unit: the unit attacked, or ``broker``.
        onset: first slot attacked.
        readings: how many slots it lasts.
        sensors: sensors attacked; none where the target is the broker.
        parameters: every parameter of the kind, by name.
        intensity: from 0, barely visible, to 1, blatant; none where there is nothing to scale.
        stealth: whether it stays inside ``normal``.
        normal: per sensor attacked, the range of its normal values, °C.
        seed: for whatever else is random about it.
        packets: frames the actor may make for it at most; relayed ones do not count.
        cost_s: real time it will take, s, about.
        approach_ns: when it starts to get ready; on the path this is before the onset.
        begin_ns: start of the act; who has to be on the path must have confirmed by then that it is.
        end_ns: when it starts to leave.
        acts: what is done; none for kinds where being there is all.
    """

    id: str
    kind: KindName
    variant: str
    unit: Target
    onset: Count
    readings: Count
    sensors: tuple[Sensor, ...]
    parameters: dict[str, Number] = {}
    intensity: Number | None = None
    stealth: bool = False
    normal: dict[Sensor, tuple[Number, Number]] = {}
    seed: int = 0
    packets: Count = 0
    cost_s: Number = 0.0
    approach_ns: Nanoseconds
    begin_ns: Nanoseconds
    end_ns: Nanoseconds
    acts: tuple[Act, ...]

    @property
    def row(self) -> Kind:
        """The row of its kind in the taxonomy."""
        return KINDS[self.kind]


class Plan(_Model):
    """Every reading slot and every episode of a run.

    Attributes:
        scenario: the scenario it follows from.
        start_ns: local midnight of the first day, ns since the epoch, UTC.
        utc_offset_s: declared offset of local time from UTC, s.
        episodes: all episodes, in order of time.
    """

    scenario: Scenario
    start_ns: int
    utc_offset_s: int
    episodes: tuple[Episode, ...]

    def day_ns(self, day: int) -> int:
        """Return local midnight of a day (from 0), ns since the epoch."""
        return self.start_ns + day * DAY

    def day_slots(self, day: int) -> range:
        """Return the slots of a day (from 0)."""
        per_day = self.scenario.slots_per_day
        return range(day * per_day, min((day + 1) * per_day, self.scenario.slots))

    def connect_ns(self, day: int, unit: str) -> int:
        """Return when a unit connects on a day, ns since the epoch."""
        return self.day_ns(day) + CONNECT + stagger_ns(self.scenario, unit)

    def reading_ns(self, slot: int, unit: str) -> int:
        """Return when a unit takes the readings of a slot, ns since the epoch."""
        return reading_ns(self.scenario, self.start_ns, slot, unit)

    def disconnect_ns(self, day: int, unit: str) -> int:
        """Return when a unit disconnects at the end of a day, ns since the epoch."""
        slots = self.day_slots(day)
        length = round(len(slots) * self.scenario.interval_s * SECOND)
        return self.day_ns(day) + length + DISCONNECT + stagger_ns(self.scenario, unit)

    def episodes_on(self, days: range) -> list[Episode]:
        """Return the episodes whose onset lies in these days."""
        per_day = self.scenario.slots_per_day
        return [episode for episode in self.episodes if episode.onset // per_day in days]

    def bystanders(self, unit: str) -> tuple[Host, ...]:
        """Return the hosts to which frames of a unit's can go astray: other units, or else the attacker's own.

        A bridge passes what is for a host it cannot see on to everybody, so they have to be there all the time.
        """
        unplugged = {episode.unit for episode in self.episodes if episode.kind == "cable"}
        others = [other for other in self.scenario.units if other not in (unit, *unplugged)]
        return tuple(UNITS[other] for other in others) or (INJECTOR,)

    def digest(self) -> str:
        """Return the sha256 of the plan, hex; who publishes a run is no part of what is played."""
        text = self.model_dump_json(exclude={"scenario": {"publish"}})
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read ``plan.json``.

        Raises:
            InputError: if it is missing, is not a plan, or does not follow from the scenario in it.
        """
        text = read_text(path, "name a run that has a plan.json")
        try:
            plan = cls.model_validate_json(text)
        except ValidationError as error:
            raise first_problem(path, error) from error
        for key, wanted in begins(plan.scenario).items():
            if (found := getattr(plan, key)) != wanted:
                raise InputError(
                    f"{path}: key {key}", f"its scenario begins at {wanted}: the plan was edited", found
                )
        return plan


def begins(scenario: Scenario) -> dict[str, int]:
    """Return ``start_ns`` and ``utc_offset_s`` of the plan of a scenario."""
    start = scenario.start
    offset = start.utcoffset()
    assert offset is not None  # noqa: S101 - an aware datetime has one
    return {"start_ns": int(start.timestamp()) * SECOND, "utc_offset_s": int(offset.total_seconds())}


def stagger_ns(scenario: Scenario, unit: str) -> int:
    """Return how long after the first unit a unit wakes, ns; 0 for the broker, which has no readings of its own."""
    names: list[str] = list(scenario.units)
    return names.index(unit) * UNIT_STAGGER if unit != BROKER else 0


def reading_ns(scenario: Scenario, start_ns: int, slot: int, unit: str) -> int:
    """Return when a unit takes the readings of a slot, ns: the grid plus stagger plus a seeded jitter."""
    stagger = stagger_ns(scenario, unit)
    jitter = seed_for(scenario.seed, f"wake/{unit}/{slot}") % (UNIT_STAGGER * 3 // 4)
    return start_ns + FIRST_READING + round(slot * scenario.interval_s * SECOND) + stagger + jitter
