"""The units among the hosts of captures: four series of a host with one period are taken for the sensors of a unit."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from coldaisle_analysis.fitting.reported import Series
from coldaisle_contracts.addressing import TAKEN
from coldaisle_contracts.site_parameters import few
from coldaisle_contracts.topics import SENSORS
from coldaisle_contracts.units import Group, PerSensor

_SAME = 1.25
"""Greatest ratio of two periods that count as one."""
FOUR = len(SENSORS)
_ANY_NUMBER = max(TAKEN) + 1
"""An address with which the other keys of a device can be tried."""


class Remarks(defaultdict[str, list[str]]):
    """What a site cannot have, or has in another way: the hosts or units that it concerns, by the words that say so."""

    def __init__(self) -> None:
        super().__init__(list)

    def sentences(self) -> list[str]:
        """Return a sentence for each."""
        return [f"{words}: {few(concerned, 4)}" for words, concerned in self.items()]


@dataclass(frozen=True)
class Found:
    """A unit of a capture.

    Attributes:
        host: address of its host.
        stem: what the client ids of its sensors begin with; empty where they have nothing in common but the numbers 1 to 4.
        sensors: the series of its sensors, in order.
    """

    host: str
    stem: str
    sensors: tuple[Series, ...]

    @property
    def period_s(self) -> float:
        """Time between two readings of a sensor, in s."""
        return sorted(series.period_s for series in self.sensors)[FOUR // 2]

    @property
    def medians(self) -> PerSensor:
        """Median of each sensor, in °C."""
        coolant_in, coolant_out, supply, return_air = (series.median for series in self.sensors)
        return coolant_in, coolant_out, supply, return_air

    @property
    def gets_warmer(self) -> bool:
        """Whether water comes back warmer than it went in, and so does air."""
        coolant_in, coolant_out, supply, return_air = self.medians
        return coolant_out > coolant_in and return_air > supply


def is_possible(**keys: Any) -> bool:
    """Tell whether a device of a site can have the values of some keys."""
    try:
        Group(**{"address": _ANY_NUMBER, **keys})
    except ValueError:
        return False
    return True


def find(series: Sequence[Series], remarks: Remarks) -> list[Found]:
    """Return the units among hosts.

    Args:
        series: all series of the captures.
        remarks: takes what is left out.
    """
    by_host = groupby(sorted(series, key=lambda sensor: sensor.host), key=lambda sensor: sensor.host)
    return [unit for host, own in by_host for unit in _units(host, list(own), remarks)]


def _units(host: str, series: Sequence[Series], remarks: Remarks) -> Iterator[Found]:
    """Yield the units of one host."""
    steady = [sensor for sensor in series if sensor.is_regular]
    if count := len(series) - len(steady):
        remarks["series without a regular period are left out"].append(f"{host} ({count})")
    if len(named := [sensor for sensor in steady if sensor.client]) not in (0, len(steady)):
        remarks["readings before the CONNECT of their client are left out"].append(host)
        steady = named
    for group in _fours(steady):
        if len(group) != FOUR:
            period = f"{len(group)} every {group[0].period_s:.3g} s"
            remarks["hosts without four series of one period are left out"].append(f"{host} ({period})")
            continue
        unit = _warmest_last(_in_order(host, group), remarks)
        if is_possible(medians=unit.medians):
            yield unit
        else:
            medians = ", ".join(f"{median:g}" for median in unit.medians)
            remarks["hosts whose values are no temperatures of a unit are left out"].append(
                f"{host} ({medians})"
            )


def _fours(series: Sequence[Series]) -> Iterator[list[Series]]:
    """Yield the series of each period; where they are not four, those of each client id without its last character."""
    groups = list[list[Series]]()
    for sensor in sorted(series, key=lambda sensor: sensor.period_s):
        if groups and sensor.period_s <= _SAME * groups[-1][0].period_s:
            groups[-1].append(sensor)
        else:
            groups.append([sensor])
    for group in groups:
        by_stem = defaultdict[str, list[Series]](list)
        for sensor in group:
            by_stem[sensor.client[:-1] if len(group) != FOUR else ""].append(sensor)
        yield from by_stem.values()


def _in_order(host: str, group: Sequence[Series]) -> Found:
    """Return a unit whose sensors are in the order of their client ids, if these end with 1 to 4."""
    stem = group[0].client[:-1]
    by_number = {sensor.client.removeprefix(stem): sensor for sensor in group}
    if stem and set(by_number) == set(map(str, SENSORS)):
        return Found(host, stem, tuple(by_number[str(number)] for number in SENSORS))
    return Found(host, "", tuple(group))


def _warmest_last(unit: Found, remarks: Remarks) -> Found:
    """Return a unit in the order of its sensors' temperatures, where nothing else tells their order, or it would not cool."""
    if unit.stem and unit.gets_warmer:
        return unit
    remarks[
        "sensors are in the order of their medians, because client ids with 1 to 4 do not tell another"
    ].append(unit.host)
    return Found(unit.host, unit.stem, tuple(sorted(unit.sensors, key=lambda sensor: sensor.median)))
