"""Frames that the attacker forges or alters: frequent ones byte by byte, the others with scapy; no I/O."""

import struct

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether

from coldaisle_contracts.addressing import host
from coldaisle_contracts.journal import ETHERNET
from coldaisle_injector.segments import ACK, PSH, RST, SYN, Segment, complete, readdress

_IP_ID = 4
"""Offset of the identification in an IPv4 header."""
_TCP = 20
"""Bytes of a TCP header without options."""
_ECN = 0b11
"""The bits of explicit congestion notification beside the DSCP (RFC 3168)."""
_DF = 0b010
"""The don't-fragment bit of an IPv4 header's three flags."""
_STAMPED = bytes((1, 1, 8, 10))
"""Two NOPs, then the kind and length of the timestamps (RFC 7323, appendix A)."""


def arp_claim(attacker: str, victim: tuple[str, str], claimed_ip: str, operation: int = 1) -> bytes:
    """Return an ARP frame to the victim whose sender is ``claimed_ip`` at the attacker's MAC address.

    Linux adds the sender of a question that it has to answer to its cache at once, even if the cache has no entry for it.

    Args:
        attacker: attacker's MAC address.
        victim: the victim's IPv4 and MAC address.
        claimed_ip: IPv4 address of the host whose place the attacker takes.
        operation: 1 for a question (who-has), 2 for the answer to the victim's own (is-at).
    """
    ip, mac = victim
    arp = ARP(op=operation, hwsrc=attacker, psrc=claimed_ip, hwdst=mac, pdst=ip)
    return bytes(Ether(src=attacker, dst=mac) / arp)


def arp_restore(attacker: str, victim: tuple[str, str], owner: tuple[str, str]) -> bytes:
    """Return a gratuitous ARP with the true MAC address of the owner of an address; it requires no answer."""
    owner_ip, owner_mac = owner
    frame = Ether(src=attacker, dst=victim[1])
    return bytes(frame / ARP(op=1, hwsrc=owner_mac, psrc=owner_ip, hwdst=victim[1], pdst=owner_ip))


def forge(
    segment: Segment,
    macs: tuple[str, str],
    numbers: tuple[int, int],
    times: tuple[int, int],
    payload: bytes,
    flags: int = 0,
) -> bytes:
    """Return a new segment in the name of the sender of ``segment``, with its header fields.

    Args:
        segment: a segment seen in the same direction.
        macs: source and target MAC address.
        numbers: sequence and acknowledgement number.
        times: TSval and TSecr.
        payload: its payload; without any it is a pure ACK.
        flags: further TCP flags.
    """
    start, end = segment.span
    options = segment.frame[start + _TCP : end - len(segment.payload)]
    if segment.tsval:
        options = _STAMPED + struct.pack("!II", *times)
    out = bytearray(readdress(segment.frame[: start + _TCP], *macs)) + options + payload
    (number,) = struct.unpack_from("!H", out, ETHERNET + _IP_ID)
    struct.pack_into("!H", out, ETHERNET + _IP_ID, (number + 1) & 0xFFFF)
    words, flags = (_TCP + len(options)) // 4, ACK | (PSH if payload else 0) | flags
    struct.pack_into("!IIBB", out, start + 4, *numbers, words << 4, flags)
    return complete(out)


def refusal(segment: Segment, macs: tuple[str, str]) -> bytes:
    """Return the RST with which a host answers a SYN to a port where nobody listens (RFC 9293, section 3.10.7.1).

    Args:
        segment: the SYN.
        macs: source and target MAC address.
    """
    return answer(segment, macs, (0, segment.seq + 1), RST | ACK, window=0)


def answer(
    segment: Segment,
    macs: tuple[str, str],
    numbers: tuple[int, int],
    flags: int,
    payload: bytes = b"",
    window: int = 64_240,
) -> bytes:
    """Return a segment in the name of the host that another segment was sent to.

    Args:
        segment: the other segment.
        macs: source and target MAC address.
        numbers: sequence and acknowledgement number, modulo 2^32.
        flags: its TCP flags.
        payload: its payload.
        window: its window, in bytes.
    """
    source, target = macs
    seq, ack = (number & 0xFFFFFFFF for number in numbers)
    options = [("MSS", 1460)] if flags & SYN else []
    ip = IP(src=segment.target, dst=segment.source, id=0, flags="DF")
    tcp = TCP(
        sport=segment.dport,
        dport=segment.sport,
        seq=seq,
        ack=ack,
        flags=flags,
        window=window,
        options=options,
    )
    return bytes(Ether(src=source, dst=target) / ip / tcp / payload)


def tampered(frame: bytes, field: str, value: int) -> bytes:
    """Return a frame with one header field set and right checksums, unless the field is a checksum.

    Args:
        frame: an Ethernet frame with a TCP segment.
        field: layer and field, a variant of tampering that does not start with ``mqtt``.
        value: the value of the field; it is added to a sequence or acknowledgement number, and for ``eth.dst`` it is the number of a host
            of the network.
    """
    ether = Ether(frame)
    ip, tcp = ether[IP], ether[TCP]
    checksum = tcp.chksum
    del ip.chksum, tcp.chksum
    match field:
        case "eth.dst":
            ether.dst = host("astray", "unit", value).mac
        case "ip.dscp":
            ip.tos = value << 2 | ip.tos & _ECN
        case "ip.ecn":
            ip.tos = ip.tos & ~_ECN | value
        case "ip.df":
            ip.flags = int(ip.flags) & ~_DF | value * _DF
        case "tcp.push":
            tcp.flags = int(tcp.flags) & ~PSH | value * PSH
        case "tcp.seq" | "tcp.ack":
            number = field.removeprefix("tcp.")
            setattr(tcp, number, (getattr(tcp, number) + value) & 0xFFFFFFFF)
        case "tcp.checksum":
            tcp.chksum = value if value != checksum else value ^ 1
        case "tcp.urgent":  # without URG, which would make the broker's kernel remove a byte of the message
            tcp.urgptr = value
        case _:
            layer, _, name = field.partition(".")
            setattr({"eth": ether, "ip": ip, "tcp": tcp}[layer], name, value)
    return bytes(ether)
