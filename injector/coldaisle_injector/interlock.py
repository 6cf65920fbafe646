"""The interlock: the attacker starts only where none of its frames can leave the test network."""

import fcntl
import socket
import struct
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from coldaisle_contracts.addressing import BENCHMARKING, BROKER, INJECTOR, NETWORK
from coldaisle_contracts.cable import INTERFACE
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.plan import Plan

_ADDRESS, _MASK, _HARDWARE = 0x8915, 0x891B, 0x8927
"""ioctl requests SIOCGIFADDR, SIOCGIFNETMASK and SIOCGIFHWADDR (netdevice(7))."""
_INTERFACES = {"lo", INTERFACE}


class InterlockError(RunError):
    """The attacker is outside the test network, or the plan has a target outside it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the injector refuses to start: {what}; nothing was sent")


def check(plan: Plan, proc: Path = Path("/proc"), outside: str = "") -> None:
    """Refuse to start outside the test network or with a target that is not on it.

    Args:
        plan: the plan to be played.
        proc: the proc file system.
        outside: inode of the host's own network namespace; empty where the engine cannot know it.

    Raises:
        InterlockError: if an interface, an address, a route or a target does not belong to the test network.
    """
    refuse_targets(plan)
    if outside and outside == str((proc / "self/ns/net").stat().st_ino):
        raise InterlockError("this is the host's own network namespace")
    _refuse_interfaces()
    _refuse_routes(proc)


def refuse_targets(plan: Plan) -> None:
    """Refuse a target that is not on the test network.

    Raises:
        InterlockError: if the plan names one.
    """
    for name in sorted({episode.unit for episode in plan.episodes} - {*plan.units, BROKER.name}):
        raise InterlockError(f"the plan names {name!r}, which is not on the test network")
    for host in plan.hosts:
        if IPv4Address(host.ip) not in NETWORK or not NETWORK.subnet_of(BENCHMARKING):
            raise InterlockError(f"the plan has {host.name} at {host.ip}, which is not on the test network")


def _refuse_interfaces() -> None:
    names = {name for _, name in socket.if_nameindex()}
    if names != _INTERFACES:
        differing = ", ".join(sorted(names ^ _INTERFACES))
        raise InterlockError(f"the interfaces are not those of the test network: {differing} differ")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            address, mask = (_address(probe, request) for request in (_ADDRESS, _MASK))
            mac = _ioctl(probe, _HARDWARE)[18:24].hex(":")
        except OSError as error:
            raise InterlockError(f"{INTERFACE} has no address ({error.strerror})") from error
    planned = INJECTOR.ip, str(NETWORK.netmask), INJECTOR.mac
    if (address, mask, mac) != planned:
        raise InterlockError(f"{INTERFACE} is {address} {mask} {mac}, not {' '.join(planned)}")


def _ioctl(probe: socket.socket, request: int) -> bytes:
    return fcntl.ioctl(probe, request, struct.pack("256s", INTERFACE.encode()))


def _address(probe: socket.socket, request: int) -> str:
    return socket.inet_ntoa(_ioctl(probe, request)[20:24])


def _refuse_routes(proc: Path) -> None:
    """Refuse any IPv4 or IPv6 route that leaves the test network."""
    for line in (proc / "self/net/route").read_text(encoding="ascii").splitlines()[1:]:
        _, target, gateway, *_, mask = line.split()[:8]
        route = IPv4Network((_little(target), str(_little(mask))), strict=False)
        if int(gateway, 16) or not (route.subnet_of(NETWORK) and route.subnet_of(BENCHMARKING)):
            raise InterlockError(f"a route to {route} leaves the test network")
    six = proc / "self/net/ipv6_route"
    for line in six.read_text(encoding="ascii").splitlines() if six.exists() else ():
        *_, device = line.split()
        if device != "lo":
            raise InterlockError(f"IPv6 is on at {device}")


def _little(text: str) -> IPv4Address:
    """Return the address of a number that the kernel printed in its own byte order."""
    return IPv4Address(struct.pack("=I", int(text, 16)))
