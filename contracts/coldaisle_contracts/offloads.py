"""Offloads of a network interface: work that the kernel leaves to the network card.

They leave checksums empty and merge messages, which a capture of a cable would not show. The requests are those of ``ethtool -K``
(linux/ethtool.h). A run needs four for each cable, and starting that program so often would take longer than the rest of the network.
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
        OSError: if the interface does not exist or may not be changed.
    """
    for _, request in _GET_SET.values():
        _ask(name, request, 0)


def left_on(name: str) -> list[str]:
    """Return the names of the offloads of an interface that are on."""
    return [offload for offload, (request, _) in _GET_SET.items() if _ask(name, request, 0)]


def _ask(name: str, request: int, value: int) -> int:
    """Send one request and return the value in force afterwards."""
    setting = array.array("I", [request, value])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, _REQUEST.pack(name.encode(), setting.buffer_info()[0]))
    return setting[1]
