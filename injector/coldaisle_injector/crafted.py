"""Frames that the attacker crafts with scapy under its own addresses; no I/O."""

import struct

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from coldaisle_contracts.addressing import BROKER, INJECTOR, NTP_PORT
from coldaisle_contracts.journal import ETHERNET
from coldaisle_injector.segments import renew

PORTS = range(2_000, 32_000)
"""Source ports of crafted frames, below those that a kernel gives its own connections."""
_NTP_QUESTION = bytes([0x23]) + bytes(47)
_HEADERS = Ether(src=INJECTOR.mac, dst=BROKER.mac) / IP(src=INJECTOR.ip, dst=BROKER.ip, flags="DF")
_SYN = bytes(_HEADERS / TCP(flags="S", window=29_200, options=[("MSS", 1460)]))
_TCP = ETHERNET + 20


def syn(source: int, port: int, seq: int) -> bytes:
    """Return a SYN to a port of the broker's host.

    Args:
        source: source port.
        port: target port.
        seq: its initial sequence number.
    """
    frame = bytearray(_SYN)  # patched: a flood needs one per millisecond, and scapy takes a third of that
    struct.pack_into("!HHI", frame, _TCP, source, port, seq)
    return renew(bytes(frame), (INJECTOR.mac, BROKER.mac))


def datagram(source: int, port: int) -> bytes:
    """Return a UDP datagram to a port of the broker's host; to the NTP port it is a query."""
    payload = _NTP_QUESTION if port == NTP_PORT else b"\x00" * 8
    return bytes(_HEADERS / UDP(sport=source, dport=port) / Raw(payload))


def question(address: str) -> bytes:
    """Return a broadcast ARP request for an address."""
    arp = ARP(op=1, hwsrc=INJECTOR.mac, psrc=INJECTOR.ip, hwdst="00:00:00:00:00:00", pdst=address)
    return bytes(Ether(src=INJECTOR.mac, dst="ff:ff:ff:ff:ff:ff") / arp)
