"""Network namespaces without names: they live as long as a file descriptor, so nothing can be left behind."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import NETWORK, Host
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.processes import enter, leave

ETHTOOL_S = 30.0
"""Time ethtool has to set an interface, which takes milliseconds, s."""
_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/ip_forward": "0",
    "ipv4/tcp_early_retrans": "0",
}


def current() -> int:
    """Return a file descriptor of the calling thread's network namespace."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """Run the body in a network namespace, then come back."""
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
    as on a busy machine.
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


def build(hosts: tuple[Host, ...]) -> dict[str, int]:
    """Build the test network: a bridge in a namespace of its own, each host on it by a veth pair.

    Args:
        hosts: who is on the network.

    Returns:
        File descriptor of each host's namespace by name, and the bridge's as ``switch``.
    """
    namespaces = {"switch": create(), **{host.name: create() for host in hosts}}
    with inside(namespaces["switch"]), IPRoute() as route:
        route.link("add", ifname="br0", kind="bridge", br_stp_state=0, br_mcast_snooping=0)
        bridge = route.link_lookup(ifname="br0")[0]
        route.link("set", index=bridge, state="up")
        for number, host in enumerate(hosts):
            peer = {"ifname": "eth0", "address": host.mac, "net_ns_fd": namespaces[host.name]}
            route.link("add", ifname=f"port{number}", kind="veth", peer=peer)
            port = route.link_lookup(ifname=f"port{number}")[0]
            route.link("set", index=port, master=bridge, state="up")
    for host in hosts:
        with inside(namespaces[host.name]), IPRoute() as route:
            eth0 = route.link_lookup(ifname="eth0")[0]
            _without_offloads(host.name)
            route.addr("add", index=eth0, address=host.ip, prefixlen=NETWORK.prefixlen)
            route.link("set", index=eth0, state="up")
    return namespaces


def _without_offloads(host: str) -> None:
    """Let a capture see what a cable carries: offloads leave checksums open and merge messages.

    Raises:
        InputError: if ethtool fails, or does not end.
    """
    command = ["ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "gro", "off"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=ETHTOOL_S)  # noqa: S603 - fixed
    except subprocess.TimeoutExpired as error:
        remedy = f"did not end within {ETHTOOL_S:g} s: try again when the machine is less busy"
        raise InputError(f"ethtool on {host}", remedy) from error
    except subprocess.CalledProcessError as error:
        why = " ".join(error.stderr.split()) or f"exit code {error.returncode}"
        raise InputError(f"ethtool on {host}", f"failed ({why}): see `coldaisle doctor`") from error
