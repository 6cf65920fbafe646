"""Frames read and patched as bytes agree with scapy."""

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.ntp import NTPHeader
from scapy.packet import Raw
from tests.injector.made import MACS, PORT, TIMESTAMP, UNIT, assert_valid, publish, segment

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_injector import frames
from coldaisle_injector.segments import (
    Segment,
    datagram,
    has_sack,
    is_sound,
    read_arp,
    readdress,
    renew,
    translate,
    with_datagram,
)


def test_segment_reads_what_scapy_built() -> None:
    """Addresses, ports, numbers, flags, payload and timestamps are those of the frame that scapy built."""
    read = segment(b"abc", numbers=(7, 2**32 - 1), flags="PA")
    assert (read.source, read.target, read.sport, read.dport) == (UNIT.ip, BROKER.ip, PORT, 1883)
    assert (read.seq, read.ack, read.flags, read.payload) == (7, 2**32 - 1, 0x18, b"abc")
    assert (read.tsval, read.tsecr) == (111, 222)


def test_segment_ignores_ethernet_padding() -> None:
    """The padding of a short frame is not payload."""
    read = Segment.read(segment(options=[], flags="A").frame.ljust(60, b"\0"))
    assert read is not None
    assert read.payload == b""


@pytest.mark.parametrize("kind", ["udp", "short", "arp"])
def test_what_is_no_segment_is_none(kind: str) -> None:
    """A UDP datagram, a cut frame and an ARP frame are not read as segments."""
    frame = bytearray(segment().frame)
    if kind == "udp":
        frame[23] = 17
    elif kind == "arp":
        frame[12:14] = b"\x08\x06"
    assert Segment.read(bytes(frame[:30] if kind == "short" else frame)) is None


def test_open_checksum_is_not_sound() -> None:
    """A checksum left to the network card does not count as right."""
    sound = segment(b"abc")
    broken = bytearray(sound.frame)
    broken[50] ^= 1
    again = Segment.read(bytes(broken))
    assert again is not None
    assert is_sound(sound)
    assert not is_sound(again)


@pytest.mark.parametrize("payload", [b"", b"a", publish("15.54", 3)])
@pytest.mark.parametrize("options", [[], TIMESTAMP])
def test_translation_is_what_scapy_builds(payload: bytes, options: list[tuple[str, object]]) -> None:
    """Patched bytes equal the frame that scapy builds, with an equal, a shorter and a longer payload."""
    original = segment(payload, options=options)
    for changed in (None, publish("6.90", 3), publish("15.540000", 3), b""):
        built = Ether(original.frame)
        built.src, built.dst = MACS
        built[TCP].seq, built[TCP].ack = 2**32 - 2, 5
        built[TCP].remove_payload()
        if data := payload if changed is None else changed:
            built[TCP].add_payload(Raw(data))
        del built[IP].len, built[IP].chksum, built[TCP].chksum
        assert translate(original, MACS, 2**32 - 2, 5, changed) == bytes(built)


def test_selective_acknowledgement_is_neutralised() -> None:
    """SACK holds numbers that the other side never saw, so it becomes padding; timestamps stay."""
    options = [*TIMESTAMP, ("NOP", None), ("NOP", None), ("SAck", (5, 9))]
    translated = translate(segment(flags="A", options=options), MACS, 1, 2)
    assert_valid(translated)
    assert [name for name, _ in Ether(translated)[TCP].options if name != "NOP"] == ["Timestamp"]


def test_readdress_changes_nothing_but_the_macs() -> None:
    """A relayed frame is the received one with other MAC addresses."""
    original = segment(b"abc").frame
    frame = readdress(original, *MACS)
    assert frame[12:] == original[12:]
    assert (Ether(frame).src, Ether(frame).dst) == MACS


def test_only_arp_is_read_as_arp() -> None:
    """A segment and a cut ARP frame are not read as ARP packets."""
    claim = frames.arp_claim(INJECTOR.mac, (UNIT.ip, UNIT.mac), BROKER.ip)
    assert read_arp(segment().frame) is None
    assert read_arp(claim[:30]) is None


@pytest.mark.parametrize("size", [48, 49])
def test_renewed_datagram_is_what_scapy_builds(size: int) -> None:
    """A datagram with a partial checksum gets the right one; otherwise only its MAC addresses change."""
    headers = (
        Ether(src=UNIT.mac, dst=INJECTOR.mac) / IP(src=UNIT.ip, dst=BROKER.ip) / UDP(sport=40_000, dport=123)
    )
    whole = headers / bytes(NTPHeader()).ljust(size, b"\x07")
    frame = bytearray(bytes(whole))
    frame[40:42] = b"\x12\x34"
    expected = Ether(bytes(whole))
    expected.src, expected.dst = MACS
    assert renew(bytes(frame), MACS) == bytes(expected)


def test_renewed_arp_is_only_readdressed() -> None:
    """A frame without such a checksum keeps its bytes."""
    claim = frames.arp_claim(INJECTOR.mac, (UNIT.ip, UNIT.mac), BROKER.ip)
    assert renew(claim, MACS) == readdress(claim, *MACS)


def test_what_a_datagram_carries_is_exchanged_under_a_right_checksum() -> None:
    """The payload is replaced by one of the same length with a right checksum; other frames have no such payload."""
    headers = (
        Ether(src=BROKER.mac, dst=INJECTOR.mac)
        / IP(src=BROKER.ip, dst=UNIT.ip)
        / UDP(sport=123, dport=40_000)
    )
    frame = bytes(headers / Raw(b"\x01" * 48))
    assert datagram(frame) == b"\x01" * 48
    expected = Ether(bytes(headers / Raw(b"\x02" * 48)))
    expected.src, expected.dst = MACS
    assert with_datagram(frame, MACS, b"\x02" * 48) == bytes(expected)
    assert datagram(segment(b"abc").frame) is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], False), (TIMESTAMP, False), ([*TIMESTAMP, ("NOP", None), ("NOP", None), ("SAck", (5, 9))], True)],
)
def test_selective_acknowledgement_is_seen(options: list[tuple[str, object]], expected: bool) -> None:
    """SACK is found at any position among the options."""
    assert has_sack(segment(flags="A", options=options)) is expected
