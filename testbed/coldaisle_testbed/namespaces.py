"""Network namespaces without names: they exist as long as a file descriptor is open, so none can be left behind."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from pyroute2 import IPRoute  # type: ignore[import-untyped]

from coldaisle_contracts import offloads
from coldaisle_contracts.addressing import Host
from coldaisle_contracts.cable import INTERFACE, set_up
from coldaisle_testbed.processes import enter, leave

_SETTINGS = Path("/proc/sys/net")
_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/ip_forward": "0",
    "ipv4/tcp_early_retrans": "0",
    "ipv4/tcp_rmem": "4096 58400 6291456",
}


_LIMITS = ("ipv4/tcp_max_syn_backlog", "ipv4/tcp_max_tw_buckets")
"""Limits that the kernel derives from the size of the table of sockets."""
_NO_FILTER = {"bridge/bridge-nf-call-iptables": "0", "bridge/bridge-nf-call-arptables": "0"}
"""Settings of a bridge on a machine that runs containers: without them each frame would pass the empty tables of its packet filter."""
_CHILD_TABLE, _SOCKETS = "ipv4/tcp_child_ehash_entries", 1024
"""Setting with the size of the tables of sockets in namespaces that are made from this one (Linux 6.1), and the size to set."""


def small_tables() -> bool:
    """Tell whether this kernel can give each namespace a small table of sockets, in which they are found quickly."""
    return (_SETTINGS / _CHILD_TABLE).exists()


def current() -> int:
    """Return a file descriptor of the calling thread's network namespace."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def settle() -> None:
    """Move the calling thread into a network namespace of its own where it could not come back to the present one.

    Root of a user namespace may leave the machine's network, open packet sockets in the networks that it makes, and not come back.
    """
    home = current()
    leave()
    with suppress(PermissionError):
        enter(home)
    os.close(home)


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """Run the body of the block in a network namespace, then return to the former one."""
    home = current()
    enter(namespace)
    try:
        yield
    finally:
        enter(home)
        os.close(home)


def create(settings: Mapping[str, str] = MappingProxyType({})) -> int:
    """Make a network namespace and return the file descriptor that keeps it alive.

    Without IPv6, whose router solicitations would be captured, and without forwarding, which it inherits from a
    machine that runs containers: the attacker relays by itself, a second relay in its kernel would double every frame.
    Without tail loss probes (RFC 8985): at 0.1 ms to the broker they send a FIN twice when it is not answered within 4 ms,
    as on a busy machine. With receive buffers from which windows and their scale come out as in the published captures, whatever the
    machine's own buffers are: 29,200 bytes in a SYN, and a scale of 7.

    Args:
        settings: further settings of the kernel for it, by their path below ``/proc/sys/net``.
    """
    home = current()
    leave()
    try:
        _write({**_SYSCTLS, **settings})
        with IPRoute() as route:
            route.link("set", index=1, state="up")
        return current()
    finally:
        enter(home)
        os.close(home)


def _write(settings: Mapping[str, str]) -> None:
    """Change settings of the calling thread's namespace; those that this kernel does not have are left out."""
    for setting, value in settings.items():
        path = _SETTINGS / setting
        if path.exists():
            path.write_text(value, encoding="ascii")


def _read(settings: Iterable[str]) -> dict[str, str]:
    """Return settings of the calling thread's namespace."""
    return {setting: (_SETTINGS / setting).read_text(encoding="ascii").strip() for setting in settings}


class Bridge:
    """The Ethernet switch of the test network, in the network namespace of the thread that makes it."""

    def __init__(self) -> None:
        self._route, self._ports = IPRoute(), 0
        self._route.link("add", ifname="br0", kind="bridge", br_stp_state=0, br_mcast_snooping=0)
        self._bridge = self._route.link_lookup(ifname="br0")[0]
        self._route.link("set", index=self._bridge, state="up")

    def plug(self, host: Host, namespace: int) -> None:
        """Link a host to the bridge by a veth pair; its end appears in its namespace, down and without an address.

        The calling thread is in the bridge's namespace.

        Args:
            host: the host; its end of the pair gets its MAC address.
            namespace: file descriptor of its network namespace.
        """
        port = f"port{self._ports}"
        self._ports += 1
        peer = {"ifname": INTERFACE, "address": host.mac, "net_ns_fd": namespace}
        self._route.link("add", ifname=port, kind="veth", peer=peer)
        offloads.turn_off(port)
        index = self._route.link_lookup(ifname=port)[0]
        self._route.link("set", index=index, master=self._bridge, state="up")

    def close(self) -> None:
        """Close the connection to the kernel; the bridge itself exists as long as its namespace."""
        self._route.close()


def build(hosts: tuple[Host, ...]) -> dict[str, int]:
    """Build the test network: a bridge in a namespace of its own, each host on it by a veth pair.

    The kernel finds the sockets of a host in a small table of its own. It would walk through the machine's table of a quarter of a
    million places each time that it is asked for them, and the timekeeper asks often.

    Args:
        hosts: the hosts of the network.

    Returns:
        File descriptor of each host's namespace by name, and the bridge's as ``switch``.
    """
    namespaces = {"switch": create()}
    limits = _read(_LIMITS)
    with inside(namespaces["switch"]):
        _write({_CHILD_TABLE: str(_SOCKETS), **_NO_FILTER})
        namespaces |= {host.name: create(limits) for host in hosts}
        bridge = Bridge()
        for host in hosts:
            bridge.plug(host, namespaces[host.name])
        bridge.close()
    for host in hosts:
        with inside(namespaces[host.name]):
            set_up(host)
    return namespaces
