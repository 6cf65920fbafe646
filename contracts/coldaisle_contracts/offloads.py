"""A network interface's offloads: what a kernel leaves to a card, and a cable's capture must not see left open.

They leave checksums open and merge messages. The requests are those of ``ethtool -K`` (linux/ethtool.h), of which a run needs
four for each of its cables: as many starts of that program would cost more than the rest of the network.
"""

import array
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_REQUEST = struct.Struct("16sP16x")
"""netdevice(7)'s ifreq: name, address of the value."""
_GET_SET = {
    "transmit checksums": (0x16, 0x17),
    "TCP segmentation": (0x1E, 0x1F),
    "generic segmentation": (0x23, 0x24),
    "generic receive": (0x2B, 0x2C),
}
"""ETHTOOL_G* and ETHTOOL_S* of each offload."""


def turn_off(name: str) -> None:
    """Turn every offload of an interface off.

    Raises:
        OSError: if there is none of that name, or it may not be set.
    """
    for _, request in _GET_SET.values():
        _ask(name, request, 0)


def left_on(name: str) -> list[str]:
    """Return the offloads of an interface that are on."""
    return [offload for offload, (request, _) in _GET_SET.items() if _ask(name, request, 0)]


def _ask(name: str, request: int, value: int) -> int:
    """Send one request and return the value that stands afterwards."""
    asked = array.array("I", [request, value])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, _REQUEST.pack(name.encode(), asked.buffer_info()[0]))
    return asked[1]
