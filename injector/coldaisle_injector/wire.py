"""The attacker's only raw socket; it refuses any frame with an address outside the plan before it is sent."""

import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address

from coldaisle_contracts.addressing import BENCHMARKING, INJECTOR, NETWORK, Host
from coldaisle_contracts.cable import INTERFACE
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal import ARP, ETHERNET, IPV4

_ETH_P_ALL = 0x0003
_PACKET_OUTGOING = 4
BROADCAST = b"\xff" * 6
OURS = bytes.fromhex(INJECTOR.mac.replace(":", ""))
_FRAME_MAX, _LONGEST = 65_535, 1_514
_SOL_PACKET, _STATISTICS = 263, 6
_BUFFER = 8_000_000
"""Receive buffer to request, in bytes; the kernel may grant less."""


class ForbiddenFrameError(RunError):
    """A frame was about to be sent to or from a host that is not in the plan."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the injector refused a frame: {what} is not in the plan; nothing was sent")


def _text(address: bytes) -> str:
    return ".".join(map(str, address))


class Guard:
    """Refuses frames with an address of a host that is not on the test network.

    Args:
        hosts: the hosts of the plan.
    """

    def __init__(self, hosts: Iterable[Host]) -> None:
        hosts = tuple(hosts)
        for host in hosts:
            if IPv4Address(host.ip) not in BENCHMARKING:
                raise ForbiddenFrameError(f"address {host.ip} (outside {BENCHMARKING})")
        self._ips = {IPv4Address(host.ip).packed for host in hosts}
        self._macs = {bytes.fromhex(host.mac.replace(":", "")) for host in hosts}

    def check_target(self, address: str) -> None:
        """Accept the address of a host of the plan, before a connection to it is requested.

        Raises:
            ForbiddenFrameError: for any other, and for a name, because no name is resolved.
        """
        try:
            planned = IPv4Address(address).packed in self._ips
        except ValueError:
            planned = False
        if not planned:
            raise ForbiddenFrameError(f"address {address}")

    def check(self, frame: bytes) -> None:
        """Accept a frame of which every address is in the plan.

        Raises:
            ForbiddenFrameError: for any other, for protocols other than ARP and IPv4, and for one that is longer than Ethernet allows.
        """
        if len(frame) > _LONGEST:
            raise ForbiddenFrameError(f"a frame of {len(frame)} bytes")
        kind = frame[12:14]
        if frame[:6] == BROADCAST and kind == ARP:
            self._check_question(frame)
            return
        for mac in (frame[:6], frame[6:12]):
            self._check_mac(mac)
        if kind == IPV4:
            addresses = (frame[ETHERNET + 12 : ETHERNET + 16], frame[ETHERNET + 16 : ETHERNET + 20])
        elif kind == ARP:
            addresses = (frame[ETHERNET + 14 : ETHERNET + 18], frame[ETHERNET + 24 : ETHERNET + 28])
            for mac in (frame[ETHERNET + 8 : ETHERNET + 14], frame[ETHERNET + 18 : ETHERNET + 24]):
                self._check_mac(mac)
        else:
            raise ForbiddenFrameError(f"EtherType 0x{kind.hex()}")
        for address in addresses:
            if address not in self._ips:
                raise ForbiddenFrameError(f"address {_text(address)}")

    def _check_question(self, frame: bytes) -> None:
        """Accept a broadcast ARP question in the attacker's own name for an address of the network."""
        sender = frame[6:12], frame[ETHERNET + 8 : ETHERNET + 14], frame[ETHERNET + 14 : ETHERNET + 18]
        if sender != (OURS, OURS, IPv4Address(INJECTOR.ip).packed) or frame[ETHERNET + 7] != 1:
            raise ForbiddenFrameError("a broadcast in another name")
        target = frame[ETHERNET + 24 : ETHERNET + 28]
        if IPv4Address(target) not in NETWORK:
            raise ForbiddenFrameError(f"address {_text(target)}")

    def _check_mac(self, mac: bytes) -> None:
        if mac not in self._macs:
            raise ForbiddenFrameError(f"MAC address {mac.hex(':')}")


class Wire:
    """A packet socket on the test network (AF_PACKET, which needs NET_RAW only).

    Args:
        guard: checks every frame before it is sent.
        interface: the attacker's interface.
    """

    def __init__(self, guard: Guard, interface: str = INTERFACE) -> None:
        self._guard = guard
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self.socket.bind((interface, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.socket.setblocking(False)

    def send(self, frame: bytes) -> None:
        """Send one Ethernet frame.

        Raises:
            ForbiddenFrameError: if any of its addresses is not in the plan; the frame is not sent then.
        """
        self._guard.check(frame)
        self.socket.send(frame)

    def receive(self) -> tuple[bytes, bool] | None:
        """Return the next frame of the interface and whether its kernel sent it, ``None`` when there is none.

        Frames of :meth:`send` are not among them.
        """
        try:
            frame, address = self.socket.recvfrom(_FRAME_MAX)
        except BlockingIOError:
            return None
        return frame, address[2] == _PACKET_OUTGOING

    def dropped(self) -> int:
        """Return how many frames the kernel dropped for this socket since the last call (packet(7))."""
        _, drops = struct.unpack("II", self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 8))
        return int(drops)
