"""What is not read of a capture: each kind of it is counted, so that a reader is told what is missing from the tables."""

from collections.abc import Iterator
from enum import IntEnum

from coldaisle_analysis.compiled import inner
from coldaisle_analysis.decoding.state import Carried

SHOWN = 8
"""How many kinds are named; the others are counted together."""


class Unread(IntEnum):
    """Where a number stands that says what follows, and what follows is not read."""

    LINK = 0
    ETHERTYPE = 1
    LLC = 2
    SNAP = 3
    PPP = 4
    MPLS = 5
    WIFI = 6
    IP = 7
    TUNNEL = 8
    UDP = 9
    PORT = 10


class Wifi(IntEnum):
    """802.11 frames that are not read: first the types that hold no data, by their numbers."""

    MANAGEMENT = 0
    CONTROL = 1
    EXTENSION = 3
    ENCRYPTED = 4
    FRAGMENT = 5
    AGGREGATE = 6


TUNNEL_PORTS = (1701, 3544, 4500, 51820)
"""UDP ports of tunnels that are not read: other ports do not say what they hold."""
_FORMS = {
    Unread.LINK: "link type {0}",
    Unread.ETHERTYPE: "EtherType {0:#06x}",
    Unread.LLC: "LLC {0:#04x}",
    Unread.SNAP: "SNAP {0:#012x}",
    Unread.PPP: "PPP {0:#06x}",
    Unread.MPLS: "MPLS payload of first half byte {0}",
    Unread.WIFI: "802.11 of type {0}",
    Unread.IP: "IP protocol {0}",
    Unread.TUNNEL: "GRE {0:#06x}",
    Unread.UDP: "UDP port {0}",
}
_NAMES: dict[tuple[int, int], str] = {
    (Unread.WIFI, Wifi.MANAGEMENT): "802.11 management",
    (Unread.WIFI, Wifi.CONTROL): "802.11 control",
    (Unread.WIFI, Wifi.EXTENSION): "802.11 extension",
    (Unread.WIFI, Wifi.ENCRYPTED): "encrypted 802.11 data",
    (Unread.WIFI, Wifi.FRAGMENT): "802.11 fragments",
    (Unread.WIFI, Wifi.AGGREGATE): "802.11 aggregates (A-MSDU)",
}
_MEANINGS: dict[tuple[int, int], str] = {
    (Unread.UDP, 1701): "L2TP", (Unread.UDP, 3544): "Teredo", (Unread.UDP, 4500): "IPsec", (Unread.UDP, 51820): "WireGuard",
    (Unread.ETHERTYPE, 0x0806): "ARP of other addresses", (Unread.ETHERTYPE, 0x8035): "RARP", (Unread.ETHERTYPE, 0x0842): "Wake-on-LAN", (Unread.ETHERTYPE, 0x8863): "PPPoE discovery",
    (Unread.ETHERTYPE, 0x888E): "EAPOL", (Unread.ETHERTYPE, 0x8809): "LACP", (Unread.ETHERTYPE, 0x88CC): "LLDP",
    (Unread.ETHERTYPE, 0x88E5): "MACsec", (Unread.ETHERTYPE, 0x88F7): "PTP", (Unread.ETHERTYPE, 0x8892): "PROFINET",
    (Unread.ETHERTYPE, 0x88A4): "EtherCAT", (Unread.ETHERTYPE, 0x88B8): "GOOSE", (Unread.ETHERTYPE, 0x9000): "loopback test",
    (Unread.LLC, 0x42): "spanning tree", (Unread.LLC, 0xE0): "IPX", (Unread.LLC, 0xF0): "NetBIOS", (Unread.LLC, 0xFE): "OSI",
    (Unread.PPP, 0xC021): "LCP", (Unread.PPP, 0x8021): "IPCP", (Unread.PPP, 0x8057): "IPv6CP", (Unread.PPP, 0xC023): "PAP",
    (Unread.PPP, 0xC223): "CHAP", (Unread.PPP, 0x00FD): "compressed", (Unread.IP, 2): "IGMP", (Unread.IP, 47): "GRE",
    (Unread.IP, 50): "ESP", (Unread.IP, 51): "AH", (Unread.IP, 59): "no next header", (Unread.IP, 88): "EIGRP",
    (Unread.IP, 89): "OSPF", (Unread.IP, 103): "PIM", (Unread.IP, 112): "VRRP", (Unread.IP, 115): "L2TP", (Unread.IP, 132): "SCTP",
}  # fmt: skip
"""Names of the usual ones (IANA's and IEEE's registers of these numbers)."""


@inner
def skip(carried: Carried, kind: int, number: int) -> None:
    """Count a frame whose rest is not read, by what a header says of that rest."""
    carried.tally[0].unread_frames += 1
    count(carried, kind, number)


@inner
def count(carried: Carried, kind: int, number: int) -> None:
    """Count what a header says; of more kinds than there is room for, the later ones have no count of their own."""
    tally = carried.tally[0]
    for place in range(tally.unread_kinds):
        entry = carried.unread[place]
        if entry.kind == kind and entry.number == number:
            entry.frames += 1
            return
    if tally.unread_kinds == len(carried.unread):
        return
    entry = carried.unread[tally.unread_kinds]
    entry.kind, entry.number, entry.frames = kind, number, 1
    tally.unread_kinds += 1


def remarks(carried: Carried) -> Iterator[str]:
    """Yield a sentence on ports that MQTT was seen on, and one that names what was not read, the most frequent first."""
    tally = carried.tally[0]
    entries = carried.unread[: tally["unread_kinds"]].tolist()
    ports = sorted((frames, number) for kind, number, frames in entries if kind == Unread.PORT)[::-1]
    if ports:
        wanted = " ".join(str(number) for _, number in ports[:SHOWN])
        total = sum(frames for frames, _ in ports)
        yield f"{total:,} connections of MQTT are on other ports and not read: `--port {wanted}` reads them instead"
    if not tally["unread_frames"]:
        return
    parts = sorted(
        ((frames, _words(Unread(kind), number)) for kind, number, frames in entries if kind != Unread.PORT),
        reverse=True,
    )
    named = [f"{frames:,} {words}" for frames, words in parts[:SHOWN]]
    rest = int(tally["unread_frames"]) - sum(frames for frames, _ in parts[:SHOWN])
    more = [f"{rest:,} others"] if rest else []
    yield f"{tally['unread_frames']:,} frames hold something that is not read: {', '.join(named + more)}"


def _words(kind: Unread, number: int) -> str:
    if (kind, number) in _NAMES:
        return _NAMES[kind, number]
    meaning = _MEANINGS.get((kind, number))
    return _FORMS[kind].format(number) + (f" ({meaning})" if meaning else "")
