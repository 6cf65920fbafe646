"""Network namespaces without names: they exist as long as a file descriptor is open, so none can be left behind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute  # type: ignore[import-untyped]

from coldaisle_contracts import offloads
from coldaisle_contracts.addressing import Host
from coldaisle_contracts.cable import INTERFACE, set_up
from coldaisle_testbed.processes import enter, leave

_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/ip_forward": "0",
    "ipv4/tcp_early_retrans": "0",
    "ipv4/tcp_rmem": "4096 58400 6291456",
}


def current() -> int:
    """Return a file descriptor of the calling thread's network namespace."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


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


def create() -> int:
    """Make a network namespace and return the file descriptor that keeps it alive.

    Without IPv6, whose router solicitations would be captured, and without forwarding, which it inherits from a
    machine that runs containers: the attacker relays by itself, a second relay in its kernel would double every frame.
    Without tail loss probes (RFC 8985): at 0.1 ms to the broker they send a FIN twice when it is not answered within 4 ms,
    as on a busy machine. With receive buffers from which windows and their scale come out as in the published captures, whatever the
    machine's own buffers are: 29,200 bytes in a SYN, and a scale of 7.
    """
    home = current()
    leave()
    try:
        for setting, value in _SYSCTLS.items():
            path = Path("/proc/sys/net") / setting
            if path.exists():
                path.write_text(value, encoding="ascii")
        with IPRoute() as route:
            route.link("set", index=1, state="up")
        return current()
    finally:
        enter(home)
        os.close(home)


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

    Args:
        hosts: the hosts of the network.

    Returns:
        File descriptor of each host's namespace by name, and the bridge's as ``switch``.
    """
    namespaces = {"switch": create(), **{host.name: create() for host in hosts}}
    with inside(namespaces["switch"]):
        bridge = Bridge()
        for host in hosts:
            bridge.plug(host, namespaces[host.name])
        bridge.close()
    for host in hosts:
        with inside(namespaces[host.name]):
            set_up(host)
    return namespaces
