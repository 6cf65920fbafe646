"""The listeners of the broker: files that its configuration includes, and with TLS the certificates of the run."""

import shutil
from pathlib import Path

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, TLS_PORT
from coldaisle_contracts.listeners import CA, FALSE, TLS, Broker
from coldaisle_contracts.plan import Plan

FOLDER = "listeners"
"""Folder in the timekeeper's folder, in which mosquitto runs; ``broker/mosquitto.conf`` states the same name."""
_VERSION = {"1.2": "tlsv1.2", "1.3": "tlsv1.3"}
"""Name that mosquitto has for the least version of TLS; the units ask for the site's version and no other."""


def certify(folder: Path, plan: Plan) -> None:
    """Make the certificates of authority, broker, units and attacker for a plan whose broker has TLS, in ``tls`` of a folder.

    Args:
        folder: the timekeeper's folder, or the one around those of all shards.
        plan: the plan.
    """
    scenario, place = plan.scenario, folder / TLS
    if scenario.site.broker.tls is None:
        return
    from coldaisle_testbed.certificates import Authority  # noqa: PLC0415 - only a site with TLS needs it

    place.mkdir(0o750)
    authority = Authority.new(f"coldaisle {scenario.name}", scenario.start, scenario.end)
    authority.save(place / CA)
    hosts = [
        unit.host
        for unit in plan.units.values()
        if unit.dialect.tls and scenario.site.broker.client_certificates
    ]
    for host in (BROKER, *hosts):
        authority.certify(host, place / f"{host.name}.pem")
    Authority.new("unknown", scenario.start, scenario.end).certify(INJECTOR, place / f"{FALSE}.pem")


def write(folder: Path, broker: Broker, capture: Path) -> None:
    """Write the listeners of a broker.

    Args:
        folder: folder in which it runs; with TLS it has the certificates.
        broker: what it listens on.
        capture: folder of the captures, which keeps the certificate of the authority.
    """
    listeners = folder / FOLDER
    listeners.mkdir()
    for port in ports(broker):
        (listeners / f"{port}.conf").write_text(listener(port, broker), encoding="ascii")
    if broker.tls is not None:
        shutil.copyfile(folder / TLS / CA, capture / CA)


def ports(broker: Broker) -> list[int]:
    """Return the TCP ports on which a broker listens."""
    return [MQTT_PORT] * broker.plaintext + [TLS_PORT] * (broker.tls is not None)


def listener(port: int, broker: Broker) -> str:
    """Return the lines of a listener."""
    lines = [f"listener {port} 0.0.0.0"]
    if port == TLS_PORT and broker.tls is not None:
        lines += [
            f"cafile {TLS}/{CA}",
            f"certfile {TLS}/{BROKER.name}.pem",
            f"keyfile {TLS}/{BROKER.name}.key",
        ]
        lines += [f"tls_version {_VERSION[broker.tls]}"]
        lines += [f"require_certificate {str(broker.client_certificates).lower()}"]
    return "".join(f"{line}\n" for line in lines)
