"""A DHCP client (RFC 2131); the only module of the sensors that imports pyroute2, for the form of the messages.

Debian's clients wait for the end of a lease by timers of the kernel, which know no virtual time; so here the workstation says when.
"""

import socket
from random import Random
from typing import Literal

from pyroute2.dhcp.dhcp4msg import dhcp4msg  # type: ignore[import-untyped]
from pyroute2.dhcp.enums.bootp import Flag  # type: ignore[import-untyped]
from pyroute2.dhcp.enums.bootp import MessageType as Operation
from pyroute2.dhcp.enums.dhcp import MessageType, Option  # type: ignore[import-untyped]

from coldaisle_contracts.addressing import BROKER, Host
from coldaisle_contracts.background import DHCP_CLIENT_PORT, DHCP_PORT, NOWHERE
from coldaisle_contracts.cable import INTERFACE, drop_address, set_up
from coldaisle_contracts.clock import Clock
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import LeaseLine

TIMEOUT_S = 5.0
"""Longest time to wait for an answer, in s."""
_EVERYBODY = "255.255.255.255"
_SHORTEST = 300
"""Least size of a message, in bytes: that of BOOTP (RFC 1542, section 2.1)."""
_LONGEST = 1_500
_WANTED = [Option.SUBNET_MASK, Option.NAME_SERVER, Option.DOMAIN_NAME, Option.LEASE_TIME]
_SO_BINDTODEVICE = 25


class NoLeaseError(RunError):
    """The server leased no address, or another one than the plan's."""

    def __init__(self, host: Host, answer: str) -> None:
        super().__init__(
            f"{host.name} asked by DHCP for its address {host.ip} and got {answer or 'no answer'}"
        )


class Leases:
    """The lease of a host's address.

    Args:
        host: the host; the server has this address for its MAC address.
        clock: the clock for the lines.
        journal: where the lines go.
        draw: draws the numbers of the transactions.
    """

    def __init__(self, host: Host, clock: Clock, journal: Journal, draw: Random) -> None:
        self._host, self._clock, self._journal, self._draw = host, clock, journal, draw

    def obtain(self) -> None:
        """Give up the address, and get it by DISCOVER, OFFER, REQUEST and ACK (RFC 2131, section 3.1).

        Raises:
            NoLeaseError: if that fails.
        """
        drop_address()
        number = self._draw.getrandbits(32)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, f"{INTERFACE}\0".encode())
            sock.bind(("", DHCP_CLIENT_PORT))
            wants = {"parameter_list": _WANTED}
            self._exchange(sock, "discover", number, {"message_type": MessageType.DISCOVER, **wants})
            known = {"requested_ip": self._host.ip, "server_id": BROKER.ip}
            options = {"message_type": MessageType.REQUEST, **known, **wants}
            answer = self._exchange(sock, "request", number, options)
        if answer != "ack":
            raise NoLeaseError(self._host, answer)
        set_up(self._host)

    def renew(self) -> None:
        """Renew the lease by REQUEST and ACK from address to address (RFC 2131, section 4.4.5); without an answer it lasts as it is."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((self._host.ip, DHCP_CLIENT_PORT))
            options = {"message_type": MessageType.REQUEST, "parameter_list": _WANTED}
            self._exchange(sock, "renew", self._draw.getrandbits(32), options)

    def _exchange(
        self,
        sock: socket.socket,
        step: Literal["discover", "request", "renew"],
        number: int,
        options: dict[str, object],
    ) -> str:
        """Send a message and return the kind of its answer, in lower case, empty for none; journal both."""
        has_address = step == "renew"
        message = {
            "op": Operation.BOOTREQUEST,
            "xid": number,
            "flags": 0 if has_address else Flag.BROADCAST,
            "ciaddr": self._host.ip if has_address else NOWHERE,
            "chaddr": self._host.mac,
            "options": options,
        }
        at_ns, answer = self._clock.now_ns(), ""
        sock.settimeout(TIMEOUT_S)
        sock.sendto(_encoded(message), (BROKER.ip if has_address else _EVERYBODY, DHCP_PORT))
        try:
            while not answer:
                answer = self._answer(sock.recv(_LONGEST), number)
        except TimeoutError:
            pass
        self._journal.write(LeaseLine(step, number, at_ns, answer))
        return answer

    def _answer(self, data: bytes, number: int) -> str:
        """Return the kind of an answer, empty where it is one to another host or transaction."""
        answer = dhcp4msg(buf=data).decode()
        if (
            answer["op"] != Operation.BOOTREPLY
            or answer["xid"] != number
            or answer["chaddr"] != self._host.mac
        ):
            return ""
        kind = str(answer["options"]["message_type"].name).lower()
        if kind in ("offer", "ack") and answer["yiaddr"] != self._host.ip:
            return f"{kind} of {answer['yiaddr']}"
        return kind


def _encoded(message: dict[str, object]) -> bytes:
    return bytes(dhcp4msg(message).encode().buf).ljust(_SHORTEST, b"\0")
