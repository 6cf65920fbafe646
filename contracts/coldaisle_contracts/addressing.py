"""The hosts of the test network: role, name, IPv4 address and MAC address.

The network lies in 198.18.0.0/15, which RFC 2544 reserves for benchmarking, and no route leaves it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

BENCHMARKING = IPv4Network("198.18.0.0/15")
NETWORK = IPv4Network("198.18.0.0/24")

MQTT_PORT = 1883
NTP_PORT = 123


@dataclass(frozen=True)
class Host:
    """One host of the test network.

    Attributes:
        name: also its host name and its Compose service.
        role: ``unit``, ``broker``, ``ntp`` or ``injector``.
        ip: IPv4 address in :data:`NETWORK`.
        mac: locally administered MAC address, lower case: ``02:42`` and the IPv4 address.
    """

    name: str
    role: str
    ip: str
    mac: str

    @property
    def octet(self) -> int:
        """The last octet of its address."""
        return int(self.ip.rpartition(".")[2])


def _host(name: str, role: str, octet: int) -> Host:
    ip = NETWORK.network_address + octet
    return Host(name, role, str(ip), f"02:42:{ip.packed.hex(':')}")


BROKER = _host("broker", "broker", 1)
NTP = Host("ntp", "ntp", BROKER.ip, BROKER.mac)
"""The time server shares the broker's address, as in the published captures, so the capture sees NTP too."""
INJECTOR = _host("injector", "injector", 66)
UNITS = {
    unit.name: unit
    for unit in (
        _host("inrow-13", "unit", 41),
        _host("inrow-15", "unit", 36),
        _host("inrow-23", "unit", 50),
        _host("inrow-25", "unit", 34),
    )
}
HOSTS = (BROKER, INJECTOR, *UNITS.values())
"""The hosts that have an address of their own."""
