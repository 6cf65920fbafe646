"""A scenario: what a run is meant to be, as typed TOML."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site import Site, first_problem, load_site
from coldaisle_contracts.taxonomy import KINDS, KindName

UnitName = Literal["inrow-13", "inrow-15", "inrow-23", "inrow-25"]
SensorNumber = Annotated[int, Field(ge=1, le=4)]
MOST_COPIES = 30
"""Copies of one reading at most."""
LONGEST_DRAWN = 60
"""Readings in an episode drawn by seed at most."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EpisodeSpec(_Model):
    """One episode a scenario asks for by name.

    Attributes:
        kind: kind of episode, a name in the taxonomy.
        unit: the unit attacked.
        day: day of the run, from 1.
        start: local time of day of the first reading attacked.
        readings: how many slots the episode lasts.
        sensors: sensors attacked; all four when left out.
        variant: one of the kind's variants; drawn by seed when left out.
        size: °C for shift and drift (whole episode), factor for scale, copies for duplication;
            drawn by seed when left out.
    """

    kind: KindName
    unit: UnitName
    day: int = Field(ge=1)
    start: time
    readings: int = Field(ge=1, le=288)
    sensors: tuple[SensorNumber, ...] = (1, 2, 3, 4)
    variant: str | None = None
    size: float | None = None

    @model_validator(mode="after")
    def _variant_of_its_kind(self) -> Self:
        variants = KINDS[self.kind].variants
        if self.variant is not None and self.variant not in variants:
            raise ValueError(
                f"variant {self.variant!r} does not exist for {self.kind}: use one of {', '.join(variants)}"
            )
        if self.kind == "duplication" and self.size is not None and not 1 <= self.size <= MOST_COPIES:
            raise ValueError(f"size {self.size!r} is not a number of copies: give 1 to {MOST_COPIES}")
        if not self.sensors or len(set(self.sensors)) != len(self.sensors):
            raise ValueError(f"sensors {list(self.sensors)!r} must name each sensor attacked once")
        return self


class Drawn(_Model):
    """Episodes the plan draws by seed, spread over days, units and hours.

    Attributes:
        count: how many.
        clean_days: days at the start of the run that stay without any.
        readings: shortest and longest episode, in slots.
        kinds: relative frequency of each kind.
    """

    count: int = Field(default=0, ge=0, le=1000)
    clean_days: int = Field(default=1, ge=0)
    readings: tuple[int, int] = (3, 12)
    kinds: dict[KindName, Annotated[float, Field(gt=0)]] = Field(
        default_factory=lambda: {kind.name: 1.0 for kind in KINDS.values()}, min_length=1
    )

    @field_validator("readings")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1] <= LONGEST_DRAWN:
            raise ValueError(f"give shortest and longest with 1 <= shortest <= longest <= {LONGEST_DRAWN}")
        return value


class Scenario(_Model):
    """What a run is meant to be; the plan follows from it and its seed.

    Attributes:
        name: short name, part of the run's id.
        seed: every random choice follows from it.
        first_day: local date of the first day; days start at local midnight.
        time_zone: IANA name; its offset from UTC must not change during the run.
        duration_h: length of the run, h.
        interval_s: time between two readings of a sensor, s.
        units: the units that run.
        time: ``virtual`` skips idle time, ``real`` does not.
        ntp_every: a controller asks for the time every so many slots.
        keepalive_s: MQTT keepalive, s; longer than the interval, so no PINGREQ is due.
        site: parameters of the units' model.
        drawn: episodes drawn by seed.
        episodes: episodes named one by one.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    seed: int = Field(ge=0, lt=2**32)
    first_day: date
    time_zone: str
    duration_h: float = Field(gt=0, le=24 * 92)
    interval_s: float = Field(default=300.0, ge=10.0, le=3600.0)
    units: tuple[UnitName, ...] = get_args(UnitName)
    time: Literal["virtual", "real"] = "virtual"
    ntp_every: int = Field(default=2, ge=1)
    keepalive_s: int = Field(default=3600, ge=10, le=65535)
    site: Site = Site()
    drawn: Drawn = Drawn()
    episodes: tuple[EpisodeSpec, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("name an IANA time zone such as 'Europe/Madrid' or 'UTC'") from error
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.start.utcoffset() != self.end.astimezone(ZoneInfo(self.time_zone)).utcoffset():
            raise ValueError(f"{self.time_zone} changes its offset during the run: choose other days or UTC")
        if self.keepalive_s <= self.interval_s:
            raise ValueError(
                f"keepalive_s {self.keepalive_s} must be longer than interval_s {self.interval_s:g}"
            )
        if not self.units or len(set(self.units)) != len(self.units):
            raise ValueError(f"units {list(self.units)!r} must name each unit once, and at least one")
        per_day = 86_400 / self.interval_s
        if per_day != int(per_day):
            raise ValueError(f"interval_s {self.interval_s:g} must divide a day of 86400 s")
        if missing := [unit for unit in self.units if unit not in self.site.medians]:
            raise ValueError(f"site.medians has no entry for {', '.join(missing)}")
        if self.slots < 1:
            raise ValueError(
                f"duration_h {self.duration_h:g} holds no reading: make it at least one interval"
            )
        return self

    @property
    def start(self) -> datetime:
        """Local midnight at which the run starts, with its UTC offset."""
        return datetime.combine(self.first_day, time.min, ZoneInfo(self.time_zone))

    @property
    def end(self) -> datetime:
        """End of the run, UTC."""
        return self.start.astimezone(UTC) + timedelta(hours=self.duration_h)

    @property
    def slots_per_day(self) -> int:
        """Readings a sensor takes in a whole day."""
        return int(86_400 / self.interval_s)

    @property
    def slots(self) -> int:
        """Readings a sensor takes in the run."""
        return int(self.duration_h * 3600 / self.interval_s)

    @property
    def days(self) -> int:
        """Days of the run, the last one perhaps not whole."""
        return -(-self.slots // self.slots_per_day)


def load_scenario(path: Path, seed: int | None = None) -> Scenario:
    """Read a scenario; ``site = "file.toml"`` is looked up beside it.

    Args:
        path: the TOML file.
        seed: replaces the file's seed when given.

    Raises:
        InputError: naming file, key, value and what would be right.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "name a readable scenario file, see scenarios/") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(path, f"write valid TOML ({error})") from error
    if isinstance(raw.get("site"), str):
        raw["site"] = load_site(path.parent / raw["site"])
    if seed is not None:
        raw["seed"] = seed
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        raise first_problem(path, error) from error
