"""Every format that is decoded, made with scapy: tshark sees the same, field by field."""

import shutil
import struct
from pathlib import Path

import pytest
from scapy.all import (  # type: ignore[attr-defined]
    ARP,
    GRE,
    ICMP,
    IP,
    NTP,
    TCP,
    UDP,
    CookedLinux,
    CookedLinuxV2,
    Dot1AD,
    Dot1Q,
    Ether,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    Packet,
    Raw,
    fragment,
)  # fmt: skip
from tests.analysis.decoding.made import (
    BROKER,
    BROKER_MAC,
    ETHERNET,
    UNIT,
    UNIT_MAC,
    block,
    connect,
    control,
    decode,
    enhanced,
    interface,
    option,
    pcap,
    publish,
    section,
    segments,
    talk,
    text,
    up,
)  # fmt: skip
from tests.oracle import differences, message_differences, tshark

from coldaisle_analysis.columns import columns
from coldaisle_analysis.features import packets
from coldaisle_contracts.errors import InputError

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
V6_UNIT, V6_BROKER = "fd00::41", "fd00:0:0:1::1"


def ether(packet: Packet) -> Packet:
    """Return a packet in an Ethernet frame."""
    frame: Packet = ETHERNET / packet
    return frame


def ports(payload: bytes = b"", seq: int = 1000, **more: object) -> Packet:
    """Return a TCP segment to the broker."""
    segment: Packet = TCP(sport=40_001, dport=1883, seq=seq, ack=1, flags="PA", **more) / payload
    return segment


V4, V6 = IP(src=UNIT, dst=BROKER), IPv6(src=V6_UNIT, dst=V6_BROKER)
FORMATS: dict[str, tuple[int, list[Packet]]] = {
    "Ethernet": (1, [up(connect()), up(publish(), 1000 + len(connect()))]),
    "VLAN": (1, [ETHERNET / Dot1Q(vlan=17, prio=3) / V4 / ports(publish())]),
    "VLAN in VLAN": (1, [ETHERNET / Dot1Q(vlan=17) / Dot1Q(vlan=99) / V4 / ports(publish())]),
    "provider VLAN": (1, [ETHERNET / Dot1AD(vlan=17) / Dot1Q(vlan=99) / V6 / ports(publish())]),
    "cooked": (113, [CookedLinux(src=b"\2\0\0\0\0\x0d\0\0", lladdrlen=6) / V4 / ports(publish())]),
    "cooked without an address": (113, [CookedLinux(lladdrlen=0, lladdrtype=772) / V6 / ports(publish())]),
    "cooked v2": (276, [CookedLinuxV2(src=b"\2\0\0\0\0\x0d\0\0", lladdrlen=6, proto=0x86DD) / V6 / ports(publish())]),
    "raw IP": (101, [V4 / ports(publish()), V6 / ports(publish())]),
    "BSD loopback": (0, [Raw(b"\2\0\0\0") / V4 / ports(publish()), Raw(b"\x1e\0\0\0") / V6 / ports(publish())]),
    "TCP options": (1, [ether(V4 / ports(publish(), options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (7, 9)),
                                                            ("NOP", None), ("WScale", 7)]))]),
    "IPv4 options": (1, [ether(IP(src=UNIT, dst=BROKER, options=[b"\x94\x04\0\0"]) / ports(publish()))]),
    "IPv6": (1, [ether(V6 / ports(connect())), ether(V6 / ports(publish(), 1000 + len(connect())))]),
    "IPv6 extension headers": (1, [ether(V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / ports(publish()))]),
    "IPv6 fragments": (1, [ether(V6 / IPv6ExtHdrFragment(m=1, id=5, nh=17) / Raw(bytes(UDP(sport=5, dport=6, len=32)) + bytes(8))),
                           ether(V6 / IPv6ExtHdrFragment(offset=2, id=5, nh=17) / Raw(bytes(16)))]),
    "IPv4 fragments": (1, fragment(ether(V4 / UDP(sport=5, dport=6) / Raw(bytes(3000))), 1480)),
    "ARP": (1, [Ether(src=UNIT_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=UNIT_MAC, psrc=UNIT, pdst=BROKER)]),
    "ICMP": (1, [ether(V4 / ICMP(type=8) / b"hello"), ether(V4 / ICMP(type=0, code=0) / b"hello")]),
    "ICMPv6": (1, [ether(V6 / ICMPv6EchoRequest(data=b"x")), ether(V6 / ICMPv6ND_NS(tgt=V6_BROKER))]),
    "UDP and NTP": (1, [ether(V4 / UDP(sport=123, dport=123) / NTP(mode=3)), ether(V6 / UDP(sport=5000, dport=123) / NTP(mode=4, stratum=2)),
                        ether(V4 / UDP(sport=9, dport=10) / b"abc")]),
    "NTP control": (1, [ether(V4 / UDP(sport=123, dport=5000) / Raw(bytes([0x16, 2, 0, 1]) + bytes(8))),
                        ether(V4 / UDP(sport=123, dport=5000) / Raw(bytes([0x97, 5, 3, 42, 0, 1, 0, 72]) + bytes(72))),
                        ether(V4 / UDP(sport=5000, dport=123) / Raw(bytes([0x17, 0, 3, 42]) + bytes(4)))]),
    "other protocols": (1, [ether(V4 / GRE() / b"x"), Ether(src=UNIT_MAC, dst=BROKER_MAC, type=0x88CC) / Raw(bytes(40))]),
    "IEEE 802.3 length": (1, [Ether(src=UNIT_MAC, dst=BROKER_MAC, type=40) / Raw(b"\xaa\xaa\3\0\0\0\x99\x99" + bytes(40))]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_format_equals_tshark(tmp_path: Path, name: str) -> None:
    """Of every link layer, network and transport tshark sees the same fields, and no frame is malformed."""
    link, frames = FORMATS[name]
    path = pcap(tmp_path / "made.pcap", frames, link)
    table = packets.decode([path])
    assert differences(table, path) == []
    assert table["malformed"].isna().all()


@pytest.mark.parametrize(
    ("hardware", "sizes"), [(1, b"\x06\x10"), (1, b"\x08\x04"), (1, b"\0\0"), (6, b"\x06\x04")]
)
def test_arp_of_other_sizes_has_no_columns(tmp_path: Path, hardware: int, sizes: bytes) -> None:
    """Where addresses have other lengths, what stands in the places of the usual ones is none of them."""
    body = struct.pack(">HH", hardware, 0x0800) + sizes + b"\0\1" + bytes(range(1, 60))
    path = pcap(tmp_path / "made.pcap", [Ether(src=UNIT_MAC, dst=BROKER_MAC, type=0x0806) / Raw(body)])
    tables = decode(path)
    for name in ("arp_op", "arp_src_mac", "arp_src_ip", "arp_dst_ip", "arp_conflict", "malformed"):
        assert tables.column(name) == [None]


def test_vlan_ids(tmp_path: Path) -> None:
    """The outer and the inner VLAN id stand in their columns."""
    path = pcap(tmp_path / "made.pcap", FORMATS["provider VLAN"][1])
    assert [decode(path).column(name) for name in ("vlan_id", "vlan_inner")] == [[17], [99]]


VERSION_5 = (
    (">", connect(5, b"sensor-9", b"\x05\x11\0\0\x0e\x10")),
    ("<", control(0x20, b"\x01\x00\x03\x21\x00\x14")),
    (">", control(0x82, b"\0\x01\x00" + text(b"IoT/+") + b"\x01")),
    ("<", control(0x90, b"\0\x01\x00\x01")),
    (">", publish(b"15.54", 9, properties=b"\x07\x26\0\1a\0\1b")),
    ("<", control(0x40, b"\0\x09\x10\x00")),
    (">", control(0x50, b"\0\x0a")),
    (">", control(0xC0, b"")),
    (">", control(0xE0, b"\x04\x05\x11\0\0\0\0")),
)
"""A connection of MQTT 5 with properties and reason codes."""


def test_version_5_equals_tshark(tmp_path: Path) -> None:
    """Message by message and field by field a connection of MQTT 5 is what tshark sees."""
    path = pcap(tmp_path / "made.pcap", talk(*VERSION_5))
    tables = decode(path)
    assert message_differences(tables.messages, path) == []
    assert tables.message("level") == [5] * 9
    assert tables.message("client") == ["sensor-9"] * 9
    assert tables.message("payload")[4] == b"15.54"
    assert set(tables.column("malformed")) == {None}


@pytest.mark.parametrize("level", [3, 4])
def test_every_control_packet_equals_tshark(tmp_path: Path, level: int) -> None:
    """One control packet of every type of 3.1 and 3.1.1, all in one segment, is what tshark sees."""
    told = [
        connect(level), publish(), publish(b"\xff\xfe", 0), control(0x62, b"\0\7"), control(0x82, b"\0\1" + text(b"a/#") + b"\1"),
        control(0xA2, b"\0\2" + text(b"a/#")), control(0xC0, b""), control(0xE0, b""),
    ]  # fmt: skip
    answered = [
        control(0x20, b"\0\0"), control(0x40, b"\0\7"), control(0x50, b"\0\7"), control(0x70, b"\0\7"),
        control(0x90, b"\0\1\1"), control(0xB0, b"\0\2"), control(0xD0, b""),
    ]  # fmt: skip
    path = pcap(tmp_path / "made.pcap", talk((">", b"".join(told)), ("<", b"".join(answered))))
    tables = decode(path)
    fields = [line.partition(":")[0] for line in message_differences(tables.messages, path)]
    shown = [column.name for column in columns("messages") if "of MQTT 3.1 tshark shows" in column.meaning]
    assert fields == (shown if level == 3 else [])
    assert shown == ["qos", "dup"]
    assert tables.column("mqtt_messages") == [len(told), len(answered)]


@pytest.mark.parametrize(
    ("level", "shown"), [(3, {"PUBREL", "SUBSCRIBE", "UNSUBSCRIBE"}), (131, set()), (4, set())]
)
def test_tshark_shows_qos_and_dup_of_what_the_document_names(
    tmp_path: Path, level: int, shown: set[str]
) -> None:
    """Beside PUBLISH, of three types of MQTT 3.1 and of no other; where a bridge set 128 in the level, of none."""
    types = {"PUBACK": 4, "PUBREC": 5, "PUBREL": 6, "PUBCOMP": 7, "SUBSCRIBE": 8, "SUBACK": 9, "UNSUBSCRIBE": 10,
             "UNSUBACK": 11, "PINGREQ": 12, "PINGRESP": 13, "DISCONNECT": 14}  # fmt: skip
    said = [
        control(kind << 4 | 2 * (kind in (6, 8, 10)), b"\0\1" + text(b"a") + b"\1" if kind < 12 else b"")
        for kind in types.values()
    ]
    path = pcap(tmp_path / "made.pcap", talk((">", connect(level)), *((">", one) for one in said)))
    fields = tshark(path, ["mqtt.msgtype", "mqtt.qos", "mqtt.dupflag"])
    seen = fields[(fields["mqtt.qos"] != "") | (fields["mqtt.dupflag"] != "")]["mqtt.msgtype"].astype(int)
    assert {name for name, kind in types.items() if kind in set(seen)} == shown
    assert decode(path).message("qos") == decode(path).message("dup") == [None] * (1 + len(types))
    for kind in shown:
        assert kind in " ".join(
            column.meaning for column in columns("messages") if column.name in ("qos", "dup")
        )


@pytest.mark.parametrize("level", [3, 4])
def test_a_bridge_says_so_in_its_level(tmp_path: Path, level: int) -> None:
    """A broker that connects to another as a bridge adds 128 to the protocol level; the column `version` shows it as sent, as tshark does."""
    packets = (">", connect(128 | level)), ("<", control(0x20, b"\0\0")), (">", publish())
    path = pcap(tmp_path / "made.pcap", talk(*packets))
    tables = decode(path)
    fields = [line.partition(":")[0] for line in message_differences(tables.messages, path)]
    assert fields == (
        ["session_present"] if level == 3 else []
    )  # tshark does not read 131 as 3.1, which has no such flag
    assert tables.message("level") == [level] * 3
    assert tables.message("version") == [128 | level, None, None]
    (column,) = (column for column in columns("messages") if column.name == "version")
    assert column.meaning.endswith("a bridge adds 128")


def test_other_port_equals_tshark(tmp_path: Path) -> None:
    """MQTT on another port is read when the port is named."""
    from coldaisle_analysis.decoding import Decoder  # noqa: PLC0415

    frame = ETHERNET / V4 / TCP(sport=1024, dport=8883, flags="PA") / publish()
    path = pcap(tmp_path / "made.pcap", [frame])
    tables = decode(path, Decoder(8883))
    assert message_differences(tables.messages, path, 8883) == []
    assert tables.message("msgtype") == [3]


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3), (1, 0, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3), (0, 0, 1, 3, 2, 1)]
)
def test_reordered_segments_equal_tshark(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A stream in four segments that cut its messages, in any order and sent twice, gives what tshark sees."""
    stream = connect() + publish() + publish(b"16.00", 8) + control(0xC0, b"")
    parts = segments(stream, [5, 20, 31])
    path = pcap(tmp_path / "made.pcap", [up(b"", 999, "S"), *(parts[place] for place in order)])
    tables = decode(path)
    assert message_differences(tables.messages, path) == []
    assert tables.message("msgtype") == [1, 3, 3, 12]


def pcapng(path: Path, *blocks: bytes) -> Path:
    """Write a pcapng file."""
    path.write_bytes(b"".join(blocks))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "unit"), [(3, 10**6), (6, 1000), (9, 1), (128 + 20, None), (128 + 30, None)]
)
def test_pcapng_equals_tshark(tmp_path: Path, order: str, resolution: int, unit: int | None) -> None:
    """Either byte order and any resolution of time, decimal or binary, with blocks in between that are stepped over."""
    time_ns = 1_772_409_600_123_000_000
    ticks = time_ns // unit if unit else (time_ns << (resolution - 128)) // 10**9
    path = pcapng(
        tmp_path / "made.pcapng", section(order), interface(1, option(9, bytes([resolution]), order), order),
        block(5, bytes(12), order), enhanced(bytes(up(publish())), ticks, 0, order), block(4, bytes(4), order),
    )  # fmt: skip
    assert differences(packets.decode([path]), path) == []


def test_pcapng_of_several_interfaces_and_sections(tmp_path: Path) -> None:
    """Interfaces of other link types and resolutions, and a second section of the other byte order, each have their own."""
    cooked = bytes(CookedLinux(src=b"\2\0\0\0\0\x0d\0\0", lladdrlen=6) / V4 / ports(publish()))
    path = pcapng(
        tmp_path / "made.pcapng", section(), interface(1), interface(113, option(9, b"\x09")),
        enhanced(bytes(up(publish())), 1_000_000, 0), enhanced(cooked, 2_000_000_000, 1), section(">"),
        interface(101, order=">"), enhanced(bytes(V4 / ports(b"")), 3_000_000, 0, ">"),
    )  # fmt: skip
    table = packets.decode([path])
    assert differences(table, path) == []
    assert (table["time_ns"] // 10**9).tolist() == [1, 2, 3]


def test_pcapng_of_simple_and_old_packets(tmp_path: Path) -> None:
    """Simple packet blocks and the obsolete packet block are read as tshark reads them; the former have no time, and none is made up."""
    first, second = bytes(up(publish())), bytes(up(publish(), 1000 + len(publish())))
    old = struct.pack("<HHIIII", 0, 0, 0, 5_000_000, len(second), len(second)) + second
    simple = block(3, struct.pack("<I", len(first)) + first)
    path = pcapng(tmp_path / "made.pcapng", section(), interface(), simple, block(2, old))
    tables = decode(path)
    assert [time is None for time in tables.column("time")] == [True, False]
    assert [time is None for time in tables.message("time")] == [True, False]
    assert tables.column("mqtt_payload") == ["15.54", "15.54"]
    assert message_differences(tables.messages, path) == []
    assert tables.column("flow_iat") == [None, None]
    assert tables.column("flow_duration") == [0, 0]
    assert tables.remarks == ["1 frames have no time: Simple Packet Blocks hold none"]
    with pytest.raises(
        InputError, match=r"made.pcapng: frame 1 is 'a Simple Packet Block, which has no time': capture again"
    ):
        packets.decode([path])


def test_unknown_blocks_are_stepped_over(tmp_path: Path) -> None:
    """Blocks of unknown types, one longer than the room for a block, leave the frames around them as they are."""
    frames = [enhanced(bytes(up(publish())), 1_000_000), enhanced(bytes(up(b"", 1014)), 2_000_000)]
    long = block(0xBAD, bytes(3 << 20))
    path = pcapng(
        tmp_path / "made.pcapng", section(), interface(), frames[0], block(0xBAD, b"x"), long, frames[1]
    )
    assert decode(path).column("frame") == [1, 2]
