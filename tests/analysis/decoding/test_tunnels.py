"""Tunnels, and headers between link and network layer: the columns are those of the packet inside, and what is not read is named."""

import shutil
import struct
from pathlib import Path

import pytest
from scapy.all import IP, UDP, Dot1Q, Ether, IPv6, Packet, Raw  # type: ignore[attr-defined]
from tests.analysis.decoding.made import (
    BROKER,
    BROKER_MAC,
    ETHERNET,
    UNIT,
    UNIT_MAC,
    connect,
    control,
    decode,
    down,
    pcap,
    publish,
    up,
)
from tests.oracle import tshark

OUTER = IP(src="198.18.1.1", dst="198.18.1.2")
IN_GRE = IP(src="198.18.1.1", dst="198.18.1.2", proto=47)
SWITCHES = Ether(src="02:00:00:00:01:01", dst="02:00:00:00:01:02")
FRAMES = [bytes(up(connect())), bytes(up(publish(), 1000 + len(connect())))]
PACKETS = [frame[14:] for frame in FRAMES]
SNAP = b"\xaa\xaa\3\0\0\0\x08\0"
LABELS = struct.pack(">II", 100 << 12 | 64, 200 << 12 | 0x100 | 64)
RADIOTAP = b"\0\0\x08\0\0\0\0\0"


def gre(kind: int, flags: int = 0, more: bytes = b"") -> bytes:
    """Return a GRE header."""
    return struct.pack(">HH", flags, kind) + more


def vxlan(number: int) -> bytes:
    """Return a VXLAN header."""
    return struct.pack(">BxxxI", 8, number << 8)


def geneve(options: int = 0, kind: int = 0x6558) -> bytes:
    """Return a Geneve header with so many words of options."""
    return struct.pack(">BBHI", options, 0, kind, 7 << 8) + bytes(4 * options)


def ethernet(kind: int, before: bytes = b"") -> list[bytes]:
    """Return the packets in Ethernet frames behind other headers."""
    return [bytes(ETHERNET)[:12] + struct.pack(">H", kind) + before + packet for packet in PACKETS]


def pppoe(before: bytes) -> list[bytes]:
    """Return the packets in a PPPoE session, behind the number of their protocol."""
    sizes = [len(before + packet) for packet in PACKETS]
    heads = [bytes(ETHERNET)[:12] + struct.pack(">HBBHH", 0x8864, 0x11, 0, 1, size) for size in sizes]
    return [head + before + packet for head, packet in zip(heads, PACKETS, strict=True)]


def snapped(before: bytes) -> list[bytes]:
    """Return the packets in frames of IEEE 802.3."""
    return [
        bytes(ETHERNET)[:12] + struct.pack(">H", len(before + packet)) + before + packet for packet in PACKETS
    ]


def gtp(more: bytes = b"") -> list[bytes]:
    """Return the packets in GTP-U."""
    return [
        struct.pack(">BBHI", 0x34 if more else 0x30, 255, len(more + packet), 7) + more + packet
        for packet in PACKETS
    ]


def over(head: Packet, before: bytes, inner: list[bytes]) -> list[bytes]:
    """Return packets or frames in a tunnel."""
    return [bytes(SWITCHES / head / Raw(before + data)) for data in inner]


def wifi(flags: int, subtype: int = 0, more: bytes = b"", radiotap: bytes = RADIOTAP) -> list[bytes]:
    """Return the packets in 802.11 data frames."""
    unit, broker, cell, far = (
        bytes.fromhex(mac.replace(":", ""))
        for mac in (UNIT_MAC, BROKER_MAC, "02:00:00:00:09:09", "02:00:00:00:08:08")
    )
    addresses = {
        0: broker + unit + cell,
        1: cell + unit + broker,
        2: broker + cell + unit,
        3: far + cell + broker,
    }[flags & 3]
    head = bytes([subtype << 4 | 8, flags, 0, 0]) + addresses + bytes(2) + (unit if flags & 3 == 3 else b"")
    return [radiotap + head + more + SNAP + packet for packet in PACKETS]


def padded(frames: list[bytes]) -> list[bytes]:
    """Return 802.11 QoS frames whose header is padded to 28 bytes behind a radiotap header that says so, with a time before."""
    radiotap = struct.pack("<BBHII4xQBB", 0, 0, 26, 0x80000003, 0, 1, 0x20, 0)
    return [radiotap + frame[8:34] + bytes(2) + frame[34:] for frame in frames]


CARRIED: dict[str, tuple[int, list[bytes]]] = {
    "SNAP": (1, snapped(SNAP)),
    "SNAP behind a VLAN tag": (1, [frame[:12] + b"\x81\0\0\5" + frame[12:] for frame in snapped(SNAP)]),
    "LLC of IP": (1, snapped(b"\6\6\3")),
    "PPPoE": (1, pppoe(b"\0\x21")),
    "PPPoE, short protocol": (1, pppoe(b"\x21")),
    "MPLS": (1, ethernet(0x8847, LABELS)),
    "MPLS in PPPoE": (1, pppoe(b"\2\x81" + LABELS)),
    "Ethernet in MPLS": (1, [bytes(SWITCHES)[:12] + b"\x88\x47" + LABELS + frame for frame in FRAMES]),
    "Ethernet in MPLS with a control word": (1, [bytes(SWITCHES)[:12] + b"\x88\x47" + LABELS + bytes(4) + frame for frame in FRAMES]),
    "GRE": (1, over(IN_GRE, gre(0x0800), PACKETS)),
    "GRE with all fields": (1, over(IN_GRE, gre(0x0800, 0xB000, bytes(12)), PACKETS)),
    "Ethernet in GRE": (1, over(IN_GRE, gre(0x6558, 0x2000, b"\0\0\7\0"), FRAMES)),
    "ERSPAN": (1, over(IN_GRE, gre(0x88BE, 0x1000, bytes(4) + b"\x10\1" + bytes(6)), FRAMES)),
    "PPTP": (1, over(IN_GRE, gre(0x880B, 0x3081, bytes(12) + b"\xff\3\0\x21"), PACKETS)),
    "VXLAN": (1, over(OUTER / UDP(sport=5, dport=4789), vxlan(42), FRAMES)),
    "VXLAN on the port of Linux": (1, over(OUTER / UDP(sport=5, dport=8472), vxlan(42), FRAMES)),
    "VXLAN over IPv6": (1, over(IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=5, dport=4789), vxlan(42), FRAMES)),
    "Geneve": (1, over(OUTER / UDP(sport=5, dport=6081), geneve(3), FRAMES)),
    "GTP-U": (1, over(OUTER / UDP(sport=5, dport=2152), b"", gtp())),
    "GTP-U with an extension": (1, over(OUTER / UDP(sport=5, dport=2152), b"", gtp(b"\0\0\0\x85" + b"\1\0\7\0"))),
    "IP in IP": (1, over(IP(src=OUTER.src, dst=OUTER.dst, proto=4), b"", PACKETS)),
    "IP in IPv6": (1, over(IPv6(src="fd00::1", dst="fd00::2", nh=4), b"", PACKETS)),
    "VXLAN in GRE in VLAN": (1, [bytes(SWITCHES / Dot1Q(vlan=3) / IN_GRE / Raw(gre(0x0800) + data[14:]))
                                 for data in over(OUTER / UDP(sport=5, dport=4789), vxlan(42), FRAMES)]),
    "PPP, no Ethernet": (9, [b"\xff\3\0\x21" + packet for packet in PACKETS]),
    "802.11": (105, wifi(0, radiotap=b"")),
    "radiotap": (127, wifi(0)),
    "802.11 to an access point": (127, wifi(1)),
    "802.11 from an access point": (127, wifi(2)),
    "802.11 between access points": (127, wifi(3)),
    "802.11 with QoS": (127, wifi(1, 8, b"\0\0")),
    "802.11 with QoS and a field for throughput": (127, wifi(0x81, 8, bytes(6))),
    "802.11 with padding": (127, padded(wifi(1, 8, b"\0\0"))),
}  # fmt: skip


UNTOLD = {"VXLAN on the port of Linux", "Ethernet in MPLS", "Ethernet in MPLS with a control word"}
"""Those that tshark reads only when it is told to."""


@pytest.mark.parametrize("name", CARRIED)
def test_the_packet_inside_is_read(tmp_path: Path, name: str) -> None:
    """Addresses, ports, flow and MQTT are those of the packet itself, and nothing is left to remark."""
    link, frames = CARRIED[name]
    tables = decode(pcap(tmp_path / "made.pcap", frames, link))
    assert tables.message("msgtype") == [1, 3]
    assert tables.message("payload")[1] == b"15.54"
    assert (tables.column("ip_src"), tables.column("ip_dst")) == ([UNIT] * 2, [BROKER] * 2)
    assert (tables.column("ip_version"), tables.column("tcp_dstport"), tables.column("udp_dstport")) == (
        [4] * 2,
        [1883] * 2,
        [None] * 2,
    )
    assert tables.column("flow") == [0, 0]
    if not name.startswith(("PPP,", "GRE", "GTP", "PPTP", "IP in")):
        assert tables.column("eth_src") == [UNIT_MAC] * 2
        assert tables.column("eth_dst") == [BROKER_MAC] * 2
    assert tables.column("frame_len") == list(map(len, frames))
    assert (set(tables.column("malformed")), tables.remarks) == ({None}, [])


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", sorted(set(CARRIED) - UNTOLD))
def test_tshark_reads_the_same_mqtt(tmp_path: Path, name: str) -> None:
    """So the frames of these tests are what their names say."""
    link, frames = CARRIED[name]
    path = pcap(tmp_path / "made.pcap", frames, link)
    seen = tshark(path, ["mqtt.msgtype", "tcp.srcport"])
    assert (seen["mqtt.msgtype"].tolist(), seen["tcp.srcport"].tolist()) == (["1", "3"], ["40001"] * 2)


def test_networks_of_a_tunnel_are_kept_apart(tmp_path: Path) -> None:
    """The same addresses in two virtual networks are two flows."""
    frames = [
        frame for number in (1, 2) for frame in over(OUTER / UDP(sport=5, dport=4789), vxlan(number), FRAMES)
    ]
    tables = decode(pcap(tmp_path / "made.pcap", frames))
    assert tables.column("flow") == [0, 0, 1, 1]
    assert tables.message("msgtype") == [1, 3] * 2


def test_keys_of_an_ip_tunnel_do_not_part_its_directions(tmp_path: Path) -> None:
    """Each end of a GRE tunnel may expect a key of its own; both directions of a connection are one flow."""
    back = bytes(down(control(0x20, b"\0\0"), 1, ack=1000 + len(connect())))[14:]
    inner = [gre(0x0800, 0x2000, b"\0\0\0\1") + PACKETS[0], gre(0x0800, 0x2000, b"\0\0\0\2") + back]
    tables = decode(pcap(tmp_path / "made.pcap", over(IN_GRE, b"", inner)))
    assert (tables.column("flow"), tables.message("msgtype")) == ([0, 0], [1, 2])


def test_what_is_not_read_is_counted_and_named(tmp_path: Path) -> None:
    """By the number that says what it is, the most frequent first."""
    frames = [
        *[Ether(src=UNIT_MAC, dst=BROKER_MAC, type=0x88CC) / Raw(bytes(40))] * 3, ETHERNET / IP(src=UNIT, dst=BROKER, proto=2) / Raw(bytes(8)),
        *[ETHERNET / IP(src=UNIT, dst=BROKER, proto=50) / Raw(bytes(40))] * 2, bytes(ETHERNET)[:12] + b"\0\x26\x42\x42\3" + bytes(35),
        bytes(ETHERNET)[:12] + b"\x88\x64\x11\0\0\1\0\x40\xc0\x21" + bytes(30), up(publish()),
        *[ETHERNET / IP(src=UNIT, dst=BROKER) / UDP(sport=5, dport=51820) / Raw(bytes(40))] * 4,
        *[bytes(ETHERNET)[:12] + b"\x08\x06\0\1\x08\0\6\x10\0\1" + bytes(60)] * 5,
    ]  # fmt: skip
    (remark,) = decode(pcap(tmp_path / "made.pcap", frames)).remarks
    assert remark == (
        "17 frames hold something that is not read: 5 EtherType 0x0806 (ARP of other addresses), 4 UDP port 51820 (WireGuard), 3 EtherType 0x88cc (LLDP), 2 IP protocol 50 (ESP), 1 PPP 0xc021 (LCP), "
        "1 LLC 0x42 (spanning tree), 1 IP protocol 2 (IGMP)"
    )


def test_80211_frames_that_are_not_read_are_named(tmp_path: Path) -> None:
    """Management, encrypted data, fragments and aggregates; frames without data hold nothing to read."""
    beacon = RADIOTAP + b"\x80\0" + bytes(34)
    sealed, whole, null = wifi(0x41)[0], wifi(1)[0], wifi(1, 4)[0][: 8 + 24]
    fragment = whole[: 8 + 22] + b"\1\0" + whole[8 + 24 :]
    aggregate = wifi(1, 8, b"\x80\0")[0]
    tables = decode(
        pcap(tmp_path / "made.pcap", [beacon, beacon, sealed, fragment, aggregate, null, whole], 127)
    )
    assert tables.message("msgtype") == [1]
    assert tables.column("eth_src")[2:] == [UNIT_MAC] * 5
    assert tables.remarks == [
        "5 frames hold something that is not read: 2 802.11 management, 1 encrypted 802.11 data, 1 802.11 fragments, 1 802.11 aggregates (A-MSDU)"
    ]


def test_kinds_beyond_those_named_are_counted_together(tmp_path: Path) -> None:
    """A flood of numbers makes no endless line."""
    frames = [
        Ether(src=UNIT_MAC, dst=BROKER_MAC, type=0x9000 + number) / Raw(bytes(40)) for number in range(400)
    ]
    (remark,) = decode(pcap(tmp_path / "made.pcap", frames)).remarks
    assert remark.startswith("400 frames hold something that is not read: 1 EtherType")
    assert remark.endswith(", 392 others")
