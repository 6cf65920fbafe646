"""A host's end of its cable: asks the switch to be plugged in, sets its own address and state (netdevice(7)).

In containers the switch is a program of its own, and nobody but it can make a link between two hosts: a host hands it a
descriptor of its own network namespace over a Unix socket, and finds an interface there.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

from coldaisle_contracts import offloads
from coldaisle_contracts.addressing import NETWORK, Host
from coldaisle_contracts.errors import ColdaisleError

INTERFACE = "eth0"
"""A host's one interface beside ``lo``."""
SWITCH = "switch.sock"
"""Socket of the switch in the timekeeper's folder."""
PLUGGED = "plugged in"
"""What the switch answers when it is done; anything else is why it is not."""
PATIENCE_S = 15.0
"""The switch answers within so long, s."""
_SET_ADDRESS, _SET_MASK, _GET_FLAGS, _SET_FLAGS, _UP = 0x8916, 0x891C, 0x8913, 0x8914, 0x1
"""ioctl requests SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFFLAGS and SIOCSIFFLAGS, and IFF_UP."""
_FLAGS, _ADDRESS = struct.Struct("16sh22x"), struct.Struct("16sH2x4s16x")
_CAPABILITIES_V3, _NET_ADMIN = 0x20080522, 1 << 12
"""Version of capset(2)'s structure, and CAP_NET_ADMIN in its first word."""


class CableError(ColdaisleError):
    """A host could not be connected to the test network."""

    exit_code = 3

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} cannot be plugged into the test network: {why}")


def plug_in(switch: Path, host: Host) -> None:
    """Have the switch make an interface in the calling process's network namespace, and set it up.

    Args:
        switch: the switch's socket.
        host: who is plugged in.

    Raises:
        CableError: if the switch does not answer or refuses, or the interface cannot be set.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(str(switch))
            namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                socket.send_fds(asking, [host.name.encode()], [namespace])
            finally:
                os.close(namespace)
            answer = asking.recv(4096).decode() or "the switch left"
        if answer != PLUGGED:
            raise CableError(host.name, answer)
        set_up(host)
    except OSError as error:
        raise CableError(host.name, f"{error.strerror or error}") from error


def set_up(host: Host) -> None:
    """Turn the offloads of the calling thread's ``eth0`` off, give it the host's address, and set it up.

    Offloads leave checksums open and merge messages; a capture should see what a cable carries.

    Raises:
        OSError: if there is none, or it may not be set.
    """
    offloads.turn_off(INTERFACE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for request, address in ((_SET_ADDRESS, host.ip), (_SET_MASK, str(NETWORK.netmask))):
            packed = _ADDRESS.pack(INTERFACE.encode(), socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(sock, request, packed)
    set_state(INTERFACE, up=True)


def set_state(name: str, *, up: bool) -> None:
    """Set an interface up or down; it keeps its address, and its routes come back with it.

    Raises:
        OSError: if there is none of that name, or it may not be set.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        _, flags = _FLAGS.unpack(fcntl.ioctl(sock, _GET_FLAGS, _FLAGS.pack(name.encode(), 0)))
        fcntl.ioctl(sock, _SET_FLAGS, _FLAGS.pack(name.encode(), flags & ~_UP | (_UP if up else 0)))


def let_go() -> None:
    """Give up NET_ADMIN for good: whoever is plugged in needs it no more (capabilities(7)).

    Raises:
        OSError: if the kernel refuses, which it does not for what a process may give up.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITIES_V3, 0)
    held = ctypes.create_string_buffer(24)
    if libc.capget(header, held) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    words = [*struct.unpack("=6I", held.raw)]
    words[:3] = [word & ~_NET_ADMIN for word in words[:3]]
    if libc.capset(header, struct.pack("=6I", *words)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
