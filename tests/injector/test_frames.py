"""Frames the attacker makes: right checksums, and nothing changed that need not be."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from tests.injector.made import MACS, PORT, UNIT, assert_valid, publish, segment

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_injector import frames
from coldaisle_injector.segments import Arp, Segment, read_arp


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
    arp = read_arp(frame)
    assert arp == Arp(1, BROKER.mac, BROKER.ip, BROKER.ip)
    assert Ether(frame).dst == UNIT.mac
