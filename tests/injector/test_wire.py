"""The attacker's only socket sends no frame to a host outside the plan."""

import os
import socket

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw
from tests.injector.made import UNIT, segment
from tests.published import HOSTS, UNITS

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_injector import crafted, frames
from coldaisle_injector.segments import readdress
from coldaisle_injector.wire import ForbiddenFrameError, Guard, Wire

STRANGER = "02:42:ac:11:00:02"
_ETHER = Ether(src=INJECTOR.mac, dst=BROKER.mac)
_ALL = Ether(src=INJECTOR.mac, dst="ff:ff:ff:ff:ff:ff")
_IP = IP(src=UNIT.ip, dst=BROKER.ip)
_ARP = ARP(hwsrc=INJECTOR.mac, psrc=UNIT.ip, hwdst=BROKER.mac, pdst=BROKER.ip)
FOREIGN = {
    "source MAC": Ether(src=STRANGER, dst=BROKER.mac) / _IP / TCP(),
    "target MAC": Ether(src=INJECTOR.mac, dst=STRANGER) / _IP / TCP(),
    "broadcast": Ether(src=INJECTOR.mac, dst="ff:ff:ff:ff:ff:ff") / _ARP,
    "broadcast in another name": _ALL / ARP(hwsrc=UNIT.mac, psrc=UNIT.ip, pdst=BROKER.ip),
    "broadcast for an address outside the network": _ALL
    / ARP(hwsrc=INJECTOR.mac, psrc=INJECTOR.ip, pdst="192.168.1.1"),
    "broadcast over IPv4": _ALL / IP(src=INJECTOR.ip, dst="198.18.0.255") / UDP(),
    "frame longer than Ethernet takes": _ETHER / _IP / UDP() / Raw(bytes(1500)),
    "source address": _ETHER / IP(src="10.0.0.1", dst=BROKER.ip) / TCP(),
    "target address": _ETHER / IP(src=UNIT.ip, dst="8.8.8.8") / UDP(),
    "nobody's address in the network": _ETHER / IP(src=UNIT.ip, dst="198.18.0.99") / TCP(),
    "ARP sender": _ETHER / ARP(hwsrc=INJECTOR.mac, psrc="192.168.1.1", hwdst=BROKER.mac, pdst=BROKER.ip),
    "ARP target": _ETHER / ARP(hwsrc=INJECTOR.mac, psrc=UNIT.ip, hwdst=BROKER.mac, pdst="192.168.1.1"),
    "ARP sender MAC": _ETHER / ARP(hwsrc=STRANGER, psrc=UNIT.ip, hwdst=BROKER.mac, pdst=BROKER.ip),
    "ARP target MAC": _ETHER / ARP(hwsrc=INJECTOR.mac, psrc=UNIT.ip, hwdst=STRANGER, pdst=BROKER.ip),
    "IPv6": _ETHER / IPv6(src="fe80::1", dst="fe80::2"),
    "VLAN": _ETHER / Dot1Q(vlan=1) / _IP / TCP(),
}


class _Socket:
    """Keeps the frames that would be sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


@pytest.fixture
def wire() -> Wire:
    """A wire whose socket only keeps the frames."""
    mute = Wire.__new__(Wire)
    mute._guard = Guard(HOSTS)
    mute.socket = _Socket()  # type: ignore[assignment]
    return mute


def _sent(wire: Wire) -> list[bytes]:
    assert isinstance(wire.socket, _Socket)
    return wire.socket.sent


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign_frame_is_refused_before_it_is_sent(wire: Wire, what: str) -> None:
    """A frame with an address or EtherType outside the plan raises an error, and nothing is sent."""
    with pytest.raises(ForbiddenFrameError, match="is not in the plan; nothing was sent"):
        wire.send(bytes(FOREIGN[what]))
    assert _sent(wire) == []


@pytest.mark.parametrize("length", [0, 5, 12, 14, 20, 33])
def test_cut_frame_is_refused(wire: Wire, length: int) -> None:
    """A frame too short for its addresses is refused."""
    with pytest.raises(ForbiddenFrameError):
        wire.send(segment().frame[:length])
    assert _sent(wire) == []


def test_what_the_attacker_makes_passes(wire: Wire) -> None:
    """Relayed segments and all three ARP frames are sent unchanged, for every unit."""
    sent = [readdress(segment(b"abc").frame, INJECTOR.mac, BROKER.mac)]
    for unit in UNITS.values():
        victim = (unit.ip, unit.mac)
        sent += [
            frames.arp_claim(INJECTOR.mac, victim, BROKER.ip),
            frames.arp_claim(INJECTOR.mac, victim, BROKER.ip, 2),
            frames.arp_restore(INJECTOR.mac, victim, (BROKER.ip, BROKER.mac)),
        ]
    for frame in sent:
        wire.send(frame)
    assert _sent(wire) == sent


@pytest.mark.parametrize("ip", ["192.168.1.7", "198.20.0.1", "198.17.255.255", "8.8.8.8"])
def test_guard_refuses_hosts_outside_the_benchmarking_range(ip: str) -> None:
    """A guard for a host outside 198.18.0.0/15 cannot be made."""
    with pytest.raises(ForbiddenFrameError, match=r"198\.18\.0\.0/15"):
        Guard([Host("stranger", "unit", ip, STRANGER)])


def test_question_to_everybody_in_the_network_passes(wire: Wire) -> None:
    """The only broadcast that the attacker may send is its own ARP question for an address of the network."""
    frame = crafted.question("198.18.0.99")
    wire.send(frame)
    assert _sent(wire) == [frame]


@pytest.mark.parametrize("address", ["8.8.8.8", "198.18.0.99", "plant.example", "::1", ""])
def test_connection_to_anybody_else_is_refused(address: str) -> None:
    """A connection to a host outside the plan is refused, and no name is resolved."""
    with pytest.raises(ForbiddenFrameError, match=f"address {address} is not in the plan"):
        Guard(HOSTS).check_target(address)


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for packet sockets")
def test_frames_the_kernel_did_not_keep_are_counted() -> None:
    """When more frames arrive than the buffer holds, the number of missed frames is returned once."""
    wire = Wire(Guard(HOSTS), "lo")
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    assert wire.dropped() == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(200):
            sender.sendto(bytes(1000), ("127.0.0.1", 9))
    assert wire.dropped() > 0
    assert wire.dropped() == 0
    wire.socket.close()
