"""A scenario, the description of a run, as typed TOML.

The module is longer than most because it holds the format together with all the rules that a file has to keep.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from coldaisle_contracts.chains import timed
from coldaisle_contracts.clock import zone_of
from coldaisle_contracts.companions import with_records
from coldaisle_contracts.kinds import DRAWN, KINDS, SHIPPED, KindName
from coldaisle_contracts.loops import refuse_fast_loops
from coldaisle_contracts.overrides import Overrides, merged
from coldaisle_contracts.publish import Publish, with_known_licence
from coldaisle_contracts.rhythms import SHARE, STEADY, Rhythm
from coldaisle_contracts.site_parameters import Site, few, load_site
from coldaisle_contracts.taxonomy import Kind, Parameter
from coldaisle_contracts.texts import read_toml
from coldaisle_contracts.topics import SENSORS
from coldaisle_contracts.units import Group
from coldaisle_contracts.validation import MismatchError, Model, refuse_first

UnitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
"""The name of a unit; those that there are follow from the site."""
SensorNumber = Annotated[int, Field(ge=1, le=4)]
ChainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
AccountName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
LONGEST_DRAWN = 60
"""Greatest number of readings in an episode drawn by seed."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, tzinfo=UTC)
"""Bounds of a run: a pcap file has 32 bits for the seconds since 1970, which end at 06:28:15 on the last day."""
FIRST_YEAR = FIRST.year - 1
"""Least year of a day: east of Greenwich a day may begin in the year before."""
BROKER: Final = "broker"
"""The target of an episode that attacks no unit."""
Target = UnitName
"""The name of a unit, or :data:`BROKER`."""


def _once(values: Sequence[object]) -> bool:
    """Tell whether values are named, each once."""
    return 0 < len(values) == len(set(values))


class EpisodeSpec(Model):
    """One episode that a scenario names; further keys are the parameters of its kind.

    Attributes:
        kind: kind of episode, a name in the taxonomy.
        unit: the unit attacked; left out for kinds whose target is the broker.
        day: day of the run, from 1.
        start: local time of day of the first reading attacked.
        readings: length of the episode, in slots.
        sensors: sensors attacked; all four when left out.
        variant: one of the kind's variants; drawn by seed when left out.
        intensity: from 0, barely visible, to 1, blatant: sets every parameter that is not named; drawn by seed when left out.
        stealth: whether values stay within the sensor's normal range and times within its jitter.
    """

    model_config = ConfigDict(extra="allow")

    kind: KindName
    unit: UnitName | None = None
    day: int = Field(ge=1)
    start: time
    readings: int = Field(ge=1, le=288)
    sensors: tuple[SensorNumber, ...] = SENSORS
    variant: str | None = None
    intensity: float | None = Field(default=None, ge=0, le=1)
    stealth: bool = False

    @field_validator("start")
    @classmethod
    def _local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("write the local time without an offset")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kind, able = self.row, ", ".join(other.name for other in SHIPPED.values() if other.stealth)
        whole = "attacks the broker" if kind.target == BROKER else "concerns the whole unit"
        remove = f"remove it, because {self.kind} {whole}"
        some = self.sensors != SENSORS and not kind.picks_sensors
        rows = kind.parameters if self.variant is None else self.rows(self.variant)
        idle = self.intensity is not None and not any(row.drawn for row in rows)
        scaled = self.variant if kind.parameters else self.kind
        refuse_first(
            self,
            (self.variant not in (None, *kind.variants), "variant", f"use one of {', '.join(kind.variants)}"),
            (not _once(self.sensors), "sensors", "name at least one sensor, and none twice"),
            (kind.target != BROKER and not self.unit, "unit", f"add it, because {self.kind} attacks a unit"),
            (kind.target == BROKER and bool(self.unit), "unit", remove),
            (some, "sensors", remove),
            (
                kind.brief and self.readings > 1,
                "readings",
                f"give 1, because {self.kind} ends within one slot",
            ),
            (idle, "intensity", f"remove it, because {scaled} has no parameter to scale"),
            (self.stealth and not kind.stealth, "stealth", f"remove it, because only {able} can hide"),
        )
        for name, value in self.named.items():
            self._refuse_parameter(name, value)
        return self

    def _refuse_parameter(self, name: str, value: Any) -> None:
        rows = [row for row in self.row.parameters if row.name == name]
        if not rows:
            names = ", ".join(dict.fromkeys(row.name for row in self.row.parameters)) or "none"
            raise MismatchError(
                name, None, f"remove it, because {self.kind} has no such parameter (it has {names})"
            )
        of_variant = [row for row in rows if self.variant is not None and row.of(self.variant)]
        if not of_variant and any(row.variants for row in rows):
            able = ", ".join(dict.fromkeys(variant for row in rows for variant in row.variants))
            raise MismatchError(name, value, f"leave it out, or name a variant that has it: {able}")
        row = (of_variant or rows)[0]
        if self.stealth and row.overt:
            raise MismatchError(name, value, f"remove it or stealth: an episode that hides has no {name}")
        if type(value) not in (int, float) or not row.least <= value <= row.most:
            remedy = f"give {row.least:g} to {row.most:g} {row.unit}".removesuffix(" 1")
            raise MismatchError(name, value, remedy)
        if row.whole and value != round(value):
            raise MismatchError(name, value, "give a whole number")

    @property
    def row(self) -> Kind:
        """The row of its kind in the taxonomy."""
        return KINDS[self.kind]

    @property
    def target(self) -> Target:
        """The unit attacked, or :data:`BROKER`."""
        return self.unit or BROKER

    @property
    def named(self) -> dict[str, float]:
        """The parameters that it names."""
        return dict(self.model_extra or {})

    def rows(self, variant: str) -> list[Parameter]:
        """Return the parameters of its kind that a variant has."""
        return [row for row in self.row.parameters if row.of(variant) and not (self.stealth and row.overt)]


class Chain(Model):
    """Attacks that belong together, one after the other; the labels have its name and the number of each step.

    Attributes:
        name: its name, in the column ``chain`` of every level.
        steps: its episodes, two or more, in order of time; a step may have ``after_min``, minutes from the start of the step before, in
            place of ``day`` and ``start``.
    """

    name: ChainName
    steps: tuple[EpisodeSpec, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _timed(cls, content: Any) -> Any:
        if isinstance(content, dict) and isinstance(steps := content.get("steps"), list | tuple):
            return {**content, "steps": timed(steps)}
        return content

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.steps) == 1:
            raise MismatchError("steps", 1, "give two steps or more: one alone is an episode")
        for number, step in enumerate(self.steps):
            if step.row.benign:
                raise MismatchError(
                    f"steps.{number}.kind", step.kind, "name an attack: a chain has no benign step"
                )
            if number and (step.day, step.start) <= (
                self.steps[number - 1].day,
                self.steps[number - 1].start,
            ):
                remedy = "start later than the step before: the steps are in order of time"
                raise MismatchError(f"steps.{number}.start", str(step.start), remedy)
        return self


class Drawn(Model):
    """Episodes that the plan draws by seed, spread over days, units and hours.

    Attributes:
        count: number of episodes.
        clean_days: days without an episode at the start of the run.
        readings: shortest and longest episode, in slots.
        kinds: relative frequency of each kind; a faulty sensor, or a kind of another package, is drawn only where it is named.
        stealth: whether the kinds that can hide do so.
    """

    count: int = Field(default=0, ge=0, le=1000)
    clean_days: int = Field(default=1, ge=0)
    readings: tuple[int, int] = (3, 12)
    kinds: dict[KindName, Annotated[float, Field(gt=0, le=1e6)]] = Field(
        default_factory=lambda: dict.fromkeys(DRAWN, 1.0), min_length=1
    )
    stealth: bool = False

    @field_validator("readings")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1] <= LONGEST_DRAWN:
            raise ValueError(f"give two numbers with 1 <= shortest <= longest <= {LONGEST_DRAWN}")
        return value


class Scenario(Model):
    """The description of a run; the plan follows from it and its seed.

    Attributes:
        name: short name, part of the run's id.
        seed: every random choice follows from it.
        first_day: local date of the first day; days start at local midnight. A run lies between 1970-01-01 and 2106-02-07, UTC.
        time_zone: IANA name; its offset from UTC must not change during the run.
        duration_h: length of the run, in h.
        interval_s: time between two slots, in s; a sensor takes a reading in each, unless the group of its unit says otherwise.
        units: the units that run; without any, all of the site.
        time: ``virtual`` skips idle time, ``real`` does not.
        ntp_every: number of readings from one NTP query of a controller to the next.
        keepalive_s: MQTT keepalive, in s; longer than the interval, so no PINGREQ is due.
        accounts: names and passwords that the broker knows; every other client is anonymous.
        site: the units that there are, and the parameters of their model.
        drawn: episodes drawn by seed.
        episodes: episodes named one by one.
        chains: attacks that belong together, step by step.
        added: episodes that were put in while the run was played; all others stay as they are without them.
        publish: authors and terms of the run as a data set; they do not change the run.
    """

    name: str
    seed: int = Field(ge=0, lt=2**32)
    first_day: date
    time_zone: str
    duration_h: float = Field(gt=0, le=24 * 92)
    interval_s: float = Field(default=300.0, ge=10.0, le=3600.0)
    units: tuple[UnitName, ...] = ()
    time: Literal["virtual", "real"] = "virtual"
    ntp_every: int = Field(default=4, ge=1)
    keepalive_s: int = Field(default=3600, ge=10, le=65535)
    accounts: dict[AccountName, AccountName] = Field(default={})
    site: Site = Site()
    drawn: Drawn = Drawn()
    episodes: tuple[EpisodeSpec, ...] = ()
    chains: tuple[Chain, ...] = Field(default=(), exclude_if=lambda chains: not chains)
    added: tuple[EpisodeSpec, ...] = Field(default=(), exclude_if=lambda added: not added)
    publish: Publish | None = None

    @model_validator(mode="before")
    @classmethod
    def _every_unit(cls, content: Any) -> Any:
        """Let all units of the site run where none is named; if the site is not valid, its own error says so."""
        if isinstance(content, dict) and "units" not in content:
            with suppress(ValidationError):
                site = Site.model_validate(content.get("site", {}))
                return {**content, "site": site, "units": list(site.units)}
        return content

    @field_validator("name")
    @classmethod
    def _part_of_an_id(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", value):
            raise ValueError("use at most 31 lower-case letters, digits and hyphens, and no hyphen first")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zone_of(value)
        except ValueError as error:
            raise ValueError("name an IANA time zone such as 'Europe/Madrid' or 'UTC'") from error
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._refuse_days_without_stamps()
        interval = f"interval_s, {self.interval_s:g} s"
        offsets = {when.astimezone(ZoneInfo(self.time_zone)).utcoffset() for when in self._midnights}
        refuse_first(
            self,
            (len(offsets) > 1, "time_zone", "its offset changes during the run: choose other days, or UTC"),
            (86_400 % self.interval_s > 0, "interval_s", "give a divisor of a day of 86400 s"),
            (self.keepalive_s <= self.interval_s, "keepalive_s", f"make it longer than {interval}"),
            (self.slots < 1, "duration_h", f"make it at least {interval}"),
            (not _once(self.units), "units", "name at least one unit, and none twice"),
        )
        names = [chain.name for chain in self.chains]
        if twice := [name for index, name in enumerate(names) if name in names[:index]]:
            raise MismatchError("chains.name", twice[0], "two chains have this name: give each another one")
        self._refuse_strange_rhythms()
        if strange := [unit for unit in self.units if unit not in self.site.units]:
            raise MismatchError("units", strange[0], f"the site has no such unit: use {few(self.site.units)}")
        refuse_fast_loops(self.site.companions.values(), self.interval_s)
        medians = self.site.medians
        if medians and (missing := [unit for unit in self.units if unit not in medians]):
            remedy = f"add {few(missing)}, because the scenario runs them"
            raise MismatchError("site.medians", sorted(medians), remedy)
        return self

    def _refuse_strange_rhythms(self) -> None:
        """Refuse groups of units whose interval does not fit into a day or the run, or is as long as their keepalive."""
        per_day = self.slots_per_day
        for place, group in enumerate(self.site.devices):
            if not isinstance(group, Group):
                continue
            jitter_s = group.jitter_s or 0.0
            apart_s = group.every * self.interval_s + jitter_s
            apart = f"longer than {apart_s:g} s, the greatest time between two readings"
            for applies, key, remedy in (
                (per_day % group.every > 0, "every", f"give a divisor of {per_day}, the number of slots in a day"),
                (group.phase >= self.slots, "phase", f"make it less than {self.slots}, the number of slots in the run"),
                (jitter_s > self.interval_s / SHARE, "jitter_s", f"give at most a quarter of interval_s, {self.interval_s / SHARE:g} s"),
                (0 < group.keepalive_s <= apart_s, "keepalive_s", f"make it {apart}"),
                (not group.keepalive_s and self.keepalive_s <= apart_s, "every", f"make it smaller, or keepalive_s {apart}"),
            ):  # fmt: skip
                if applies:
                    raise MismatchError(f"site.devices.{place}.{key}", getattr(group, key), remedy)

    def _refuse_days_without_stamps(self) -> None:
        """Refuse a run whose times do not fit into a capture: pcap counts seconds since 1970 in 32 bits."""
        if (
            FIRST_YEAR <= self.first_day.year <= LAST.year
            and FIRST <= self.start.astimezone(UTC) <= self.end <= LAST
        ):
            return
        remedy = f"choose days from {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}, UTC, because captures count seconds since 1970 in 32 bits"
        raise MismatchError("first_day", str(self.first_day), remedy)

    @property
    def _midnights(self) -> list[datetime]:
        """Start of each day of the run and its end, UTC: a zone may leave its offset and be back before the run ends."""
        start = self.start.astimezone(UTC)
        return [*(start + timedelta(days=day) for day in range(self.days)), self.end]

    @property
    def start(self) -> datetime:
        """Local midnight at which the run starts, with its UTC offset."""
        return datetime.combine(self.first_day, time.min, ZoneInfo(self.time_zone))

    @property
    def end(self) -> datetime:
        """End of the run, UTC."""
        return self.start.astimezone(UTC) + timedelta(hours=self.duration_h)

    def keepalive_of(self, unit: str | None) -> int:
        """Return the MQTT keepalive of a unit, in s; for no unit that of the scenario."""
        keepalive_s = self.site.units[unit].dialect.keepalive_s if unit in self.site.units else 0
        return keepalive_s or self.keepalive_s

    def rhythm_of(self, unit: str | None) -> Rhythm:
        """Return when a unit takes its readings; what is no unit keeps to every slot."""
        return self.site.units[unit].rhythm if unit in self.site.units else STEADY

    def interval_of(self, unit: str | None) -> float:
        """Return the greatest time between two readings of a sensor of a unit, in s: its jitter may make the second one late."""
        rhythm = self.rhythm_of(unit)
        return rhythm.every * self.interval_s + rhythm.spread_s

    @property
    def intervals(self) -> str:
        """The times between two readings of the units, such as ``300 s`` or ``300 or 900 s``."""
        every = sorted({self.rhythm_of(unit).every for unit in self.units})
        return " or ".join(f"{count * self.interval_s:g}" for count in every) + " s"

    def least_s(self, unit: str | None) -> float:
        """Return the least time from a reading of a unit to the next slot, in s; for no unit the least one of all units."""
        units = [unit] if unit in self.site.units else self.units
        return self.interval_s - max(self.rhythm_of(name).spread_s for name in units)

    @property
    def slots_per_day(self) -> int:
        """Number of slots in a whole day: of readings of a sensor that reports in each."""
        return int(86_400 / self.interval_s)

    @property
    def slots(self) -> int:
        """Number of slots in the run."""
        return int(self.duration_h * 3600 / self.interval_s)

    @property
    def days(self) -> int:
        """Number of days of the run; the last one may be incomplete."""
        return -(-self.slots // self.slots_per_day)


DAY_OF_A_SITE: Final = {
    "seed": 2026,
    "first_day": date(2026, 3, 2),
    "time_zone": "UTC",
    "duration_h": 24,
    "drawn": {"count": 12, "clean_days": 0},
}
"""What a site is played with where its file is named in place of a scenario: one day and twelve episodes."""


def load_scenario(path: Path, seed: int | None = None, overrides: Overrides | None = None) -> Scenario:
    """Read a scenario; the file in ``site = "file.toml"`` is relative to its folder.

    A site file stands for a scenario that plays one day of it, :data:`DAY_OF_A_SITE`.

    Args:
        path: the TOML file of a scenario or of a site.
        seed: replaces the seed of the file, unless it is ``None``.
        overrides: keys that get another value than in the file.

    Raises:
        InputError: naming file, key, value and what would be right.
    """
    raw = read_toml(path, "name a readable scenario file, see scenarios/")
    if raw and raw.keys() <= Site.model_fields.keys():
        load_site(path)  # so that an error names the keys of this file
        name = re.sub("[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:31].rstrip("-")
        raw = {**DAY_OF_A_SITE, "name": name or "site", "site": raw}
    raw = merged(raw, overrides or {})
    if isinstance(raw.get("site"), str):
        raw["site"] = load_site(path.parent / raw["site"])
    elif isinstance(raw.get("site"), dict):
        raw["site"] = with_records(raw["site"], path.parent)
    if seed is not None:
        raw["seed"] = seed
    place = f"{path} with other values" if overrides else path
    return _with_known_licence(Scenario.check(raw, place), path)


def _with_known_licence(scenario: Scenario, path: Path) -> Scenario:
    """Return the scenario with its licence in the spelling of SPDX; refuse one that is neither an SPDX id nor an address."""
    if scenario.publish is None:
        return scenario
    return scenario.model_copy(update={"publish": with_known_licence(scenario.publish, path)})
