"""The settings of TLS for a unit's connections."""

import ssl
from pathlib import Path

from coldaisle_contracts.listeners import CA, KEY_LOG, TLS, Broker
from coldaisle_contracts.units import Unit

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def encryption_of(unit: Unit, broker: Broker, federation: Path, run: Path) -> ssl.SSLContext:
    """Return the settings with which a unit connects to the broker: the site's version of TLS, and the run's authority alone.

    The secrets of every connection are appended to the key log of the run.

    Args:
        unit: the unit.
        broker: what its broker listens on; it has TLS.
        federation: the timekeeper's folder, which has the certificates.
        run: folder of the run.
    """
    assert broker.tls is not None  # noqa: S101 - a unit is encrypted only where the broker has TLS
    folder = federation / TLS
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = _VERSIONS[broker.tls]
    context.load_verify_locations(folder / CA)
    context.keylog_filename = str(run / "capture" / KEY_LOG)
    if broker.client_certificates:
        context.load_cert_chain(folder / f"{unit.name}.pem", folder / f"{unit.name}.key")
    return context
