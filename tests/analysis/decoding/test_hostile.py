"""Cut, bent and hostile captures: never a crash, a row a frame, and what is wrong said with its place."""

import random
import struct
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1Q, IPv6, IPv6ExtHdrHopByHop, Packet  # type: ignore[attr-defined]
from tests.analysis.decoding.made import (
    BROKER,
    ETHERNET,
    UNIT,
    UNIT_MAC,
    block,
    connect,
    control,
    decode,
    down,
    enhanced,
    interface,
    option,
    pcap,
    publish,
    section,
    segments,
    talk,
    up,
)  # fmt: skip

from coldaisle_analysis.decoding import Decoder
from coldaisle_analysis.decoding.reasons import WORDS, Reason
from coldaisle_contracts.errors import InputError


def bent(frame: Packet, at: int, value: bytes) -> bytes:
    """Return a frame with other bytes at an offset."""
    data = bytearray(bytes(frame))
    data[at : at + len(value)] = value
    return bytes(data)


V6 = ETHERNET / IPv6(src="fd00::1", dst="fd00::2") / TCP(dport=1883) / publish()
MQTT = 54
"""Where the payload of :func:`up` starts."""
OPENED = up(b"", 999, "S")
OPENED_5 = [OPENED, up(connect(5, properties=b"\0"))]
BEHIND = 1000 + len(connect(5, properties=b"\0"))
"""A connection of MQTT 5, and the sequence number that follows."""
CORPUS: dict[str, tuple[Reason, int, bytes | list[bytes | Packet]]] = {
    "empty frame": (Reason.ETHERNET_CUT, 0, b""),
    "Ethernet cut": (Reason.ETHERNET_CUT, 0, bytes(up())[:13]),
    "VLAN cut": (Reason.VLAN_CUT, 14, bytes(ETHERNET / Dot1Q(vlan=1))[:16]),
    "ARP cut": (Reason.ARP_CUT, 14, bytes(ETHERNET / ARP(hwsrc=UNIT_MAC, psrc=UNIT, pdst=BROKER))[:40]),
    "IPv4 cut": (Reason.IPV4_CUT, 14, bytes(up())[:33]),
    "IPv4 that is version 5": (Reason.IPV4_VERSION, 14, bent(up(), 14, b"\x55")),
    "IPv4 header of 16 bytes": (Reason.IPV4_HEADER, 14, bent(up(), 14, b"\x44")),
    "IPv4 options cut": (Reason.IPV4_HEADER, 14, bytes(ETHERNET / IP(src=UNIT, dst=BROKER, options=[b"\x94\x04\0\0"]) / TCP())[:36]),
    "IPv4 shorter than its header": (Reason.IPV4_SHORT, 16, bent(up(), 16, b"\0\x13")),
    "IPv4 longer than the frame": (Reason.IPV4_LONG, 16, bent(up(publish()), 16, b"\xff\xff")),
    "IPv6 cut": (Reason.IPV6_CUT, 14, bytes(V6)[:53]),
    "IPv6 that is version 7": (Reason.IPV6_VERSION, 14, bent(V6, 14, b"\x70")),
    "IPv6 longer than the frame": (Reason.IPV6_LONG, 18, bent(V6, 18, b"\xff\xff")),
    "IPv6 extension cut": (Reason.IPV6_EXTENSION, 54, bytes(ETHERNET / IPv6(src="fd00::1", dst="fd00::2", nh=0) / IPv6ExtHdrHopByHop())[:60]),
    "IPv6 extensions without end": (Reason.IPV6_EXTENSION, 62, bytes(ETHERNET / IPv6(src="fd00::1", dst="fd00::2", nh=60)) + bytes([60, 0, 0, 0, 0, 0, 0, 0])),
    "IP fragment of 9 bytes": (Reason.IP_FRAGMENT, 14, ETHERNET / IP(src=UNIT, dst=BROKER, flags="MF", proto=6) / bytes(9)),
    "IP fragment past any datagram": (Reason.IP_FRAGMENT, 14, ETHERNET / IP(src=UNIT, dst=BROKER, frag=8191, proto=6) / bytes(16)),
    "TCP cut": (Reason.TCP_CUT, 34, bytes(up())[:50]),
    "TCP header of 16 bytes": (Reason.TCP_HEADER, 46, bent(up(), 46, b"\x40")),
    "TCP header past the packet": (Reason.TCP_HEADER, 46, bent(up(), 46, b"\xf0")),
    "TCP option of length 0": (Reason.TCP_OPTIONS, 54, bent(ETHERNET / IP(src=UNIT, dst=BROKER) / TCP(options=[("MSS", 9)]), 55, b"\0")),
    "TCP option past the header": (Reason.TCP_OPTIONS, 54, bent(ETHERNET / IP(src=UNIT, dst=BROKER) / TCP(options=[("MSS", 9)]), 55, b"\x20")),
    "UDP cut": (Reason.UDP_CUT, 34, bytes(ETHERNET / IP(src=UNIT, dst=BROKER) / UDP())[:38]),
    "UDP of length 7": (Reason.UDP_LENGTH, 38, bytes(ETHERNET / IP(src=UNIT, dst=BROKER) / UDP(len=7))),
    "UDP longer than the packet": (Reason.UDP_LENGTH, 38, bytes(ETHERNET / IP(src=UNIT, dst=BROKER) / UDP(len=900) / b"abc")),
    "ICMP cut": (Reason.ICMP_CUT, 34, bytes(ETHERNET / IP(src=UNIT, dst=BROKER) / ICMP())[:36]),
    "SNAP cut": (Reason.INNER_CUT, 14, bytes(ETHERNET)[:12] + b"\0\x05\xaa\xaa\3\0\0"),
    "labels of MPLS without an end": (Reason.INNER_CUT, 214, bytes(ETHERNET)[:12] + b"\x88\x47" + bytes(200)),
    "GRE cut": (Reason.TUNNEL_CUT, 34, bytes(ETHERNET / IP(src=UNIT, dst=BROKER, proto=47) / b"\0\0")),
    "tunnels without end": (Reason.TUNNEL_CUT, 174, bytes(ETHERNET) [:12] + b"\x08\0" + b"".join(bytes(IP(src=UNIT, dst=BROKER, proto=4, len=400 - 20 * turn)) for turn in range(19)) + bytes(20)),
    "MQTT of type 0": (Reason.MQTT_TYPE, MQTT, [OPENED, up(b"\0\0")]),
    "MQTT of type 15 before version 5": (Reason.MQTT_TYPE, MQTT, [OPENED, up(b"\xf0\0")]),
    "MQTT length of five bytes": (Reason.MQTT_LENGTH, MQTT, [OPENED, up(b"\x30\x80\x80\x80\x80\x01")]),
    "MQTT flags": (Reason.MQTT_FLAGS, MQTT, [OPENED, up(control(0xC5, b""))]),
    "MQTT QoS 3": (Reason.MQTT_QOS, MQTT, [OPENED, up(control(0x36, b"\0\1a\0\1x"))]),
    "MQTT topic past the message": (Reason.MQTT_SHORT, MQTT + 2, [OPENED, up(control(0x30, b"\xff\xffabc"))]),
    "MQTT message id past the message": (Reason.MQTT_SHORT, MQTT + 5, [OPENED, up(control(0x32, b"\0\1a\0"))]),
    "MQTT client id past the message": (Reason.MQTT_SHORT, MQTT + 12, [OPENED, up(control(0x10, b"\0\4MQTT\4\2\0\1\xff\xff"))]),
    "MQTT PUBACK of one byte": (Reason.MQTT_SHORT, MQTT + 2, [OPENED, up(control(0x40, b"\1"))]),
    "MQTT CONNACK of one byte": (Reason.MQTT_SHORT, MQTT + 2, [OPENED, up(control(0x20, b"\1"))]),
    "MQTT SUBACK without a code": (Reason.MQTT_SHORT, MQTT + 4, [OPENED, up(control(0x90, b"\0\1"))]),
    "MQTT properties past the message": (Reason.MQTT_PROPERTIES, MQTT + 12, [OPENED, up(connect(5, properties=b"\xff\x7f"))]),
    "MQTT topic alias 0": (Reason.MQTT_ALIAS, MQTT + 9, [*OPENED_5, up(publish(topic=b"a", properties=b"\x03\x23\0\0"), BEHIND)]),
    "MQTT without a topic": (Reason.MQTT_TOPIC, MQTT + 4, [*OPENED_5, up(publish(topic=b"", properties=b"\0"), BEHIND)]),
    "MQTT property 127": (Reason.MQTT_PROPERTY, MQTT + 12, [*OPENED_5, up(publish(properties=b"\x02\x7f\0"), BEHIND)]),
    "MQTT will QoS without a will": (Reason.MQTT_CONNECT_FLAGS, MQTT + 9, [OPENED, up(control(0x10, b"\0\4MQTT\4\x0a\0\1\0\1a"))]),
    "MQTT will QoS 3": (Reason.MQTT_WILL_QOS, MQTT + 9, [OPENED, up(control(0x10, b"\0\4MQTT\4\x1e\0\1\0\1a\0\1b\0\1c"))]),
    "no MQTT at all": (Reason.MQTT_START, MQTT + 18, [up(b"GET / HTTP/1.1\r\n\r\n")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, name: str) -> None:
    """Each kind of damage is named on its frame, with the offset of what is wrong, and the frame keeps its row."""
    reason, at, given_frames = CORPUS[name]
    frames = given_frames if isinstance(given_frames, list) else [given_frames]
    wire = 100 if name.endswith(" cut") else 0  # cut when it was captured, not before it was sent
    tables = decode(pcap(tmp_path / "made.pcap", frames, wire=wire))
    assert tables.column("malformed")[-1] == f"{WORDS[reason]} at byte {at}"
    assert tables.packets.num_rows == len(frames)


def test_every_reason_has_words_and_a_capture() -> None:
    """No reason lacks words, and the corpus has a capture for each but those of other link layers, of the snap length and of WebSocket."""
    elsewhere = {
        Reason.NONE, Reason.LINK, Reason.COOKED_CUT, Reason.LOOPBACK_CUT, Reason.WIFI_CUT, Reason.TCP_PAYLOAD, Reason.MQTT_CUT,
        Reason.WEBSOCKET, Reason.WEBSOCKET_TEXT,
    }  # fmt: skip
    assert set(WORDS) == set(Reason) - {Reason.NONE}
    assert {reason for reason, _, _ in CORPUS.values()} == set(Reason) - elsewhere


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (113, Reason.COOKED_CUT),
        (276, Reason.COOKED_CUT),
        (0, Reason.LOOPBACK_CUT),
        (108, Reason.LOOPBACK_CUT),
    ],
)
def test_other_link_layers_cut(tmp_path: Path, link: int, reason: Reason) -> None:
    """A frame that ends within the header of its link layer says so."""
    tables = decode(pcap(tmp_path / "made.pcap", [b"\0\0\0"], link))
    assert tables.column("malformed") == [f"{WORDS[reason]} at byte 0"]


def test_interface_of_a_link_type_not_decoded(tmp_path: Path) -> None:
    """In a pcapng a frame of an interface that is not decoded has a row that says so."""
    path = tmp_path / "made.pcapng"
    path.write_bytes(section() + interface(147) + enhanced(bytes(40), 1))
    assert decode(path).column("malformed") == ["link type not decoded at byte 0"]


def test_a_snap_length_that_cuts_payloads(tmp_path: Path) -> None:
    """What was cut off a payload is no hole: the message has its row without payload, and those behind it stand on their frames."""
    frames = talk(
        (">", connect()),
        (">", publish(b"x" * 80)),
        (">", publish(b"16.00", 4)),
        ("<", control(0x40, b"\0\4")),
    )
    records = [
        struct.pack("<IIII", number, 0, min(len(data), 100), len(data)) + data[:100]
        for number, data in enumerate(map(bytes, frames))
    ]
    path = tmp_path / "snapped.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 100, 1) + b"".join(records))
    tables = decode(path)
    assert tables.column("malformed") == [None, "TCP payload not captured whole at byte 100", None, None]
    assert tables.message("frame") == [1, 2, 3, 4]
    assert tables.message("msgid") == [None, 7, 4, 4]
    assert tables.message("topic")[1:3] == ["IoT", "IoT"]
    assert tables.message("payload")[1:3] == [None, b"16.00"]
    assert tables.message("malformed") == [None, "MQTT control packet not captured whole", None, None]
    assert tables.column("frame_len")[1] == len(frames[1])
    assert tables.gaps == 0


def test_every_cut_of_a_frame(tmp_path: Path) -> None:
    """A frame captured to any of its lengths has a row, and says what is missing unless nothing is."""
    data = bytes(
        ETHERNET / Dot1Q(vlan=5) / IP(src=UNIT, dst=BROKER) / TCP(sport=5, dport=1883, flags="PA") / publish()
    )
    records = [struct.pack("<IIII", 0, 0, size, len(data)) + data[:size] for size in range(len(data) + 1)]
    path = tmp_path / "cut.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1) + b"".join(records))
    flaws = decode(path).column("malformed")
    assert len(flaws) == len(data) + 1
    assert [number for number, words in enumerate(flaws) if words is None] == [len(data)]


@cache
def conversation() -> tuple[bytes, ...]:
    """Return a capture of many kinds of frames, some of a stream in disorder."""
    stream = (
        connect(5, properties=b"\0")
        + publish(properties=b"\0")
        + publish(b"y" * 400, 8, properties=b"\0")
        + control(0xC0, b"")
    )
    parts = segments(stream, [3, 40, 300])
    frames = [
        OPENED, parts[1], parts[0], parts[0], *parts[2:], down(control(0x40, b"\0\7"), flags="PA", ack=1300), V6,
        ETHERNET / ARP(hwsrc=UNIT_MAC, psrc=UNIT, pdst=BROKER), ETHERNET / Dot1Q() / IP(src=UNIT, dst=BROKER) / UDP(dport=123) / bytes(48), ETHERNET / IP(src=UNIT, dst=BROKER) / ICMP(), down(b"", flags="F"),
    ]  # fmt: skip
    return tuple(map(bytes, frames))


def _damage(data: bytes, seed: int, times: int) -> bytes:
    chance, out = random.Random(seed), bytearray(data)  # noqa: S311 - damage, not secrets
    for _ in range(times):
        out[chance.randrange(len(out))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
    return bytes(out)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 40), link=st.sampled_from([1, 113, 276, 0, 101]))
def test_damaged_frames(tmp_path: Path, seed: int, times: int, link: int) -> None:
    """Frames with bytes turned over never crash the decoder, keep their rows, and decode alike in blocks of any size."""
    frames = [_damage(frame, seed + number, times) for number, frame in enumerate(conversation())]
    path = pcap(tmp_path / "damaged.pcap", frames, link)
    tables = decode(path, wide())
    assert tables.packets.num_rows == len(frames)
    narrow = decode(path, Decoder(frames=3, size=0))
    assert tables.packets.to_pylist() == narrow.packets.to_pylist()
    assert tables.messages.to_pylist() == narrow.messages.to_pylist()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 12), form=st.sampled_from(["pcap", "pcapng"]))
def test_damaged_files(tmp_path: Path, seed: int, times: int, form: str) -> None:
    """A file damaged anywhere decodes, or is refused with one sentence that names its place; nothing else happens."""
    frames = conversation()
    path = pcap(tmp_path / "damaged", frames)
    if form == "pcapng":
        path.write_bytes(
            section() + interface() + b"".join(enhanced(data, 10**6) for data in frames) + block(5, bytes(8))
        )
    path.write_bytes(_damage(path.read_bytes(), seed, times))
    refusal = ""
    try:
        tables = decode(path, wide())
    except InputError as error:
        refusal = str(error)
    if refusal:
        assert refusal.startswith(str(path))
        assert "\n" not in refusal
    else:
        assert tables.packets.num_rows == len(tables.column("malformed"))


def wide() -> Decoder:
    """Return a decoder that takes the whole capture in one block."""
    return Decoder(frames=4096, size=0)


@pytest.mark.parametrize("cut", [1, 5, 10, 15])
def test_a_file_cut_short(tmp_path: Path, cut: int) -> None:
    """A file that ends within a frame or its header is refused with frame, offset and the command that keeps the rest."""
    frames = [bytes(up()), bytes(up())]
    whole = pcap(tmp_path / "cut.pcap", frames).read_bytes()
    offset = 24 + 16 + len(frames[0])
    for size in (offset + cut, len(whole) - cut):
        (tmp_path / "cut.pcap").write_bytes(whole[:size])
        with pytest.raises(
            InputError, match=rf"cut\.pcap: frame 2, offset {offset}: .* `editcap -r cut.pcap OUT 1-1`"
        ):
            decode(tmp_path / "cut.pcap")


def test_a_frame_longer_than_any(tmp_path: Path) -> None:
    """A length no frame has means a damaged file, wherever it stands, and not a search for memory."""
    data = pcap(tmp_path / "bad.pcap", [up(), up()]).read_bytes()
    offset = 24 + 16 + len(bytes(up()))
    (tmp_path / "bad.pcap").write_bytes(
        data[: offset + 8] + struct.pack("<I", 0x7FFFFFFF) + data[offset + 12 :]
    )
    with pytest.raises(InputError, match=rf"frame 2, offset {offset}: holds a frame longer than any"):
        decode(tmp_path / "bad.pcap")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x1f\x8b\x08\0" + bytes(40), "gunzip"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "zstd -d"),
        (b"hello, world", "editcap -F pcapng"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147), "link type 147"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "cut short"),
        (section()[:20], "cut short"),
        (section()[:8] + b"\1\2\3\4" + section()[12:], "a malformed block"),
        (section() + struct.pack("<II", 6, 13) + bytes(40), "a malformed block"),
        (section() + enhanced(bytes(60), 0), "a malformed block"),
        (section() + struct.pack("<II", 0xBAD, 1 << 30) + bytes(40), "cut short"),
        (section() + block(1, b""), "a malformed block"),
        (section() + block(3, struct.pack("<I", 60) + bytes(60)), "a malformed block"),
        (section() + interface() + struct.pack("<III", 3, 12, 12) + bytes(8), "a malformed block"),
        (section() + interface(options=option(14, struct.pack("<q", 1 << 62))), "a malformed block"),
        (section() + interface(options=option(9, b"\xff")), "a malformed block"),
    ],
)  # fmt: skip
def test_what_is_no_capture(tmp_path: Path, content: bytes, said: str) -> None:
    """What is empty, packed, something else, of an unknown link type or broken is refused with what to do."""
    path = tmp_path / "other.pcap"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        decode(path)


def test_an_offset_of_another_length_is_left_out(tmp_path: Path) -> None:
    """An interface's seconds to add have eight bytes; an option of another length says nothing, as Wireshark has it."""
    frames = b"".join(enhanced(bytes(frame), 10**6) for frame in conversation())
    told = {}
    for value in (b"", bytes(7), b"\x01" * 9, b"\xff" * 40, struct.pack("<q", 0)):
        (tmp_path / "made.pcapng").write_bytes(section() + interface(options=option(14, value)) + frames)
        told[value] = decode(tmp_path / "made.pcapng").column("time")
    assert set(map(tuple, told.values())) == {tuple(told[b""])}


def test_interfaces_without_number(tmp_path: Path) -> None:
    """A file of very many interfaces takes time in proportion to its length, and each frame has the one it names."""
    count = 20_000
    frame = bytes(up())
    path = tmp_path / "many.pcapng"
    path.write_bytes(
        section()
        + interface() * (count - 1)
        + interface(147)
        + enhanced(frame, 1)
        + enhanced(frame, 2, count - 1)
    )
    assert decode(path).column("malformed") == [None, "link type not decoded at byte 0"]


def test_random_blocks(tmp_path: Path) -> None:
    """A long conversation of many connections decodes alike whatever the size of the blocks, values and order of rows included."""
    chance = random.Random(7)  # noqa: S311 - traffic, not secrets
    frames: list[Packet] = []
    for port in range(40_000, 40_020):
        stream = connect(client=str(port).encode()) + b"".join(
            publish(b"%d" % mid, mid) for mid in range(1, 9)
        )
        cuts = sorted(chance.sample(range(1, len(stream)), 12))
        edges = [0, *cuts, len(stream)]
        frames += [up(stream[a:b], 1000 + a, port=port) for a, b in pairwise(edges)]
    chance.shuffle(frames)
    frames = [up(b"", 999, "S", port=port) for port in range(40_000, 40_020)] + frames
    path = pcap(tmp_path / "made.pcap", frames)
    whole = decode(path, wide())
    assert len(whole.message("frame")) == 20 * 9
    for size in (1, 2, 7, 64):
        part = decode(path, Decoder(frames=size, size=0))
        assert part.packets.to_pylist() == whole.packets.to_pylist()
        assert part.messages.to_pylist() == whole.messages.to_pylist()
    assert np.all(np.diff(whole.message("frame")) >= 0)  # type: ignore[arg-type]
