"""The one door to a network interface's flags: netdevice(7)."""

import fcntl
import socket
import struct
from typing import Protocol

from coldaisle_contracts.errors import ColdaisleError

NAME = "eth0"
"""The interface of a unit, in a container as in a namespace."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_IFREQ = struct.Struct("16sh22x")


class Cable(Protocol):
    """What connects a unit to the network."""

    def pull(self) -> None:
        """Pull it: nothing is sent or received."""

    def plug(self) -> None:
        """Plug it in again; what is plugged in stays so."""


class InterfaceError(ColdaisleError):
    """An interface could not be set."""

    exit_code = 3

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(f"interface {name} cannot be set ({error.strerror}): a unit needs it and NET_ADMIN")


class Interface:
    """A network interface that is set down and up; it keeps its address, and its routes come back with it.

    Args:
        name: its name.
    """

    def __init__(self, name: str = NAME) -> None:
        self._name = name

    def pull(self) -> None:
        """Set it down."""
        self._set(0)

    def plug(self) -> None:
        """Set it up."""
        self._set(_IFF_UP)

    def _set(self, up: int) -> None:
        name = self._name.encode("ascii")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                _, flags = _IFREQ.unpack(fcntl.ioctl(sock, _SIOCGIFFLAGS, _IFREQ.pack(name, 0)))
                fcntl.ioctl(sock, _SIOCSIFFLAGS, _IFREQ.pack(name, flags & ~_IFF_UP | up))
            except OSError as error:
                raise InterfaceError(self._name, error) from error
