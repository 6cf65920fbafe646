"""The impostor against OpenSSL as a unit uses it, frame by frame without a network."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from tests.injector.made import UNIT, assert_valid, episode

from coldaisle_contracts.addressing import BROKER, INJECTOR, TLS_PORT
from coldaisle_contracts.listeners import CA, FALSE
from coldaisle_injector.attacks.false_certificate import Attack
from coldaisle_injector.impostor import Impostor
from coldaisle_injector.segments import ACK, FIN, PSH, SYN, Segment
from coldaisle_testbed.certificates import Authority

DAY = datetime.now(UTC)
PORT, OURS, THEIRS = 40_001, 5000, 0xFFFFFFF0
"""Port of the unit, and the first sequence number of either side; the unit's wraps soon."""


class _Unit:
    """One connection of a unit: enough of TCP to hold a handshake, and Python's TLS that trusts one authority."""

    def __init__(self, folder: Path) -> None:
        authority = Authority.new("the run's own", DAY, DAY)
        authority.save(folder / CA)
        Authority.new("unknown", DAY, DAY).certify(INJECTOR, folder / f"{FALSE}.pem")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(folder / f"{FALSE}.pem", folder / f"{FALSE}.key")
        self.impostor = Impostor(server, UNIT)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(folder / CA)
        self.heard, self.said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.heard, self.said, server_hostname=BROKER.name)
        self.seq, self.ack = THEIRS, 0

    def segment(self, flags: int, payload: bytes = b"") -> Segment:
        """Return a segment of the unit."""
        tcp = TCP(sport=PORT, dport=TLS_PORT, seq=self.seq, ack=self.ack, flags=flags)
        frame = Ether(src=UNIT.mac, dst=INJECTOR.mac) / IP(src=UNIT.ip, dst=BROKER.ip) / tcp
        read = Segment.read(bytes(frame / Raw(payload) if payload else frame))
        assert read is not None
        return read

    def take(self, frames: list[bytes]) -> list[int]:
        """Take in frames of the impostor, each of which is the next of its stream, and return their flags."""
        flags = []
        for frame in frames:
            assert_valid(frame)
            tcp = Segment.read(frame)
            assert tcp is not None
            assert (tcp.source, tcp.sport, tcp.dport, tcp.ack) == (BROKER.ip, TLS_PORT, PORT, self.seq)
            assert tcp.flags & SYN or tcp.seq == self.ack
            self.ack = tcp.seq + len(tcp.payload) + bool(tcp.flags & (SYN | FIN))
            self.heard.write(tcp.payload)
            flags.append(tcp.flags)
        return flags

    def say(self, payload: bytes, flags: int = ACK | PSH) -> list[int]:
        """Send a payload and return the flags of the answers."""
        segment = self.segment(flags, payload)
        self.seq = self.seq + len(payload) + bool(flags & FIN) & 0xFFFFFFFF
        assert self.impostor.knows(segment)
        return self.take(self.impostor.go_on(segment))


def test_a_unit_refuses_the_false_certificate(tmp_path: Path) -> None:
    """The handshake comes as far as the certificate; the unit's alert is acknowledged, and both sides close."""
    unit = _Unit(tmp_path)
    asking = unit.segment(SYN)
    unit.seq = THEIRS + 1
    assert not unit.impostor.knows(asking)
    assert unit.take(unit.impostor.begin(asking, OURS)) == [SYN | ACK]
    assert unit.ack == OURS + 1
    with pytest.raises(ssl.SSLWantReadError):
        unit.tls.do_handshake()
    hello = unit.said.read()
    again = unit.segment(ACK | PSH, hello)
    assert PSH | ACK in unit.say(hello)
    with pytest.raises(ssl.SSLCertVerificationError):
        unit.tls.do_handshake()
    assert unit.take(unit.impostor.go_on(again)) == [ACK], "what comes again is acknowledged again"
    assert unit.say(unit.said.read()) == [ACK]
    assert unit.say(b"", FIN | ACK) == [FIN | ACK]
    assert unit.impostor.go_on(unit.segment(ACK)) == []


def test_a_port_that_is_used_again_begins_anew(tmp_path: Path) -> None:
    """A SYN ends what was known of its port, so a connection that is let through is not answered."""
    unit = _Unit(tmp_path)
    unit.impostor.begin(unit.segment(SYN), OURS)
    assert unit.impostor.knows(unit.segment(ACK))
    assert not unit.impostor.knows(unit.segment(SYN))
    assert not unit.impostor.knows(unit.segment(ACK))


def test_an_attack_without_its_path_lets_everything_pass() -> None:
    """Before its script runs, an attack answers nothing."""
    attack = Attack(episode(kind="false-certificate"))
    asking = Segment.read(bytes(Ether() / IP(src=UNIT.ip, dst=BROKER.ip) / TCP(dport=TLS_PORT, flags="S")))
    assert asking is not None
    assert attack.impersonated(asking, begins=True) is None
