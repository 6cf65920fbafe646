"""Services of the devices that ``docker-compose.yml`` does not have: copies of the service of a unit that it has, under other names."""

from collections.abc import Iterable
from typing import Any

from coldaisle_contracts.background import DHCP_CLIENT_PORT
from coldaisle_contracts.site_parameters import Site

IN_FILE = tuple(Site().units)
"""The units that have a service in ``docker-compose.yml``; ``tests/house/test_compose_file.py`` holds them to it."""
_UNIT = "COLDAISLE_UNIT"
"""Variable that tells a service which unit it is."""


def missing(units: Iterable[str]) -> list[str]:
    """Return those of some units that have no service in ``docker-compose.yml``."""
    return [unit for unit in units if unit not in IN_FILE]


def override(parsed: dict[str, Any], units: Iterable[str], waits_for: Iterable[str] = ()) -> dict[str, Any]:
    """Return a Compose file that adds a service for each device, as an override of the one that was parsed.

    Image, command, capabilities, limits, mounts and settings are those of a unit that the parsed file has, so they stand there once.

    Args:
        parsed: the parsed ``docker-compose.yml``.
        units: devices that it has no service for.
        waits_for: services of the background traffic, for which they wait; a workstation may then use the port of a DHCP client.
    """
    model = next(
        service
        for service in parsed["services"].values()
        if _UNIT in (service.get("environment") or {}) and "build" not in service
    )
    if others := {name: {"condition": "service_healthy"} for name in waits_for}:
        ports = {"net.ipv4.ip_unprivileged_port_start": str(DHCP_CLIENT_PORT)}
        waiting = {"depends_on": {**model["depends_on"], **others}, "sysctls": {**model["sysctls"], **ports}}
        model = {**model, **waiting}
    return {
        "services": {unit: {**model, "environment": {**model["environment"], _UNIT: unit}} for unit in units}
    }
