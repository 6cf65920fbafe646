"""The devices of a site for the units that were found: names, addresses and client ids that a site can have."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from itertools import chain, count
from typing import Any

from coldaisle_analysis.decoding.mqtt import V3_1, V3_1_1, V5
from coldaisle_analysis.fitting.units_found import Found, Remarks, is_possible
from coldaisle_contracts.addressing import NETWORK, TAKEN
from coldaisle_contracts.dialects import SENSOR, USUAL, Version
from coldaisle_contracts.numbering import MOST_DEVICES
from coldaisle_contracts.site_parameters import Site
from coldaisle_contracts.units import Group, Unit

_HOSTS = NETWORK.num_addresses - 2
_VERSIONS: dict[int, Version] = {V3_1: "3.1", V3_1_1: "3.1.1", V5: "5"}
"""Version of MQTT by the level of its protocol."""


def site_of(units: Sequence[Found], remarks: Remarks) -> tuple[Site, dict[str, Found]]:
    """Return a site with units, and the units by their names in it.

    Args:
        units: the units that were found, at least one.
        remarks: takes what is different in the site.
    """
    ordered = sorted(units, key=lambda unit: (ip_address(unit.host).packed, unit.stem))
    if len(ordered) > MOST_DEVICES:
        remarks[f"hosts are left out, because a site has at most {MOST_DEVICES} devices"] += [
            unit.host for unit in ordered[MOST_DEVICES:]
        ]
    del ordered[MOST_DEVICES:]
    devices, by_name = dict[str, Group](), dict[str, Found]()
    for unit, number in zip(ordered, _numbers([unit.host for unit in ordered]), strict=True):
        group = _device(unit, number, devices.values())
        devices[group.name], by_name[group.name] = group, unit
        if unit.stem != group.client.removesuffix("{sensor}"):
            remarks[
                "client ids are new, because those of a unit are letters and digits, the last one its sensor's number"
            ].append(group.name)
        _compare(next(group.units()), unit, remarks)
        if number != _own_number(unit.host):
            remarks["addresses end in another number than that of the host, which is taken"].append(
                group.name
            )
    names = sorted(devices, key=lambda name: (len(name), name))
    content = {
        "devices": [devices[name] for name in names],
        "medians": {name: by_name[name].medians for name in names},
    }
    return Site.model_validate(content), {name: by_name[name] for name in names}


def _own_number(host: str) -> int:
    """Return the number of an address in the test network; the last byte of one in another network."""
    address = ip_address(host)
    if address in NETWORK:
        return int(address) - int(NETWORK.network_address)
    return address.packed[-1]


def _numbers(hosts: Sequence[str]) -> list[int]:
    """Return a free number for each host: its own where it is free, else the next one that is."""
    own = [_own_number(host) for host in hosts]
    first = {number: place for place, number in reversed(list(enumerate(own)))}
    used = {*TAKEN, 0, *own}
    numbers = list[int]()
    for place, number in enumerate(own):
        is_free = number not in {*TAKEN, 0} and first[number] == place
        following = chain(range(number, _HOSTS + 1), range(1, number))
        numbers.append(number if is_free else next(other for other in following if other not in used))
        used.add(numbers[-1])
    return numbers


def _device(unit: Found, number: int, others: Iterable[Group]) -> Group:
    """Return the device of a unit with the first name and the first client ids that a site can have and no other device has."""
    names, clients = {other.name for other in others}, {other.client for other in others}

    def first(values: Iterator[str], is_free: Callable[[str], bool]) -> str:
        return next(filter(is_free, values))

    name = first(_names(unit, number), lambda value: value not in names and is_possible(name=value))
    client = first(
        _clients(unit.stem, number), lambda value: value not in clients and is_possible(client=value)
    )
    keys = {"name": name, "address": number, "client": client, **_dialect(unit)}
    words = {"topic": _topic(unit), "payload": unit.sensors[0].payload}
    for own in (words, *({key: value} for key, value in words.items())):
        if is_possible(**own):
            return Group.model_validate(keys | own)
    return Group.model_validate(keys)


def _dialect(unit: Found) -> dict[str, Any]:
    """Return the keys of a unit's dialect that are not the usual ones: how most of its sensors send."""
    ((usual, _),) = Counter(sensor.spoken for sensor in unit.sensors).most_common(1)
    keys = {"version": _VERSIONS.get(usual.level, "3.1"), "qos": usual.qos, "retain": bool(usual.retain)}
    return {key: value for key, value in keys.items() if value != getattr(USUAL, key)}


def _topic(unit: Found) -> str:
    """Return the pattern of a unit's topics: the first one, with the sensor's number where the topics differ."""
    first, second = (sensor.topic for sensor in unit.sensors[:2])
    place = next((at for at, pair in enumerate(zip(first, second, strict=False)) if pair == ("1", "2")), None)
    return first if first == second or place is None else first[:place] + SENSOR + first[place + 1 :]


def _compare(device: Unit, unit: Found, remarks: Remarks) -> None:
    """Note where a device of a site publishes to other topics, or other payloads, than the unit that it stands for."""
    if any(device.topic(number) != sensor.topic for number, sensor in enumerate(unit.sensors, 1)):
        remarks[
            "topics are new, because those of a unit have letters and digits, and differ in the sensor's number only"
        ].append(device.name)
    if any(device.payload != sensor.payload for sensor in unit.sensors):
        remarks[
            "payloads are new, because those of a unit have one number, no other digit, and nothing else that changes"
        ].append(device.name)


def _names(unit: Found, number: int) -> Iterator[str]:
    stem = re.sub(r"[^a-z0-9]+", "-", unit.stem.lower()).strip("-")
    yield f"inrow-{stem}" if stem.isdecimal() else stem
    yield "unit-" + re.sub(r"[^a-z0-9]+", "-", unit.host)
    yield from (f"unit-{number}-{again}" for again in count(1))


def _clients(stem: str, number: int) -> Iterator[str]:
    if "{" not in stem:
        yield f"{stem}{{sensor}}"
    yield re.sub(r"[^A-Za-z0-9]+", "", stem) + "{sensor}"
    yield from (f"unit{number}{'x' * again}{{sensor}}" for again in count())
