"""The site of the published captures, which most tests play with."""

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.site_parameters import Site

SITE = Site()
UNITS = {name: unit.host for name, unit in SITE.units.items()}
"""The hosts of its units, by name."""
HOSTS = (BROKER, INJECTOR, *UNITS.values())
"""Every host of its network."""


def client_id(unit: str, sensor: int) -> str:
    """Return the client id of a sensor."""
    return SITE.units[unit].client(sensor)
