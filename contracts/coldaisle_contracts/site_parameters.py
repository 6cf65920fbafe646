"""A site: its units, and the parameters of the mathematical model that stands for a real one.

The defaults are the published DAD captures' medians, noise and autocorrelation (Vigoya et al.,
Sensors 2020, 20(13), 3745); ``coldaisle fit`` estimates them from other captures.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, field_validator, model_validator

from coldaisle_contracts.addressing import Host
from coldaisle_contracts.background import Background
from coldaisle_contracts.companions import Companion, CompanionGroup, with_records
from coldaisle_contracts.devices import UNIT
from coldaisle_contracts.listeners import Broker
from coldaisle_contracts.loops import refuse_bad_loops
from coldaisle_contracts.numbering import MOST_DEVICES
from coldaisle_contracts.texts import read_toml
from coldaisle_contracts.units import WARMER, Celsius, Group, PerSensor, Unit
from coldaisle_contracts.validation import MismatchError, Model

_COOLANT = 2
"""Greatest number of a sensor in the coolant."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0, le=5.0)]
Correlation = Annotated[float, Field(gt=-1.0, lt=1.0)]


class Season(Model):
    """The site's seasonality, shared by its units through the heat load.

    The published captures show no daily cycle, so the defaults are small; turn them up to have one.

    Attributes:
        daily: amplitude of the first daily Fourier term of the return air, in °C.
        weekly: amplitude of the first weekly Fourier term of the return air, in °C.
        peak_hour: local hour of the day at which the daily term is highest, in h.
        peak_day: day of the week (Monday's midnight is 0) at which the weekly term is highest.
    """

    daily: float = Field(default=0.05, ge=0.0, le=10.0)
    weekly: float = Field(default=0.02, ge=0.0, le=10.0)
    peak_hour: float = Field(default=15.0, ge=0.0, lt=24.0)
    peak_day: float = Field(default=2.5, ge=0.0, lt=7.0)


PUBLISHED_UNITS = tuple(
    Group(number=number, address=address) for number, address in ((13, 41), (15, 36), (23, 50), (25, 34))
)
"""The four units of the published captures: client ids and the last byte of each address are theirs."""
PUBLISHED_MEDIANS = {
    "inrow-13": (11.94, 15.89, 20.00, 27.34),
    "inrow-15": (11.68, 15.36, 20.00, 27.21),
    "inrow-23": (11.13, 14.94, 20.00, 26.30),
    "inrow-25": (11.24, 15.34, 20.00, 26.80),
}
"""The median of each of their sensors, in °C."""


def _of_its_kind(content: Any, _: ValidatorFunctionWrapHandler) -> Group | CompanionGroup:
    """Read a group as what its kind says, so that an error names a key of that kind."""
    companion = isinstance(content, CompanionGroup) or (
        isinstance(content, dict) and content.get("kind", UNIT) != UNIT
    )
    return (CompanionGroup if companion else Group).model_validate(content)


AnyGroup = Annotated[Group | CompanionGroup, WrapValidator(_of_its_kind)]
"""A group of units, or of companions."""


class Site(Model):
    """A site: its units, its companions, and the parameters of the units' model.

    Attributes:
        devices: groups of units and of companions; without any, the four units of the published captures.
        broker: what the broker listens on.
        medians: per unit, the median of each sensor, in °C; when left out, those of its group, or of the published captures.
        noise: standard deviation of each sensor's short-term noise, in °C.
        autocorrelation: lag-1 autocorrelation of that noise.
        coupling: share of the noise's variance that the sensors of a unit have in common.
        drift: standard deviation of the slow drift of the chilled water, in °C.
        excursion_share: share of slots in which all sensors of a unit jump together.
        season: daily and weekly seasonality.
        background: workstations beside the units; none where it is left out.
    """

    devices: tuple[AnyGroup, ...] = Field(
        default=PUBLISHED_UNITS, min_length=1, exclude_if=lambda groups: bool(groups == PUBLISHED_UNITS)
    )
    broker: Broker = Field(default=Broker(), exclude_if=lambda broker: bool(broker == Broker()))
    medians: dict[str, tuple[Celsius, Celsius, Celsius, Celsius]] = Field(default={})
    noise: tuple[Spread, Spread, Spread, Spread] = (0.15, 0.14, 0.13, 0.13)
    autocorrelation: tuple[Correlation, Correlation, Correlation, Correlation] = (0.15, 0.13, 0.08, 0.06)
    coupling: Fraction = 0.9
    drift: Spread = 0.16
    excursion_share: Fraction = 0.045
    season: Season = Season()
    background: Background | None = Field(default=None, exclude_if=lambda table: table is None)

    @model_validator(mode="before")
    @classmethod
    def _published(cls, content: Any) -> Any:
        """Give the published units their medians."""
        if isinstance(content, dict) and not {"devices", "medians"} & content.keys():
            return {**content, "medians": PUBLISHED_MEDIANS}
        return content

    @cached_property
    def units(self) -> dict[str, Unit]:
        """Its units by name, in the order of the file."""
        units = {unit.name: unit for unit in self._every_unit()}
        changed = {name: replace(units[name], medians=medians) for name, medians in self.medians.items()}
        return units | changed

    @cached_property
    def companions(self) -> dict[str, Companion]:
        """Its companions by name, in the order of the file."""
        return {companion.name: companion for companion in self._every_companion()}

    def _every_unit(self) -> list[Unit]:
        return [
            replace(unit, dialect=replace(unit.dialect, tls=self._is_encrypted(group)))
            for group in self.devices
            if isinstance(group, Group)
            for unit in group.units()
        ]

    def _every_companion(self) -> list[Companion]:
        groups = (group for group in self.devices if isinstance(group, CompanionGroup))
        return [companion for group in groups for companion in group.companions()]

    def _is_encrypted(self, group: Group) -> bool:
        return not self.broker.plaintext if group.tls is None else group.tls

    @property
    def beside(self) -> str:
        """Its hosts beside units, broker and attacker, such as ``9 companions and 2 workstations``; empty for none."""
        stations = self.background.workstations if self.background else 0
        counts = {"companion": len(self.companions), "workstation": stations}
        return " and ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count)

    def normal(self, unit: str, sensor: int) -> tuple[float, float]:
        """Return least and greatest normal value of a sensor, in °C: three standard deviations below and above its median.

        The variances of noise, drift (coolant sensors) and season (air, and through the energy balance coolant out) are added as
        independent ones; excursions lie outside this range.
        """
        index = sensor - 1
        swing = (self.season.daily**2 + self.season.weekly**2) / 2 * (0.0, 0.3, 0.01, 1.0)[index]
        variance = self.noise[index] ** 2 + swing + (self.drift**2 if sensor <= _COOLANT else 0.0)
        reach, median = 3 * math.sqrt(variance), self.units[unit].medians[index]
        return round(median - reach, 2), round(median + reach, 2)

    @field_validator("medians")
    @classmethod
    def _warmer_coming_back(cls, value: dict[str, PerSensor]) -> dict[str, PerSensor]:
        """Refuse a unit that does not cool, because its energy balance has no solution."""
        for unit, (coolant_in, coolant_out, supply, return_air) in value.items():
            if coolant_out <= coolant_in or return_air <= supply:
                raise MismatchError(unit, value[unit], WARMER)
        return value

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        """Refuse devices that have a name, an address or client ids in common, and medians of a unit that there is not."""
        units = self._every_unit()
        companions = self._every_companion()
        if not units:
            raise MismatchError(
                "devices", None, f"add a group of the kind {UNIT}, because a site has at least one unit"
            )
        if len(units) + len(companions) > MOST_DEVICES:
            raise MismatchError(
                "devices", len(units) + len(companions), f"have 1 to {MOST_DEVICES} devices in all"
            )
        hosts = [*(unit.host for unit in units), *(companion.host for companion in companions)]
        for values, key, remedy in (
            ([host.name for host in hosts], "name", "two devices have this name: give each another one"),
            ([host.ip for host in hosts], "address", "two devices have this address: move a group"),
            ([unit.stem for unit in units], "client", _ONE_CLIENT),
            ([*(client for unit in units for client in unit.clients), *(companion.client for companion in companions)], "client", _ONE_CLIENT),
        ):  # fmt: skip
            if twice := [value for value, count in Counter(values).items() if count > 1]:
                raise MismatchError(f"devices.{key}", twice[0], remedy)
        self._refuse_shared_addresses(hosts)
        self._refuse_missing_listeners()
        if strange := sorted(set(self.medians) - {unit.name for unit in units}):
            remedy = f"the site has no such unit: use {few(unit.name for unit in units)}"
            raise MismatchError(f"medians.{strange[0]}", None, remedy)
        refuse_bad_loops(self.units, self.companions.values())
        return self

    def _refuse_missing_listeners(self) -> None:
        """Refuse devices whose listener the broker does not have."""
        for index, group in enumerate(self.devices):
            if isinstance(group, CompanionGroup):
                if not self.broker.plaintext:
                    remedy = f"give true, because a {group.kind} does without TLS"
                    raise MismatchError("broker.plaintext", value=False, remedy=remedy)
            elif self._is_encrypted(group) and self.broker.tls is None:
                raise MismatchError(f"devices.{index}.tls", group.tls, "give broker.tls, or leave this out")
            elif not self._is_encrypted(group) and not self.broker.plaintext:
                remedy = "leave it out, or give broker.plaintext = true"
                raise MismatchError(f"devices.{index}.tls", group.tls, remedy)
            elif group.fallback and not (self._is_encrypted(group) and self.broker.plaintext):
                remedy = "leave it out, or give tls = true and broker.plaintext = true: it leads from TLS to plaintext"
                raise MismatchError(f"devices.{index}.fallback", group.fallback, remedy)

    def _refuse_shared_addresses(self, devices: list[Host]) -> None:
        """Refuse workstations that have a name or an address of a device."""
        for host in self.background.hosts() if self.background else ():
            if host.name in {device.name for device in devices}:
                raise MismatchError(
                    "devices.name", host.name, "a workstation has this name: give the device another one"
                )
            if host.ip in {device.ip for device in devices}:
                remedy = "a device has this address: move the workstations, or the group"
                raise MismatchError("background.address", host.number, remedy)


_ONE_CLIENT = "two devices have these client ids: a broker lets only one of them in"


def few(names: Iterable[str], most: int = 6) -> str:
    """Return the first names of many, for a sentence."""
    every = list(names)
    return ", ".join(every[:most]) + (f" or another of {len(every)}" if len(every) > most else "")


def load_site(path: Path) -> Site:
    """Read a site from TOML: one of ``sites/``, or parameters as ``coldaisle fit`` writes them.

    Raises:
        InputError: if the file is missing or not TOML, holds an unknown key or a bad value, or names a CSV file that is not valid.
    """
    content = read_toml(path, "name a readable TOML file: one of sites/, or one that `coldaisle fit` wrote")
    return Site.check(with_records(content, path.parent), path)
