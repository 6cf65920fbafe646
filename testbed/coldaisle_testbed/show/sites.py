"""A site in words: its hosts as a sentence, a table for the terminal, and facts for scripts."""

from typing import Any

from rich.table import Table

from coldaisle_contracts.addressing import BROKER, INJECTOR, NETWORK
from coldaisle_contracts.site_parameters import Site
from coldaisle_contracts.topics import SENSOR_MEANING

MOST = 40
"""Most units that a table lists."""


def sentence(site: Site) -> str:
    """Return one line on a site: units, sensors, network, topic."""
    sensors = sum(len(unit.clients) for unit in site.units.values())
    topics = {unit.topic(sensor) for unit in site.units.values() for sensor in SENSOR_MEANING}
    where = min(topics) if len(topics) == 1 else f"{len(topics):,} topics"
    one = len(site.units) == 1
    beside = f"; beside them {site.beside}" if site.beside else ""
    return (
        f"{len(site.units)} {'unit' if one else 'units'} with {sensors:,} sensors in {NETWORK}, "
        f"which publish to {where} at {BROKER.ip}{beside}"
    )


def table(site: Site) -> Table:
    """Return the hosts as a table; of many units the first ones."""
    out = Table(box=None, pad_edge=False)
    for name in ("host", "address", "client ids", f"medians of {', '.join(SENSOR_MEANING.values())}, °C"):
        out.add_column(name, no_wrap=not name.startswith("medians"))
    for host in (BROKER, INJECTOR):
        out.add_row(host.name, host.ip)
    for host in site.background.hosts() if site.background else ():
        out.add_row(host.name, host.ip)
    units = list(site.units.values())
    for unit in units[:MOST]:
        values = "  ".join(f"{median:.2f}" for median in unit.medians)
        out.add_row(unit.name, unit.host.ip, f"{unit.clients[0]} to {unit.clients[-1]}", values)
    if len(units) > MOST:
        out.add_row(f"{len(units) - MOST} more")
    for companion in list(site.companions.values())[:MOST]:
        out.add_row(companion.name, companion.host.ip, companion.client, f"publishes to {companion.topic}")
    if len(site.companions) > MOST:
        out.add_row(f"{len(site.companions) - MOST} more")
    return out


def facts(site: Site) -> dict[str, Any]:
    """Return the hosts for scripts."""
    stations = site.background.hosts() if site.background else ()
    return {
        "network": str(NETWORK),
        "broker": BROKER.ip,
        "attacker": INJECTOR.ip,
        "units": [
            {
                "name": unit.name,
                "kind": unit.kind,
                "ip": unit.host.ip,
                "mac": unit.host.mac,
                "clients": list(unit.clients),
                "topics": [unit.topic(sensor) for sensor in SENSOR_MEANING],
                "payload": unit.payload,
                "medians": list(unit.medians),
            }
            for unit in site.units.values()
        ],
        "companions": [
            {
                "name": companion.name,
                "kind": companion.kind,
                "ip": companion.host.ip,
                "mac": companion.host.mac,
                "client": companion.client,
                "topic": companion.topic,
            }
            for companion in site.companions.values()
        ],
        "workstations": [{"name": host.name, "ip": host.ip, "mac": host.mac} for host in stations],
    }
