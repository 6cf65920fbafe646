"""The Ethernet switch of a run in containers: it plugs in each host that asks with a descriptor of its network namespace.

It needs NET_ADMIN and nothing else: the kernel lets it put one end of a link into a namespace of which it holds a descriptor.
"""

import os
import socket
from contextlib import closing, suppress
from pathlib import Path

from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import NETWORK, Host, host
from coldaisle_contracts.cable import PLUGGED, SWITCH
from coldaisle_testbed.namespaces import Bridge

_LONGEST = 64
"""More bytes than the name and number of a host have."""
_WAITING = 512
"""Most hosts that may wait to be plugged in."""


class Switch:
    """The switch in the calling process's network namespace.

    Args:
        folder: folder of its socket; any process that may enter it can be plugged in.
    """

    def __init__(self, folder: Path) -> None:
        self._bridge = Bridge()
        self._plugged: set[str] = set()  # names and addresses
        path = folder / SWITCH
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(_WAITING)

    def serve(self) -> None:
        """Plug in hosts, one after the other, until the process ends."""
        while True:
            asking, _ = self._listener.accept()
            with closing(asking):
                self.answer(asking)

    def answer(self, asking: socket.socket) -> None:
        """Read the name, number and namespace of a host, plug it in, and answer with the result or the reason of a refusal."""
        data, namespaces, _, _ = socket.recv_fds(asking, _LONGEST, 1)
        try:
            answer = self._plug(data.decode(errors="replace"), namespaces)
        finally:
            for namespace in namespaces:
                os.close(namespace)
        with suppress(OSError):  # the host did not wait, and says so itself
            asking.send(answer.encode())

    def _plug(self, request: str, namespaces: list[int]) -> str:
        asking = _host_of(request)
        if asking is None or len(namespaces) != 1:
            return f"{request!r} is no host of the test network with a network namespace"
        if taken := [key for key in (asking.name, asking.ip) if key in self._plugged]:
            return f"a host is already plugged in as {taken[0]}"
        try:
            self._bridge.plug(asking, namespaces[0])
        except (OSError, NetlinkError) as error:
            return f"the switch was refused a link ({error})"
        self._plugged |= {asking.name, asking.ip}
        return PLUGGED

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._bridge.close()


def _host_of(request: str) -> Host | None:
    """Return the host that a request names, ``None`` where it is none: its name and its number in the network."""
    name, _, number = request.partition(" ")
    if not name or not (number.isascii() and number.isdecimal() and len(number) < 6):  # noqa: PLR2004 - 4,094 at most
        return None
    return host(name, "unit", int(number)) if 0 < int(number) < NETWORK.num_addresses - 1 else None
