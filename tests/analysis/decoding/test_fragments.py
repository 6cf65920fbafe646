"""Fragments of IP datagrams, put together on the frame that brings the last one missing."""

import shutil
from pathlib import Path

import pytest
from scapy.all import GRE, IP, TCP, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, Packet, fragment, fragment6  # type: ignore[attr-defined]
from tests.analysis.decoding.made import BROKER, ETHERNET, UNIT, connect, decode, pcap, publish, up
from tests.analysis.decoding.test_connections import snapped
from tests.oracle import differences, message_differences

from coldaisle_analysis.features import packets

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
HELLO, LONG, SHORT = connect(), publish(b"y" * 3000, 9), publish(b"16.00", 4)
SEQ = 1000 + len(HELLO)


def conversation(number: int = 1, size: int = 1000) -> list[Packet]:
    """Return a CONNECT, a long PUBLISH in the fragments of one datagram (its identification is ``number``), and a short one."""
    long = up(LONG, SEQ)
    long[IP].id = number
    return [up(HELLO), *fragment(long, size), up(SHORT, SEQ + len(LONG))]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 1, 3, 0, 2, 2)])
def test_fragments_in_any_order_equal_tshark(tmp_path: Path, order: tuple[int, ...]) -> None:
    """The message of a fragmented segment stands on the frame that makes it whole, and no hole is in the stream."""
    first, *parts, last = conversation()
    path = pcap(tmp_path / "made.pcap", [first, *(parts[at] for at in order), last])
    tables = decode(path)
    assert message_differences(tables.messages, path) == []
    assert tables.message("msgid") == [None, 9, 4]
    assert (tables.gaps, set(tables.column("malformed"))) == (0, {None})
    if order == (0, 1, 2, 3):
        assert differences(packets.decode([path]), path) == []


def test_fragments_of_ipv6_equal_tshark(tmp_path: Path) -> None:
    """So do those of IPv6, even with an extension header behind that of the fragment."""
    for extension in (IPv6ExtHdrFragment(id=7), IPv6ExtHdrFragment(id=7) / IPv6ExtHdrDestOpt()):
        whole = (
            ETHERNET
            / IPv6(src="fd00::1", dst="fd00::2")
            / extension
            / TCP(sport=5, dport=1883, seq=1, flags="PA")
            / LONG
        )
        path = pcap(tmp_path / "made.pcap", fragment6(whole, 1000))
        tables = decode(path)
        assert message_differences(tables.messages, path) == []
        assert tables.message("msgid") == [9]


def test_datagrams_are_told_apart(tmp_path: Path) -> None:
    """Fragments of two senders and of two identifications that come mixed are not taken for each other's."""
    one, two = up(publish(b"1" * 900, 1)), up(publish(b"2" * 900, 2), port=40_002)
    three = up(publish(b"3" * 900, 3), 1000 + len(publish(b"1" * 900)))
    one[IP].id = two[IP].id = 5
    three[IP].id = 6
    two[IP].src = "10.6.56.42"
    mixed = zip(*(fragment(frame, 400) for frame in (one, two, three)), strict=True)
    tables = decode(pcap(tmp_path / "made.pcap", [frame for frames in mixed for frame in frames]))
    assert sorted(tables.message("msgid")) == [1, 2, 3]  # type: ignore[type-var]


def test_a_fragment_that_is_missing_is_named(tmp_path: Path) -> None:
    """Without one of its fragments a datagram is not read, and the remark counts the others; so it is with one too old to fit."""
    first, *parts, last = conversation()
    tables = decode(pcap(tmp_path / "made.pcap", [first, *parts[1:], last]))
    assert tables.column("tcp_len")[1:4] == [None] * 3
    assert "3 fragments of IP datagrams are unread: others of the same datagram are missing" in tables.remarks
    quiet = [up(b"", SEQ, "A")] * 40
    late = decode(pcap(tmp_path / "made.pcap", [first, *parts[1:], *quiet, parts[0], last]))
    assert late.message("msgid")[:2] == [None, 4] or late.message("msgid") == [None]
    assert "4 fragments of IP datagrams are unread: others of the same datagram are missing" in late.remarks


def test_many_datagrams_are_bounded(tmp_path: Path) -> None:
    """Of more datagrams than are kept the oldest one is given up, counted, and others are still put together."""
    starts = [fragment(up(LONG, SEQ, port=number), 1000)[0] for number in range(1, 300)]
    for number, start in enumerate(starts):
        start[IP].id = 1000 + number
    tables = decode(pcap(tmp_path / "made.pcap", [*starts, *conversation()]))
    assert tables.message("msgid") == [None, 9, 4]
    assert (
        "299 fragments of IP datagrams are unread: others of the same datagram are missing" in tables.remarks
    )


def test_fragments_that_were_cut(tmp_path: Path) -> None:
    """A snapshot length that cuts fragments leaves what stands before the first cut, and makes no hole."""
    path = snapped(tmp_path, conversation(), 120)
    tables = decode(path)
    assert (tables.message("msgid"), tables.message("payload")[1:]) == ([None, 9, 4], [None, b"16.00"])
    assert tables.gaps == 0


def test_tiny_fragments(tmp_path: Path) -> None:
    """Fragments of eight bytes, whose first one does not even hold the TCP header, are put together all the same."""
    frame = up(SHORT)
    frame[IP].id = 3
    path = pcap(tmp_path / "made.pcap", fragment(frame, 8))
    tables = decode(path)
    assert message_differences(tables.messages, path) == []
    assert tables.message("payload") == [b"16.00"]
    assert (tables.column("ip_src")[-1], tables.column("ip_dst")[-1]) == (UNIT, BROKER)


def test_fragments_of_a_tunnel(tmp_path: Path) -> None:
    """A tunnel whose outer packets are fragmented is looked into once its datagram is whole."""
    outer = ETHERNET / IP(src="198.18.0.1", dst="198.18.0.2", id=8) / GRE() / up(LONG)[IP]
    path = pcap(tmp_path / "made.pcap", fragment(outer, 1400))
    tables = decode(path)
    assert message_differences(tables.messages, path) == []
    assert (tables.message("msgid"), tables.column("ip_src")[-1]) == ([9], UNIT)
