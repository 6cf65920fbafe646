"""Frames made by the attacker have right checksums, and only the requested fields change."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from tests.injector.made import MACS, PORT, TIMESTAMP, UNIT, assert_valid, publish, segment
from tests.published import UNITS

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_injector import frames
from coldaisle_injector.segments import Arp, Segment, read_arp


@pytest.mark.parametrize(("payload", "flags"), [(b"", "A"), (publish("15.54", 9), "PA")])
def test_forged_segment_is_valid_and_in_the_shape_of_its_model(payload: bytes, flags: str) -> None:
    """A forged segment has its model's addresses, the requested numbers and times, and right checksums."""
    model = segment(b"model")
    frame = frames.forge(model, MACS, (11, 12), (13, 14), payload)
    assert_valid(frame)
    read, packet = Segment.read(frame), Ether(frame)
    assert read is not None
    assert (read.seq, read.ack, read.tsval, read.tsecr, read.payload) == (11, 12, 13, 14, payload)
    assert (read.source, read.sport, str(packet[TCP].flags)) == (UNIT.ip, PORT, flags)
    assert packet[IP].id == Ether(model.frame)[IP].id + 1


def test_claims_say_that_an_address_is_at_the_attacker() -> None:
    """Claim and answer bind another host's address to the attacker's MAC and go to the victim alone."""
    victim = (UNIT.ip, UNIT.mac)
    for operation in (1, 2):
        packet = Ether(frames.arp_claim(INJECTOR.mac, victim, BROKER.ip, operation))
        assert (packet.src, packet.dst) == (INJECTOR.mac, UNIT.mac)
        assert (packet[ARP].op, packet[ARP].hwsrc, packet[ARP].psrc) == (operation, INJECTOR.mac, BROKER.ip)
        assert packet[ARP].pdst == UNIT.ip


def test_restoring_tells_the_owners_mac() -> None:
    """A restoring frame announces an address with its owner's MAC and needs no answer."""
    frame = frames.arp_restore(INJECTOR.mac, (UNIT.ip, UNIT.mac), (BROKER.ip, BROKER.mac))
    arp = read_arp(frame)
    assert arp == Arp(1, BROKER.mac, BROKER.ip, BROKER.ip)
    assert Ether(frame).dst == UNIT.mac


@pytest.mark.parametrize(
    ("field", "value", "layer", "name", "expected"),
    [
        ("ip.ttl", 1, IP, "ttl", 1),
        ("ip.dscp", 46, IP, "tos", 184),
        ("ip.ecn", 3, IP, "tos", 3),
        ("ip.id", 0, IP, "id", 0),
        ("ip.df", 1, IP, "flags", 2),
        ("tcp.push", 0, TCP, "flags", 16),
        ("tcp.window", 64, TCP, "window", 64),
        ("tcp.urgent", 65_535, TCP, "urgptr", 65_535),
        ("tcp.seq", 2**30, TCP, "seq", 1000 + 2**30),
        ("tcp.ack", 2**30, TCP, "ack", 2000 + 2**30),
        ("eth.dst", 34, Ether, "dst", UNITS["inrow-25"].mac),
    ],
)
def test_tampering_sets_one_field_and_keeps_the_rest(
    field: str, value: int, layer: type, name: str, expected: object
) -> None:
    """With the field set back, the frame equals the original; with the field changed, its checksums are right."""
    original = segment(publish("15.54", 3)).frame
    frame = frames.tampered(original, field, value)
    assert_valid(frame)
    packet = Ether(frame)
    assert getattr(packet[layer], name) == expected
    setattr(packet[layer], name, getattr(Ether(original)[layer], name))
    del packet[IP].chksum, packet[TCP].chksum
    assert bytes(packet) == original


@pytest.mark.parametrize("already_right", [False, True])
def test_tampered_checksum_is_wrong_whatever_it_is_set_to(already_right: bool) -> None:
    """A tampered checksum has the requested value, or the next one if that value would be right; no other field changes."""
    original = segment(publish("15.54", 3)).frame
    right = Ether(original)[TCP].chksum
    frame = frames.tampered(original, "tcp.checksum", right if already_right else 7)
    assert Ether(frame)[TCP].chksum == (right ^ 1 if already_right else 7)
    assert (frame[:50], frame[52:]) == (original[:50], original[52:])


def test_forged_segment_keeps_what_is_no_timestamp_out_of_its_options() -> None:
    """From the model's options a forged segment takes only the timestamps; without options it has none."""
    sack = [*TIMESTAMP, ("NOP", None), ("NOP", None), ("SAck", (5, 9))]
    for options, expected in ((sack, ["NOP", "NOP", "Timestamp"]), ([], [])):
        frame = frames.forge(segment(options=options, flags="A"), MACS, (1, 2), (3, 4), b"abc")
        assert_valid(frame)
        assert [name for name, _ in Ether(frame)[TCP].options] == expected
