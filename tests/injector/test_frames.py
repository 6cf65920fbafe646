"""Frames the attacker makes: right checksums, and nothing changed that need not be."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from tests.injector.made import PORT, UNIT, publish, segment

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_injector import frames
from coldaisle_injector.frames import Segment

MACS = (INJECTOR.mac, BROKER.mac)
TIMESTAMP = [("NOP", None), ("NOP", None), ("Timestamp", (111, 222))]


def assert_valid(frame: bytes) -> None:
    """Hold that a frame is what scapy builds of it with every length and checksum computed anew."""
    packet = Ether(frame)
    del packet[IP].len, packet[IP].chksum, packet[TCP].chksum, packet[TCP].dataofs
    assert bytes(packet) == frame


def test_segment_reads_what_scapy_built() -> None:
    """Addresses, ports, numbers, flags, payload and timestamps are those the frame was built with."""
    read = segment(b"abc", numbers=(7, 2**32 - 1), flags="PA")
    assert (read.source, read.target, read.sport, read.dport) == (UNIT.ip, BROKER.ip, PORT, 1883)
    assert (read.seq, read.ack, read.flags, read.payload) == (7, 2**32 - 1, 0x18, b"abc")
    assert (read.tsval, read.tsecr) == (111, 222)


def test_segment_ignores_ethernet_padding() -> None:
    """The padding of a short frame is no payload."""
    read = Segment.read(segment(options=[], flags="A").frame.ljust(60, b"\0"))
    assert read is not None
    assert read.payload == b""


@pytest.mark.parametrize("kind", ["udp", "short", "arp"])
def test_what_is_no_segment_is_none(kind: str) -> None:
    """UDP, a cut frame and ARP hold no segment."""
    frame = bytearray(segment().frame)
    if kind == "udp":
        frame[23] = 17
    elif kind == "arp":
        frame[12:14] = b"\x08\x06"
    assert Segment.read(bytes(frame[:30] if kind == "short" else frame)) is None


def test_open_checksum_is_not_sound() -> None:
    """A checksum left to the network card is told apart from a right one."""
    sound = segment(b"abc")
    broken = bytearray(sound.frame)
    broken[50] ^= 1
    again = Segment.read(bytes(broken))
    assert again is not None
    assert frames.is_sound(sound)
    assert not frames.is_sound(again)


@pytest.mark.parametrize("payload", [b"", b"a", publish("15.54", 3)])
@pytest.mark.parametrize("options", [[], TIMESTAMP])
def test_translate_equals_rewrite_of_the_same_payload(
    payload: bytes, options: list[tuple[str, object]]
) -> None:
    """Patching bytes and building with scapy give the same frame, and a valid one."""
    original = segment(payload, options=options)
    translated = frames.translate(original, MACS, 2**32 - 2, 5)
    assert translated == frames.rewrite(original, MACS, 2**32 - 2, 5, payload)
    assert_valid(translated)
    assert (Ether(translated)[TCP].seq, Ether(translated)[TCP].ack) == (2**32 - 2, 5)


def test_rewrite_changes_payload_and_lengths() -> None:
    """A longer and a shorter payload both make a valid frame that carries it, timestamps kept."""
    for payload in (publish("6.90", 3), publish("15.540000", 3)):
        frame = frames.rewrite(segment(publish("15.54", 3)), MACS, 1, 2, payload)
        assert_valid(frame)
        read = Segment.read(frame)
        assert read is not None
        assert (read.payload, read.tsval, read.tsecr) == (payload, 111, 222)


def test_selective_acknowledgement_is_neutralised() -> None:
    """SACK, which names numbers the other side never saw, becomes padding; timestamps stay."""
    options = [*TIMESTAMP, ("NOP", None), ("NOP", None), ("SAck", (5, 9))]
    translated = frames.translate(segment(flags="A", options=options), MACS, 1, 2)
    assert_valid(translated)
    assert [name for name, _ in Ether(translated)[TCP].options if name != "NOP"] == ["Timestamp"]


def test_readdress_changes_nothing_but_the_macs() -> None:
    """A relayed frame is the frame that came, with other MAC addresses."""
    original = segment(b"abc").frame
    frame = frames.readdress(original, *MACS)
    assert frame[12:] == original[12:]
    assert (Ether(frame).src, Ether(frame).dst) == MACS


@pytest.mark.parametrize(("payload", "flags"), [(b"", "A"), (publish("15.54", 9), "PA")])
def test_forged_segment_is_valid_and_in_the_shape_of_its_model(payload: bytes, flags: str) -> None:
    """A forged segment has the model's addresses, the numbers and times asked for, and right checksums."""
    model = segment(b"model")
    frame = frames.forge(model, MACS, (11, 12), (13, 14), payload)
    assert_valid(frame)
    read, packet = Segment.read(frame), Ether(frame)
    assert read is not None
    assert (read.seq, read.ack, read.tsval, read.tsecr, read.payload) == (11, 12, 13, 14, payload)
    assert (read.source, read.sport, str(packet[TCP].flags)) == (UNIT.ip, PORT, flags)
    assert packet[IP].id == Ether(model.frame)[IP].id + 1


def test_claims_say_that_an_address_is_at_the_attacker() -> None:
    """Claim and answer carry the attacker's MAC with another's address, to the victim alone."""
    victim = (UNIT.ip, UNIT.mac)
    for make, operation in ((frames.arp_claim, 1), (frames.arp_answer, 2)):
        packet = Ether(make(INJECTOR.mac, victim, BROKER.ip))
        assert (packet.src, packet.dst) == (INJECTOR.mac, UNIT.mac)
        assert (packet[ARP].op, packet[ARP].hwsrc, packet[ARP].psrc) == (operation, INJECTOR.mac, BROKER.ip)
        assert packet[ARP].pdst == UNIT.ip


def test_restoring_tells_the_owners_mac() -> None:
    """Restoring announces an address with its owner's MAC and asks the victim for nothing."""
    frame = frames.arp_restore(INJECTOR.mac, (UNIT.ip, UNIT.mac), (BROKER.ip, BROKER.mac))
    arp = frames.read_arp(frame)
    assert arp == frames.Arp(1, BROKER.mac, BROKER.ip, BROKER.ip)
    assert Ether(frame).dst == UNIT.mac


def test_only_arp_is_read_as_arp() -> None:
    """A segment and a cut ARP frame hold no ARP packet."""
    claim = frames.arp_claim(INJECTOR.mac, (UNIT.ip, UNIT.mac), BROKER.ip)
    assert frames.read_arp(segment().frame) is None
    assert frames.read_arp(claim[:30]) is None
