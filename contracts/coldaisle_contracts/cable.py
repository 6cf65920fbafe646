"""A host's connection to the test network: its link from the switch, its address and its state (netdevice(7)).

In containers the switch is a program of its own, and only the switch can link two hosts. A host sends it a descriptor of its own
network namespace over a Unix socket and then finds an interface there.
"""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

from coldaisle_contracts import offloads
from coldaisle_contracts.addressing import NETWORK, Host
from coldaisle_contracts.errors import RunError

INTERFACE = "eth0"
"""The only interface of a host beside ``lo``."""
SWITCH = "switch.sock"
"""Name of the switch's socket in the timekeeper's folder."""
PLUGGED = "plugged in"
"""Answer of the switch after success; any other answer is the reason of a failure."""
PATIENCE_S = 120.0
"""Longest time to wait for the switch, in s: it plugs in one host after the other, while a hundred others start beside it."""
_SET_ADDRESS, _SET_MASK, _GET_FLAGS, _SET_FLAGS, _UP = 0x8916, 0x891C, 0x8913, 0x8914, 0x1
"""ioctl requests SIOCSIFADDR, SIOCSIFNETMASK, SIOCGIFFLAGS and SIOCSIFFLAGS, and IFF_UP."""
_FLAGS, _ADDRESS = struct.Struct("16sh22x"), struct.Struct("16sH2x4s16x")
_CAPABILITIES_V3, _NET_ADMIN = 0x20080522, 1 << 12
"""Version of capset(2)'s structure, and CAP_NET_ADMIN in its first word."""


class CableError(RunError):
    """A host could not be connected to the test network."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} cannot be plugged into the test network: {why}")


def plug_in(switch: Path, host: Host) -> None:
    """Have the switch make an interface in the calling process's network namespace, and set it up.

    Args:
        switch: the switch's socket.
        host: the host to connect.

    Raises:
        CableError: if the switch does not answer or refuses, or the interface cannot be set.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as switch_socket:
            switch_socket.settimeout(PATIENCE_S)
            switch_socket.connect(str(switch))
            namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                socket.send_fds(switch_socket, [f"{host.name} {host.number}".encode()], [namespace])
            finally:
                os.close(namespace)
            answer = switch_socket.recv(4096).decode() or "the switch left"
        if answer != PLUGGED:
            raise CableError(host.name, answer)
        set_up(host)
    except OSError as error:
        raise CableError(host.name, f"{error.strerror or error}") from error


def set_up(host: Host) -> None:
    """Turn the offloads of the calling thread's ``eth0`` off, give it the host's address, and set it up.

    Offloads leave checksums empty and merge messages, but a capture should see the frames that a cable carries.

    Raises:
        OSError: if the interface does not exist or may not be changed.
    """
    offloads.turn_off(INTERFACE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for request, address in ((_SET_ADDRESS, host.ip), (_SET_MASK, str(NETWORK.netmask))):
            packed = _ADDRESS.pack(INTERFACE.encode(), socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(sock, request, packed)
    set_state(INTERFACE, up=True)


def drop_address() -> None:
    """Take its address from the calling thread's ``eth0``.

    Raises:
        OSError: if the interface may not be changed.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        packed = _ADDRESS.pack(INTERFACE.encode(), socket.AF_INET, bytes(4))
        fcntl.ioctl(sock, _SET_ADDRESS, packed)


def set_state(name: str, *, up: bool) -> None:
    """Set an interface up or down; it keeps its address, and setting it up restores its routes.

    Raises:
        OSError: if the interface does not exist or may not be changed.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        _, flags = _FLAGS.unpack(fcntl.ioctl(sock, _GET_FLAGS, _FLAGS.pack(name.encode(), 0)))
        fcntl.ioctl(sock, _SET_FLAGS, _FLAGS.pack(name.encode(), flags & ~_UP | (_UP if up else 0)))


def let_go() -> None:
    """Give up NET_ADMIN for good, because a connected host does not need it (capabilities(7)).

    Raises:
        OSError: if the kernel refuses; it never should, since a process may always give up a capability.
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
