"""The path between a unit and the broker, played frame by frame without a network."""

import json
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest
from scapy.contrib.mqtt import MQTT, MQTTConnect, MQTTPublish
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from tests.injector.made import PORT, UNIT, VICTIM, assert_valid, episode, publish, segment
from tests.published import HOSTS

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.dialects import USUAL, Dialect
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.kinds import KindName
from coldaisle_injector import frames, messages, mqtt
from coldaisle_injector.arp_caches import LOCK_NS, RESEND_NS
from coldaisle_injector.catalogue import OnPath, attack_for
from coldaisle_injector.messages import PUBCOMP, PUBREC, PUBREL, acknowledgement
from coldaisle_injector.notes import Notes
from coldaisle_injector.onpath import PATIENCE_NS, Path
from coldaisle_injector.script import At, ScriptRunner
from coldaisle_injector.segments import Arp, Segment, read_arp
from coldaisle_injector.spoofing import OffPathError
from coldaisle_injector.wire import Guard

EVERYBODY = "ff:ff:ff:ff:ff:ff"


class _Wire:
    """Keeps the sent frames, and refuses the same frames as the real wire."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        Guard(HOSTS).check(frame)
        self.sent.append(frame)

    def segments(self) -> list[Segment]:
        """Return the segments sent since the last call."""
        read_segments = [read for frame in self.sent if (read := Segment.read(frame))]
        self.sent.clear()
        return read_segments


class _Times:
    """Both clocks stand still until a test moves them."""

    now = 0

    def now_ns(self) -> int:
        return self.now

    def wall_ns(self) -> int:
        return self.now


class _Scene:
    """A path, an episode of a kind, and one connection between the unit and the broker."""

    def __init__(self, folder: FilePath, kind: KindName, dialect: Dialect = USUAL, **keys: Any) -> None:
        self.file, self.wire, self.times, self.slot = folder / "injector.jsonl", _Wire(), _Times(), 1
        self._journal = Journal(self.file, "day-1")
        notes = Notes(UNIT, self.times, self._journal)
        victim = replace(VICTIM, dialect=dialect)
        self.path = Path(victim, self.wire, notes, lambda _: self.slot)  # type: ignore[arg-type]
        self.dialect = dialect
        self.episode = episode(kind=kind, **keys)
        attack = attack_for(self.episode)
        assert isinstance(attack, OnPath)
        self.attack = attack
        self.up, self.down = 1000, 2000
        self.down_seen, self.up_seen = 2000, 1000

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the journal's lines of an event."""
        self._journal.flush()
        return [
            line
            for text in self.file.read_text().splitlines()
            if (line := json.loads(text))["event"] == event
        ]

    def send(self, payload: bytes) -> list[Segment]:
        """Let the unit send a payload and return the attacker's answer to it."""
        self.path.on_segment(segment(payload, numbers=(self.up, self.down_seen)))
        self.up += len(payload)
        return self._deliver()

    def reply(self, payload: bytes) -> list[Segment]:
        """Let the broker send a payload and return the attacker's answer to it."""
        flags = "PA" if payload else "A"
        self.path.on_segment(segment(payload, source=BROKER, numbers=(self.down, self.up_seen), flags=flags))
        self.down += len(payload)
        return self._deliver()

    def publish(self, value: str, mid: int) -> list[tuple[str, bytes]]:
        """Let the unit send a reading in its dialect and return receiver and payload of what the attacker sends."""
        return self.payloads(self.send(self.said(value, mid)))

    def said(self, value: str, mid: int) -> bytes:
        """Return a reading in the unit's dialect."""
        return messages.publish("IoT", value, mid=mid if self.dialect.qos else 0, qos=self.dialect.qos)

    def copy(self, slot: int) -> list[Segment]:
        """Let the attacker deliver a reading of sensor 1 again and return what it sends."""
        self.path.spoofer.copy(slot, 1, 1)
        return self._deliver()

    def released(self, slot: int) -> list[Segment]:
        """Let the attacker release a reading of sensor 1 and return what it sends."""
        self.path.spoofer.release(slot, 1)
        return self._deliver()

    def _deliver(self) -> list[Segment]:
        """Pass on the sent segments: each side must get exactly the next bytes of its stream."""
        sent = self.wire.segments()
        for tcp in sent:
            if tcp.source == UNIT.ip:
                assert tcp.seq == self.up_seen
                self.up_seen += len(tcp.payload)
                assert tcp.ack <= self.down
            else:
                assert tcp.seq == self.down_seen
                self.down_seen += len(tcp.payload)
                assert tcp.ack <= self.up
        return sent

    def begin(self) -> None:
        """Get on the path, let reading 1 pass, and start to act in slot 2."""
        self.path.approach(self.episode, self.attack)
        for victim, other in ((UNIT, BROKER), (BROKER, UNIT)):
            answer = frames.arp_claim(victim.mac, (INJECTOR.ip, INJECTOR.mac), INJECTOR.ip, 2)
            heard = Arp(2, victim.mac, victim.ip, other.ip)
            self.path.on_arp(heard, answer)
        self.wire.sent.clear()
        self.publish("15.00", 1)
        for answer in ([b""], [mqtt.puback(1)], [acknowledgement(PUBREC, 1), acknowledgement(PUBCOMP, 1)])[
            self.dialect.qos
        ]:
            self.reply(answer)
        self.path.begin()
        self.slot = 2

    def overhear(self, frame: bytes) -> None:
        """Let an ARP frame arrive at the path."""
        arp = read_arp(frame)
        assert arp is not None
        self.path.on_arp(arp, frame)

    def payloads(self, segments: list[Segment]) -> list[tuple[str, bytes]]:
        """Return the receiver and the payload of each sent segment."""
        return [(tcp.target, tcp.payload) for tcp in segments]


def test_interception_relays_unchanged(tmp_path: FilePath) -> None:
    """Frames pass unchanged in both directions and are labelled during the act."""
    scene = _Scene(tmp_path, "interception")
    scene.begin()
    reading = publish("15.54", 2)
    assert scene.payloads(scene.send(reading)) == [(BROKER.ip, reading)]
    assert scene.payloads(scene.reply(mqtt.puback(2))) == [(UNIT.ip, mqtt.puback(2))]
    assert [line["anomalous"] for line in scene.lines("frame") if line["act"] == "relay"] == [False] * 2 + [
        True
    ] * 2
    assert not scene.lines("act")


def test_shorter_value_keeps_the_streams_together(tmp_path: FilePath) -> None:
    """After a modification that changes the length, both streams continue without a hole or an overlap."""
    scene = _Scene(tmp_path, "modification", variant="scale", factor=0.6)
    scene.begin()
    assert scene.payloads(scene.send(publish("15.54", 2))) == [(BROKER.ip, publish("9.32", 2))]
    assert scene.payloads(scene.reply(mqtt.puback(2))) == [(UNIT.ip, mqtt.puback(2))]
    scene.slot = 9
    assert scene.payloads(scene.send(publish("15.60", 3))) == [(BROKER.ip, publish("15.60", 3))]
    (act,) = scene.lines("act")
    assert (act["operation"], act["before"], act["after"], act["slot"]) == ("modify", "15.54", "9.32", 2)


def test_removed_reading_is_acknowledged_in_the_brokers_place(tmp_path: FilePath) -> None:
    """The broker receives nothing, the unit its PUBACK, and the next reading leaves no hole in the stream."""
    scene = _Scene(tmp_path, "removal")
    scene.begin()
    assert scene.payloads(scene.send(publish("15.54", 2))) == [(UNIT.ip, mqtt.puback(2))]
    scene.slot = 9
    assert scene.payloads(scene.send(publish("15.60", 3))) == [(BROKER.ip, publish("15.60", 3))]
    assert scene.payloads(scene.reply(mqtt.puback(3))) == [(UNIT.ip, mqtt.puback(3))]
    (act,) = scene.lines("act")
    assert (act["operation"], act["before"], act["after"]) == ("swallow", "15.54", None)


def test_retransmission_of_a_removed_reading_is_removed_again(tmp_path: FilePath) -> None:
    """A retransmission by the unit's kernel, after a slow answer, is removed as well."""
    scene = _Scene(tmp_path, "removal")
    scene.begin()
    reading = publish("15.54", 2)
    scene.send(reading)
    scene.up -= len(reading)
    assert scene.send(reading) == []
    assert len(scene.lines("act")) == 1
    assert [line["role"] for line in scene.lines("frame") if line["act"] == "swallow"] == [
        "removed",
        "consequence",
    ]


def test_retransmission_of_an_edited_reading_is_edited_again(tmp_path: FilePath) -> None:
    """A segment that the unit sends twice reaches the broker twice with the same changed bytes, and counts as one act."""
    scene = _Scene(tmp_path, "modification", variant="shift", size=1.0)
    scene.begin()
    (first,) = scene.send(publish("15.54", 2))
    scene.up, scene.up_seen = scene.up - len(publish("15.54", 2)), scene.up_seen - len(first.payload)
    (second,) = scene.send(publish("15.54", 2))
    assert (second.seq, second.payload) == (first.seq, publish("16.54", 2))
    assert len(scene.lines("act")) == 1
    assert [line["role"] for line in scene.lines("frame")][-2:] == ["modified", "consequence"]


def test_copy_is_the_next_bytes_of_the_stream_and_its_puback_is_kept_back(tmp_path: FilePath) -> None:
    """The broker gets the reading again; its PUBACK is acknowledged by the attacker and never reaches the unit."""
    scene = _Scene(tmp_path, "duplication", variant="once")
    scene.begin()
    scene.send(publish("15.54", 2))
    scene.reply(mqtt.puback(2))
    assert scene.payloads(scene.copy(2)) == [(BROKER.ip, publish("15.54", 2))]
    assert not scene.path.settled
    assert scene.payloads(scene.reply(mqtt.puback(2))) == [(BROKER.ip, b"")]
    assert scene.path.settled
    assert [line["copy"] for line in scene.lines("act")] == [1]
    scene.slot = 9
    assert scene.payloads(scene.send(publish("15.60", 3))) == [(BROKER.ip, publish("15.60", 3))]


def test_copy_of_a_reading_that_never_passed_voids_the_run(tmp_path: FilePath) -> None:
    """A copy of a reading that the attacker has not received raises an error."""
    scene = _Scene(tmp_path, "duplication")
    scene.begin()
    with pytest.raises(OffPathError, match="e01: the attacker has no reading of sensor 1, slot 7 to copy"):
        scene.path.spoofer.copy(7, 1, 1)


@pytest.mark.parametrize("kind", ["delay", "reordering"])
def test_held_reading_is_delivered_later_under_its_own_message_id(tmp_path: FilePath, kind: str) -> None:
    """The unit gets its PUBACK at once; the broker gets the reading after a later one, and the attacker keeps the broker's PUBACK."""
    scene = _Scene(tmp_path, kind)
    scene.begin()
    assert scene.payloads(scene.send(publish("15.54", 2))) == [(UNIT.ip, mqtt.puback(2))]
    scene.slot = 9
    assert scene.payloads(scene.send(publish("15.60", 3))) == [(BROKER.ip, publish("15.60", 3))]
    scene.reply(mqtt.puback(3))
    assert scene.payloads(scene.released(2)) == [(BROKER.ip, publish("15.54", 2))]
    assert not scene.path.settled
    assert scene.payloads(scene.reply(mqtt.puback(2))) == [(BROKER.ip, b"")]
    assert scene.path.settled
    acts = [(line["operation"], line["slot"], line["after"]) for line in scene.lines("act")]
    assert acts == [("hold", 2, None), ("release", 2, "15.54")]
    (frame,) = (line for line in scene.lines("frame") if line["act"] == "release")
    assert (frame["role"], frame["digest"]) == ("delayed", scene.lines("act")[1]["digest"])


@pytest.mark.parametrize(("kind", "readings"), [("delay", 1), ("reordering", 2)])
def test_reading_that_comes_after_its_release_was_due_goes_on_at_once(
    tmp_path: FilePath, kind: str, readings: int
) -> None:
    """A reading may arrive after its planned release: the script waits for it and sends it on at once."""
    scene = _Scene(tmp_path, kind)
    scene.begin()
    scene.times.now = scene.episode.end_ns
    stage = ScriptRunner(scene.times)
    stage.add(scene.attack.during(scene.path))
    assert not stage.settled
    for number in range(readings):
        assert "release" not in [line["operation"] for line in scene.lines("act")]
        scene.slot = 2 + number
        scene.send(publish("15.54", 2 + number))
        stage.look()
        scene._deliver()
    assert [line["operation"] for line in scene.lines("act")][:2] == ["hold", "release"]


def test_reading_that_is_not_held_cannot_be_released(tmp_path: FilePath) -> None:
    """Releasing a reading that the attacker does not hold raises an error."""
    scene = _Scene(tmp_path, "delay")
    scene.begin()
    with pytest.raises(OffPathError, match="has no reading of sensor 1, slot 7 to release"):
        scene.path.spoofer.release(7, 1)


@pytest.mark.parametrize("kind", ["loss", "network-loss"])
def test_lost_segment_passes_when_it_was_sent_often_enough(tmp_path: FilePath, kind: str) -> None:
    """Two transmissions are dropped and the third passes as a consequence; time stands still until then."""
    scene = _Scene(tmp_path, kind, count=2)
    scene.begin()
    reading = publish("15.54", 2)
    for _ in range(2):
        assert scene.send(reading) == []
        assert not scene.path.settled
        scene.up -= len(reading)
    assert scene.payloads(scene.send(reading)) == [(BROKER.ip, reading)]
    assert scene.path.settled
    assert [line["operation"] for line in scene.lines("act")] == ["lose"]
    noted = [(line["act"], line["role"], line["side"]) for line in scene.lines("frame")][-3:]
    assert noted == [
        ("lose", "removed", "unit"),
        ("lose", "consequence", "unit"),
        ("repeat", "consequence", "broker"),
    ]


def test_doubled_segment_arrives_twice_and_its_duplicate_ack_is_a_consequence(tmp_path: FilePath) -> None:
    """The same frame is sent twice, and the broker's selective acknowledgement of it is labelled."""
    scene = _Scene(tmp_path, "doubling")
    scene.begin()
    scene.path.on_segment(segment(publish("15.54", 2), numbers=(scene.up, scene.down_seen)))
    first, second = scene.wire.segments()
    assert first.frame == second.frame
    sack = [("NOP", None), ("NOP", None), ("SAck", (scene.up, scene.up + 10))]
    numbers = (scene.down, scene.up_seen)
    scene.path.on_segment(segment(source=BROKER, numbers=numbers, flags="A", options=sack))
    roles = [(line["act"], line["role"]) for line in scene.lines("frame")][-3:]
    assert roles == [("relay", "relayed"), ("double", "duplicate"), ("reply", "consequence")]


@pytest.mark.parametrize(
    ("field", "value", "layer", "name"),
    [
        ("ip.ttl", 7, IP, "ttl"),
        ("ip.id", 77, IP, "id"),
        ("tcp.window", 64, TCP, "window"),
        ("tcp.urgent", 5, TCP, "urgptr"),
    ],
)
def test_tampered_header_field_has_its_value_and_right_checksums(
    tmp_path: FilePath, field: str, value: int, layer: type, name: str
) -> None:
    """One field changes, the reading stays the same, and the frame is valid."""
    scene = _Scene(tmp_path, "tampering", variant=field, value=value)
    scene.begin()
    scene.path.on_segment(segment(publish("15.54", 2), numbers=(scene.up, scene.down_seen)))
    (sent,) = scene.wire.segments()
    assert getattr(Ether(sent.frame)[layer], name) == value
    assert sent.payload == publish("15.54", 2)
    assert_valid(sent.frame)
    (act,) = scene.lines("act")
    assert (act["operation"], act["before"], act["after"]) == ("tamper", "15.54", "15.54")
    assert scene.lines("frame")[-1]["digest"] == act["digest"]


@pytest.mark.parametrize("field", ["tcp.checksum", "tcp.seq", "tcp.ack", "eth.dst"])
def test_frame_the_broker_discards_is_sent_again_untouched(tmp_path: FilePath, field: str) -> None:
    """The unit's kernel sends the frame again; the second transmission passes unchanged and is a consequence."""
    scene = _Scene(tmp_path, "tampering", variant=field)
    scene.begin()
    reading = segment(publish("15.54", 2), numbers=(scene.up, scene.down_seen))
    for _ in range(2):
        scene.path.on_segment(reading)
    tampered, again = scene.wire.segments()
    assert tampered.frame != again.frame
    assert_valid(again.frame)
    noted = [(line["role"], line["side"]) for line in scene.lines("frame")][-2:]
    side = "unit" if field == "eth.dst" else "broker"
    assert noted == [("modified", side), ("consequence", "broker")]
    assert scene.path.settled


def test_connection_that_was_broken_gives_no_held_reading_back(tmp_path: FilePath) -> None:
    """A reading held on a closed connection cannot be delivered, and an error ends the run."""
    scene = _Scene(tmp_path, "delay")
    scene.begin()
    scene.send(publish("15.54", 2))
    scene.path.on_segment(segment(numbers=(scene.up, scene.down_seen), flags="RA"))
    with pytest.raises(OffPathError, match="has no reading of sensor 1, slot 2 to release"):
        scene.path.spoofer.release(2, 1)


def test_renamed_message_is_acknowledged_under_its_own_id(tmp_path: FilePath) -> None:
    """The broker receives another message id; the unit's PUBACK has the original one."""
    scene = _Scene(tmp_path, "tampering", variant="mqtt.msgid", value=40_000)
    scene.begin()
    ((_, sent),) = scene.payloads(scene.send(publish("15.54", 2)))
    mid = next(mqtt.messages(sent)).mid
    assert mid == 40_000
    assert scene.payloads(scene.reply(mqtt.puback(mid))) == [(UNIT.ip, mqtt.puback(2))]
    assert scene.path.settled


def test_reading_at_qos_0_is_acknowledged_by_the_attacker(tmp_path: FilePath) -> None:
    """The broker does not answer QoS 0, so the attacker sends the PUBACK, and both streams stay in step."""
    scene = _Scene(tmp_path, "tampering", variant="mqtt.qos")
    scene.begin()
    sent = scene.payloads(scene.send(publish("15.54", 2)))
    assert sent == [
        (UNIT.ip, mqtt.puback(2)),
        (BROKER.ip, bytes(MQTT(QOS=0) / MQTTPublish(topic="IoT", value=b"15.54"))),
    ]
    scene.slot = 9
    assert scene.payloads(scene.send(publish("15.60", 3))) == [(BROKER.ip, publish("15.60", 3))]


def test_retained_message_is_cleared_at_the_end(tmp_path: FilePath) -> None:
    """If an edit set the retain flag, an empty retained message clears the broker's retained value at the end."""
    scene = _Scene(tmp_path, "tampering", variant="mqtt.retain")
    scene.begin()
    ((_, sent),) = scene.payloads(scene.send(publish("15.54", 2)))
    assert sent[0] & 1
    scene.attack.undo(scene.path)
    ((_, cleared),) = scene.payloads(scene._deliver())
    assert cleared == bytes(MQTT(QOS=0, RETAIN=1) / MQTTPublish(topic="IoT"))


def test_reset_breaks_a_connection_on_both_sides(tmp_path: FilePath) -> None:
    """Each side gets a RST with the sequence number that it expects, and the path drops the connection."""
    scene = _Scene(tmp_path, "reset")
    scene.begin()
    scene.path.spoofer.reset(2, 1)
    sent = {tcp.target: (tcp.seq, tcp.flags & 4) for tcp in scene.wire.segments()}
    assert sent == {BROKER.ip: (scene.up, 4), UNIT.ip: (scene.down, 4)}
    (act,) = scene.lines("act")
    assert (act["operation"], act["client"], act["port"]) == ("reset", "131", PORT)
    with pytest.raises(OffPathError, match="has no connection of sensor 1"):
        scene.path.spoofer.reset(2, 1)


def _asking(port: int) -> Segment:
    """Return the unit's SYN to a port of the broker."""
    tcp = TCP(sport=PORT + 1, dport=port, seq=7, flags="S", options=[("MSS", 1460)])
    read = Segment.read(bytes(Ether(src=UNIT.mac, dst=INJECTOR.mac) / IP(src=UNIT.ip, dst=BROKER.ip) / tcp))
    assert read is not None
    return read


def test_downgrade_refuses_tls_until_its_last_reset(tmp_path: FilePath) -> None:
    """A SYN to port 8883 is answered by the RST of a closed port, with its lines, until the second reset; one to port 1883 passes."""
    scene = _Scene(tmp_path, "downgrade")
    scene.begin()
    times, script = iter(act.times_ns[0] for act in scene.episode.acts), scene.attack.during(scene.path)
    scene.path.on_segment(_asking(8883))
    assert [tcp.target for tcp in scene.wire.segments()] == [BROKER.ip]
    assert next(script) == At(next(times))
    assert next(script) == At(next(times))
    scene.wire.sent.clear()
    scene.path.on_segment(_asking(8883))
    (frame,) = scene.wire.sent
    assert_valid(frame)
    (refusal,) = scene.wire.segments()
    assert (refusal.source, refusal.target, refusal.sport, refusal.dport) == (
        BROKER.ip,
        UNIT.ip,
        8883,
        PORT + 1,
    )
    assert (refusal.seq, refusal.ack, refusal.flags) == (0, 8, 0x14)
    assert [line["port"] for line in scene.lines("refuse")] == [PORT + 1]
    noted = [(line["act"], line["role"], line["side"]) for line in scene.lines("frame")]
    assert noted[-2:] == [("swallow", "consequence", "unit"), ("refuse", "injected", "unit")]
    scene.path.on_segment(_asking(1883))
    assert [tcp.target for tcp in scene.wire.segments()] == [BROKER.ip]


def test_sensor_of_a_new_connection_is_the_one_its_connect_names(tmp_path: FilePath) -> None:
    """A sensor that reconnects is recognised by its client id, with any firmware suffix."""
    scene = _Scene(tmp_path, "removal", sensors=(3,))
    scene.path.on_segment(segment(numbers=(scene.up - 1, 0), flags="S"))
    scene.path.on_segment(segment(source=BROKER, numbers=(scene.down - 1, scene.up), flags="SA"))
    connect = MQTT() / MQTTConnect(clientId="133-v2", protoname="MQIsdp", protolevel=3, klive=3600)
    scene.path.approach(scene.episode, scene.attack)
    scene.wire.sent.clear()
    scene.send(bytes(connect))
    scene.reply(b"\x20\x02\x00\x00")
    scene.path.begin()
    scene.slot = 2
    assert scene.payloads(scene.send(publish("15.54", 1))) == [(UNIT.ip, mqtt.puback(1))]


def test_forged_ntp_answer_moves_the_servers_times(tmp_path: FilePath) -> None:
    """Receive and transmit timestamps move by the same number of seconds, the checksum is right, and the broker's own frame is only relayed."""
    scene = _Scene(tmp_path, "time-forgery", size=30, readings=4)
    scene.begin()
    scene.slot = 4
    answer = bytes(24) + bytes(8) + (1000 << 32).to_bytes(8, "big") + (1001 << 32).to_bytes(8, "big")
    ether = Ether(src=BROKER.mac, dst=INJECTOR.mac) / IP(src=BROKER.ip, dst=UNIT.ip)
    scene.path.on_other(bytes(ether / UDP(sport=123, dport=40_000) / Raw(answer)), upward=False)
    sent = Ether(scene.wire.sent[-1])
    stamps = [int.from_bytes(bytes(sent[UDP].payload)[at : at + 4], "big") for at in (32, 40)]
    assert stamps == [1030, 1031]
    checksum = sent[UDP].chksum
    del sent[UDP].chksum
    assert Ether(bytes(sent))[UDP].chksum == checksum
    assert [(line["operation"], line["slot"]) for line in scene.lines("act")] == [("shift-clock", 4)]


def test_episode_does_not_begin_off_the_path(tmp_path: FilePath) -> None:
    """An episode cannot begin before the attacker has seen traffic in both directions."""
    scene = _Scene(tmp_path, "removal")
    scene.path.approach(scene.episode, scene.attack)
    scene.send(publish("15.00", 1))
    with pytest.raises(OffPathError, match="saw no traffic pass between inrow-13 and the broker"):
        scene.path.begin()


def test_claims_are_repeated_and_in_the_end_given_up(tmp_path: FilePath) -> None:
    """A claim without an answer is sent again after a while; without any answer the run ends."""
    scene = _Scene(tmp_path, "removal")
    scene.path.approach(scene.episode, scene.attack)
    assert len(scene.wire.sent) == 2
    scene.path.insist()
    assert len(scene.wire.sent) == 2
    scene.times.now = RESEND_NS + 1
    scene.path.insist()
    assert len(scene.wire.sent) == 4
    scene.times.now = PATIENCE_NS + SECOND
    with pytest.raises(OffPathError, match="got no answer"):
        scene.path.insist()


@pytest.mark.parametrize("asker", [BROKER, UNIT])
def test_who_asks_everybody_about_somebody_else_cures_the_other_side(tmp_path: FilePath, asker: Host) -> None:
    """A broadcast ARP question shows the asker's real address to the other side, so both are claimed again until they answer."""
    scene = _Scene(tmp_path, "interception")
    scene.begin()
    scene.overhear(frames.arp_claim(asker.mac, (INJECTOR.ip, EVERYBODY), asker.ip))
    claims = [read for frame in scene.wire.sent if (read := read_arp(frame))]
    assert {(arp.sender_mac, arp.sender_ip, arp.target_ip) for arp in claims} == {
        (INJECTOR.mac, BROKER.ip, UNIT.ip),
        (INJECTOR.mac, UNIT.ip, BROKER.ip),
    }
    assert not scene.path.settled


def test_question_nobody_else_hears_changes_nothing(tmp_path: FilePath) -> None:
    """An ARP question before the path is taken, or to a single host, causes no new claim."""
    scene = _Scene(tmp_path, "interception")
    scene.overhear(frames.arp_claim(BROKER.mac, (INJECTOR.ip, EVERYBODY), BROKER.ip))
    assert not scene.wire.sent
    scene.begin()
    scene.overhear(frames.arp_claim(BROKER.mac, (INJECTOR.ip, INJECTOR.mac), BROKER.ip))
    assert not scene.wire.sent


def test_caches_are_restored_only_when_no_connection_needs_translation(tmp_path: FilePath) -> None:
    """With a translated connection the attacker stays on the path; without one it restores both caches at once."""
    for kind, freed in (("removal", False), ("interception", True)):
        folder = tmp_path / kind
        folder.mkdir()
        scene = _Scene(folder, kind)
        scene.begin()
        scene.send(publish("15.54", 2))
        scene.path.leave()
        restored = [read_arp(frame) for frame in scene.wire.sent]
        owners = {(arp.sender_ip, arp.sender_mac) for arp in restored if arp}
        assert owners == ({(UNIT.ip, UNIT.mac), (BROKER.ip, BROKER.mac)} if freed else set())
        assert scene.path.poisoned is not freed


def test_reset_frees_a_translated_connection(tmp_path: FilePath) -> None:
    """When the last translated connection has ended, the caches are restored."""
    scene = _Scene(tmp_path, "removal")
    scene.begin()
    scene.send(publish("15.54", 2))
    scene.path.leave()
    scene.path.on_segment(segment(numbers=(scene.up, scene.down_seen), flags="RA"))
    assert not scene.path.poisoned
    assert scene.lines("episode")[-1]["phase"] == "off_path"


def test_half_closed_connection_is_not_settled(tmp_path: FilePath) -> None:
    """Time must not advance between the FINs of the two sides; the last acknowledgement allows it."""
    scene = _Scene(tmp_path, "removal")
    scene.begin()
    scene.send(publish("15.54", 2))
    assert scene.path.settled
    closing = [(UNIT, "FA"), (BROKER, "FA"), (UNIT, "A")]
    states = []
    for source, flags in closing:
        numbers = (scene.up, scene.down_seen) if source is UNIT else (scene.down, scene.up_seen)
        scene.path.on_segment(segment(source=source, numbers=numbers, flags=flags))
        states.append(scene.path.settled)
    assert states == [False, False, True]


def test_broker_that_closes_first_does_not_hold_time_up(tmp_path: FilePath) -> None:
    """A disconnected sensor sleeps until its next reading: after its acknowledgement of the broker's FIN no frame is under way."""
    scene = _Scene(tmp_path, "interception")
    scene.begin()
    scene.path.on_segment(segment(source=BROKER, numbers=(scene.down, scene.up_seen), flags="FA"))
    assert not scene.path.settled
    scene.path.on_segment(segment(numbers=(scene.up, scene.down_seen + 1), flags="A"))
    assert scene.path.settled


def _claims(scene: _Scene) -> set[str]:
    """Return the addresses that the attacker claimed since the last call."""
    claims = {arp.sender_ip for frame in scene.wire.sent if (arp := read_arp(frame))}
    scene.wire.sent.clear()
    return claims


@pytest.mark.parametrize("silent", [BROKER, UNIT])
def test_claims_are_made_anew_where_words_stay_unacknowledged(tmp_path: FilePath, silent: Host) -> None:
    """Unacknowledged data shows a victim that forgot the claim: the claim is made again, but only once its kernel accepts a new one."""
    scene = _Scene(tmp_path, "interception")
    scene.begin()
    scene.send(publish("15.54", 2))
    if silent is UNIT:
        scene.reply(mqtt.puback(2))
    scene.times.now = LOCK_NS
    scene.path.insist()
    assert _claims(scene) == set()
    scene.times.now = LOCK_NS + 1
    scene.path.insist()
    assert _claims(scene) == {UNIT.ip, BROKER.ip}
    assert not scene.path.settled


def test_words_that_were_acknowledged_are_no_reason_for_a_claim(tmp_path: FilePath) -> None:
    """There is no new claim after an edit that changed the stream's length, nor after a sender stopped waiting."""
    scene = _Scene(tmp_path, "removal")
    scene.begin()
    scene.send(publish("15.54", 2))  # swallowed; the attacker acknowledges it for the broker
    scene.send(b"")
    scene.send(publish("15.60", 3))
    scene.reply(mqtt.puback(3))
    scene.send(b"")
    scene.times.now = 2 * LOCK_NS
    scene.path.insist()
    assert _claims(scene) == set()
    scene.send(publish("15.61", 4))
    scene.times.now += PATIENCE_NS
    scene.path.insist()
    assert _claims(scene) == set()


def test_a_segment_the_attacker_loses_is_no_reason_for_a_claim(tmp_path: FilePath) -> None:
    """A segment that the attacker drops stays unacknowledged, which says nothing about ARP caches."""
    scene = _Scene(tmp_path, "loss")
    scene.begin()
    assert scene.send(publish("15.54", 2)) == []
    scene.times.now = 2 * LOCK_NS
    scene.path.insist()
    assert _claims(scene) == set()


def test_who_says_nothing_is_owed_no_acknowledgement(tmp_path: FilePath) -> None:
    """A pure ACK as the first segment of a connection causes no claim; unacknowledged data does."""
    scene = _Scene(tmp_path, "interception")
    scene.begin()
    scene.path._connections.clear()
    for payload, claimed in ((b"", set()), (publish("15.54", 2), {UNIT.ip, BROKER.ip})):
        scene.send(payload)
        scene.times.now += 2 * LOCK_NS
        scene.path.insist()
        assert _claims(scene) == claimed


MOST_ONCE, ONCE = Dialect(qos=0), Dialect(qos=2)


def _marked(scene: _Scene) -> list[tuple[str, str, str, bool]]:
    return [
        (line["act"], line["role"], line["side"], line["anomalous"])
        for line in scene.lines("frame")
        if line["act"] != "relay"
    ][2:]


def test_removed_reading_of_qos_0_is_acknowledged_by_tcp_alone(tmp_path: FilePath) -> None:
    """The unit gets the acknowledgement of its bytes and no message, and the next reading leaves no hole in the stream."""
    scene = _Scene(tmp_path, "removal", MOST_ONCE)
    scene.begin()
    assert scene.publish("15.54", 0) == [(UNIT.ip, b"")]
    assert scene.path.settled
    scene.slot = 9
    assert scene.publish("15.60", 0) == [(BROKER.ip, scene.said("15.60", 0))]


def test_copy_of_qos_0_waits_for_the_acknowledgement_of_its_bytes(tmp_path: FilePath) -> None:
    """Nothing but TCP answers the copy: time stands still until then, the answer is a consequence, and the unit does not get it."""
    scene = _Scene(tmp_path, "duplication", MOST_ONCE, variant="once")
    scene.begin()
    scene.publish("15.54", 0)
    scene.reply(b"")
    assert scene.payloads(scene.copy(2)) == [(BROKER.ip, scene.said("15.54", 0))]
    assert not scene.path.settled
    assert scene.reply(b"") == []
    assert scene.path.settled
    assert _marked(scene)[-2:] == [
        ("copy", "duplicate", "broker", True),
        ("reply", "consequence", "broker", True),
    ]


def test_removed_reading_of_qos_2_gets_its_whole_handshake(tmp_path: FilePath) -> None:
    """The attacker answers PUBLISH with PUBREC and PUBREL with PUBCOMP; the broker sees neither, and time waits for the PUBREL."""
    scene = _Scene(tmp_path, "removal", ONCE)
    scene.begin()
    assert scene.publish("15.54", 2) == [(UNIT.ip, acknowledgement(PUBREC, 2))]
    assert not scene.path.settled
    assert scene.payloads(scene.send(acknowledgement(PUBREL, 2))) == [(UNIT.ip, acknowledgement(PUBCOMP, 2))]
    assert scene.path.settled
    scene.slot = 9
    assert scene.publish("15.60", 3) == [(BROKER.ip, scene.said("15.60", 3))]
    for answer in (PUBREC, PUBCOMP):
        assert scene.payloads(scene.reply(acknowledgement(answer, 3))) == [
            (UNIT.ip, acknowledgement(answer, 3))
        ]


@pytest.mark.parametrize("kind", ["duplication", "delay"])
def test_delivery_of_qos_2_by_the_attacker_has_its_own_handshake(tmp_path: FilePath, kind: str) -> None:
    """A copy and a late reading get PUBREL and an acknowledgement from the attacker; the unit sees none of the broker's answers."""
    scene = _Scene(tmp_path, kind, ONCE)
    scene.begin()
    scene.publish("15.54", 2)
    if kind == "delay":
        scene.send(acknowledgement(PUBREL, 2))
        sent = scene.released(2)
    else:
        for answer in (PUBREC, PUBCOMP):
            scene.reply(acknowledgement(answer, 2))
        assert scene.path.spoofer.is_free(1)
        sent = scene.copy(2)
        assert not scene.path.spoofer.is_free(1)
    assert scene.payloads(sent) == [(BROKER.ip, scene.said("15.54", 2))]
    assert scene.payloads(scene.reply(acknowledgement(PUBREC, 2))) == [
        (BROKER.ip, acknowledgement(PUBREL, 2))
    ]
    assert not scene.path.settled
    assert scene.payloads(scene.reply(acknowledgement(PUBCOMP, 2))) == [(BROKER.ip, b"")]
    assert scene.path.settled
    assert scene.path.spoofer.is_free(1)
    noted = [(act, side) for act, _, side, _ in _marked(scene)][-4:]
    assert noted == [
        ("reply", "broker"),
        ("proceed", "broker"),
        ("reply", "broker"),
        ("acknowledge", "broker"),
    ]


def test_renamed_message_of_qos_2_keeps_its_other_name_until_it_is_complete(tmp_path: FilePath) -> None:
    """The broker gets another message id in PUBLISH and PUBREL, the unit its own in PUBREC and PUBCOMP."""
    scene = _Scene(tmp_path, "tampering", ONCE, variant="mqtt.msgid", value=40_000)
    scene.begin()
    assert scene.publish("15.54", 2) == [(BROKER.ip, scene.said("15.54", 40_000))]
    for there, back, here in ((PUBREC, PUBREC, PUBREL), (PUBCOMP, PUBCOMP, None)):
        assert scene.payloads(scene.reply(acknowledgement(there, 40_000))) == [
            (UNIT.ip, acknowledgement(back, 2))
        ]
        assert scene.path.settled == (here is None)
        if here:
            assert scene.payloads(scene.send(acknowledgement(here, 2))) == [
                (BROKER.ip, acknowledgement(here, 40_000))
            ]
