"""The hosts that every test network has, and the addresses that any host can get.

The network lies in 198.18.0.0/15, which RFC 2544 reserves for benchmarking, and no route leaves it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

BENCHMARKING = IPv4Network("198.18.0.0/15")
NETWORK = IPv4Network("198.18.0.0/20")
"""The test network: 4,094 addresses."""
PUBLISHED = IPv4Network("198.18.0.0/24")
"""The part of it that has as many addresses as the network of the published captures; an ARP sweep asks for these."""

MQTT_PORT, TLS_PORT = 1883, 8883
MQTT_PORTS = (MQTT_PORT, TLS_PORT)
"""Ports on which a broker takes MQTT: as plaintext, and within TLS."""
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
    def number(self) -> int:
        """Its number in the network."""
        return int(IPv4Address(self.ip)) - int(NETWORK.network_address)


def host(name: str, role: str, number: int) -> Host:
    """Return a host by its number in the network, from 1."""
    ip = NETWORK.network_address + number
    return Host(name, role, str(ip), f"02:42:{ip.packed.hex(':')}")


BROKER_NUMBER, INJECTOR_NUMBER = 1, 66
BROKER = host("broker", "broker", BROKER_NUMBER)
NTP = Host("ntp", "ntp", BROKER.ip, BROKER.mac)
"""The time server shares the broker's address, as in the published captures, so the capture sees NTP too."""
INJECTOR = host("injector", "injector", INJECTOR_NUMBER)
TAKEN = frozenset({BROKER_NUMBER, INJECTOR_NUMBER})
"""Numbers of the hosts that every network has."""
