"""The folder of a run made by hand: two units, nine slots, four episodes; every byte is written here.

The analysis reads it like the folder of a real run, and the tests know every frame of it.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.published import UNITS, client_id

from coldaisle_analysis.decoding import captures
from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import frame_digest
from coldaisle_contracts.manifest import sha256_of
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.topics import SENSORS

SHARD = "day-1"
OFFSET = 5_000 * SECOND
"""Virtual time less wall time in this run, in ns."""
MILLI = 1_000_000
SYN, ACK, PSH = 2, 16, 8

EPISODES = (
    {"kind": "modification", "unit": "inrow-13", "day": 1, "start": "00:10", "readings": 1, "sensors": (1,),
     "variant": "shift", "size": 1.5},
    {"kind": "removal", "unit": "inrow-13", "day": 1, "start": "00:25", "readings": 1, "sensors": (2,)},
    {"kind": "interception", "unit": "inrow-25", "day": 1, "start": "00:15", "readings": 1},
    {"kind": "duplication", "unit": "inrow-25", "day": 1, "start": "00:30", "readings": 1, "sensors": (3,),
     "variant": "burst", "count": 2},
)  # fmt: skip


def plan() -> Plan:
    """Return the plan of the run."""
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "Europe/Madrid", "duration_h": 0.75,
                "units": ("inrow-13", "inrow-25"), "episodes": EPISODES}  # fmt: skip
    return build_plan(Scenario.model_validate(scenario))


def mac(text: str) -> bytes:
    """Return a MAC address as bytes."""
    return bytes.fromhex(text.replace(":", ""))


def ip(text: str) -> bytes:
    """Return an IPv4 address as bytes."""
    return bytes(int(part) for part in text.split("."))


def ethernet(source: str, target: str, kind: int, packet: bytes) -> bytes:
    """Return an Ethernet frame, padded to the smallest length."""
    return (mac(target) + mac(source) + struct.pack(">H", kind) + packet).ljust(60, b"\0")


def arp(
    source: str, target: str, operation: int, sender: tuple[str, str], requested: tuple[str, str]
) -> bytes:
    """Return an ARP frame; ``sender`` and ``requested`` are pairs of MAC and IPv4 address."""
    ends = mac(sender[0]) + ip(sender[1]) + mac(requested[0]) + ip(requested[1])
    return ethernet(source, target, 0x0806, struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + ends)


def ipv4(source: str, target: str, proto: int, body: bytes, ident: int = 7) -> bytes:
    """Return an IPv4 packet without checksum; ``ident`` numbers the packets of a connection."""
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, 0x4000, 64, proto, 0)
        + ip(source)
        + ip(target)
        + body
    )


def tcp(
    ports: tuple[int, int], numbers: tuple[int, int], flags: int, stamp: int, payload: bytes = b""
) -> bytes:
    """Return a TCP segment with a timestamp option and no checksum."""
    head = struct.pack(">HHIIHHHH", *ports, *numbers, 8 << 12 | flags, 229, 0, 0)
    return head + b"\x01\x01\x08\x0a" + struct.pack(">II", stamp, 0) + payload


def pcap(path: Path, frames: list[tuple[int, bytes]], order: str = "<", magic: int = 0xA1B23C4D) -> None:
    """Write a capture of frames with their times in ns; ``magic`` 0xA1B2C3D4 writes microseconds."""
    unit = 1 if magic == 0xA1B23C4D else 1000
    records = [
        struct.pack(f"{order}IIII", time // SECOND, time % SECOND // unit, len(frame), len(frame)) + frame
        for time, frame in frames
    ]
    path.write_bytes(struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 1) + b"".join(records))


def connect(client: str) -> bytes:
    """Return an MQTT 3.1 CONNECT."""
    body = b"\0\6MQIsdp\x03\x02" + struct.pack(">H", 600) + struct.pack(">H", len(client)) + client.encode()
    return bytes([0x10, len(body)]) + body


def publish(value: str, mid: int) -> bytes:
    """Return a PUBLISH of QoS 1 to topic IoT."""
    body = b"\0\3IoT" + struct.pack(">H", mid) + value.encode()
    return bytes([0x32, len(body)]) + body


def puback(mid: int) -> bytes:
    """Return a PUBACK."""
    return b"\x40\x02" + struct.pack(">H", mid)


@dataclass
class Connection:
    """The connection of a sensor: sequence numbers and packet counts of both sides, as the broker sees them."""

    unit: Host
    port: int
    client: str
    up: int = 1000
    down: int = 2000
    packets_up: int = 7
    packets_down: int = 7


@dataclass
class Recorder:
    """Writes journals, and the frames of the capture beside the broker."""

    plan: Plan
    frames: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    units: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    injector: list[dict[str, Any]] = field(default_factory=list)

    def put(self, at: int, source: str, target: str, build: Callable[[int], bytes]) -> bytes:
        """Capture a frame, which ``build`` makes from its TCP timestamp in ms; return the frame of the raw capture."""
        raw, retimed = (
            ethernet(source, target, 0x0800, build(ns // MILLI & 0xFFFFFFFF)) for ns in (at - OFFSET, at)
        )
        self.frames.append((at, raw, retimed))
        return raw

    def note(self, at: int, frame: bytes, episode: str, role: str, *, attack: bool, act: str) -> None:
        """Write a line for a frame of the attacker into the journal."""
        self.injector.append({"event": "frame", "episode": episode, "digest": frame_digest(frame), "role": role,
                              "anomalous": attack, "side": "broker", "act": act, "at_ns": at})  # fmt: skip

    def act(self, at: int, connection: Connection, slot: int, mid: int, episode: str, **facts: Any) -> None:
        """Write a line for an act on a reading into the journal."""
        self.injector.append({"event": "act", "episode": episode, "unit": connection.unit.name, "slot": slot,
                              "sensor": int(connection.client[-1]), "port": connection.port, "mid": mid,
                              "digest": "", "client": "", "at_ns": at, **facts})  # fmt: skip

    def upward(self, at: int, conn: Connection, flags: int, payload: bytes = b"", via: str = "") -> bytes:
        """Capture a segment from the unit to the broker."""
        numbers, size = (conn.up, conn.down), len(payload) + bool(flags & SYN)
        conn.up += size
        ident = conn.packets_up = conn.packets_up + 1

        def packet(stamp: int) -> bytes:
            segment = tcp((conn.port, 1883), numbers, flags, stamp, payload)
            return ipv4(conn.unit.ip, BROKER.ip, 6, segment, ident)

        return self.put(at, via or conn.unit.mac, BROKER.mac, packet)

    def downward(self, at: int, conn: Connection, flags: int, payload: bytes = b"", via: str = "") -> bytes:
        """Capture a segment from the broker to the unit."""
        numbers, size = (conn.down, conn.up), len(payload) + bool(flags & SYN)
        conn.down += size
        ident = conn.packets_down = conn.packets_down + 1

        def packet(stamp: int) -> bytes:
            segment = tcp((1883, conn.port), numbers, flags, stamp, payload)
            return ipv4(BROKER.ip, conn.unit.ip, 6, segment, ident)

        return self.put(at, BROKER.mac, via or conn.unit.mac, packet)

    def open(self, at: int, conn: Connection) -> None:
        """Capture the handshake, CONNECT and CONNACK."""
        self.upward(at, conn, SYN)
        self.downward(at + MILLI, conn, SYN | ACK)
        self.upward(at + 2 * MILLI, conn, ACK)
        self.upward(at + 3 * MILLI, conn, PSH | ACK, connect(conn.client))
        self.downward(at + 4 * MILLI, conn, PSH | ACK, b"\x20\x02\0\0")

    def deliver(
        self,
        at: int,
        conn: Connection,
        message: tuple[str, int],
        episode: str = "",
        role: str = "relayed",
        *,
        attack: bool = False,
        act: str = "relay",
    ) -> str:
        """Capture a PUBLISH, its PUBACK and the acknowledgement, through the attacker when an episode is named.

        Returns:
            The digest of the frame with the PUBLISH.
        """
        value, mid = message
        via = INJECTOR.mac if episode else ""
        sent = self.upward(at, conn, PSH | ACK, publish(value, mid), via)
        replied = self.downward(at + MILLI, conn, PSH | ACK, puback(mid), via)
        done = self.upward(at + 40 * MILLI, conn, ACK, via=via)
        if episode:
            self.note(at, sent, episode, role, attack=attack, act=act)
            passes = attack and role == "relayed"  # an interception only relays
            self.note(at + MILLI, replied, episode, "relayed", attack=passes, act="relay")
            self.note(at + 40 * MILLI, done, episode, "relayed", attack=passes, act="relay")
        return frame_digest(sent)

    def save(self, run: Path) -> None:
        """Write the run's folder."""
        (run / "capture" / "raw").mkdir(parents=True)
        (run / "journal").mkdir()
        (run / "plan.json").write_text(self.plan.model_dump_json())
        self.frames.sort(key=lambda row: row[0])
        self.injector.sort(key=lambda line: int(line["at_ns"]))
        file, raw = f"capture/{SHARD}-000.pcap", f"capture/raw/{SHARD}-000.pcap"
        pcap(run / file, [(at, frame) for at, _, frame in self.frames])
        pcap(run / raw, [(at - OFFSET, frame) for at, frame, _ in self.frames])
        sealed = {"event": "sealed", "file": file, "raw": raw, "packets": len(self.frames), "kernel_drops": 0,
                  "sha256": sha256_of(run / file), "raw_sha256": sha256_of(run / raw)}  # fmt: skip
        offsets = [
            {"event": "offset", "wall_ns": at, "offset_ns": ns} for at, ns in ((0, 0), (1, 0), (2, OFFSET))
        ]
        journals = {"injector": self.injector, "capture": [sealed], "timeline": offsets}
        for name, lines in {**self.units, **journals}.items():
            text = "".join(json.dumps({**line, "shard": SHARD}) + "\n" for line in lines)
            (run / "journal" / f"{name}.jsonl").write_text(text)


def value(sensor: int, slot: int) -> str:
    """Return the payload that a sensor sends in a slot."""
    return f"{10 + 4 * sensor + slot / 100:.2f}"


def make(run: Path) -> Plan:
    """Write the run and return its plan; frames pass through the attacker only in the attacked slot."""
    planned = plan()
    recorder = Recorder(planned)
    for unit_number, name in enumerate(planned.scenario.units):
        unit = UNITS[name]
        connections = {
            sensor: Connection(unit, 40_000 + 10 * unit_number + sensor, client_id(name, sensor))
            for sensor in SENSORS
        }
        for sensor, conn in connections.items():
            recorder.open(planned.connect_ns(0, name) + sensor * 10 * MILLI, conn)
        recorder.units[name] = [
            {"event": "connect", "client": conn.client, "name": conn.client, "port": conn.port,
             "at_ns": planned.connect_ns(0, name), "reason": "start", "was": 0, "episode": ""}
            for conn in connections.values()
        ]  # fmt: skip
        recorder.units[name] += [
            _reading(recorder, connections[sensor], sensor, slot)
            for slot in range(planned.scenario.slots)
            for sensor in SENSORS
        ]
    _poison(recorder)
    recorder.save(run)
    return planned


def _poison(recorder: Recorder) -> None:
    for episode in recorder.plan.episodes:
        unit = UNITS[episode.unit]
        honest = arp(unit.mac, "ff:ff:ff:ff:ff:ff", 1, (unit.mac, unit.ip), ("00:00:00:00:00:00", BROKER.ip))
        claim = arp(INJECTOR.mac, BROKER.mac, 1, (INJECTOR.mac, unit.ip), ("00:00:00:00:00:00", BROKER.ip))
        restore = arp(INJECTOR.mac, BROKER.mac, 1, (unit.mac, unit.ip), ("00:00:00:00:00:00", BROKER.ip))
        before, after = episode.approach_ns, episode.end_ns
        recorder.injector += [
            {"event": "episode", "episode": episode.id, "phase": phase, "at_ns": at}
            for phase, at in (
                ("approach", before),
                ("on_path", before + MILLI),
                ("begin", episode.begin_ns),
                ("end", after),
                ("off_path", after),
            )
        ]
        recorder.frames += [
            (before - MILLI, honest, honest),
            (before, claim, claim),
            (after, restore, restore),
        ]
        recorder.note(before, claim, episode.id, "injected", attack=True, act="poison")
        recorder.note(after, restore, episode.id, "injected", attack=True, act="restore")


def _reading(recorder: Recorder, conn: Connection, sensor: int, slot: int) -> dict[str, Any]:
    """Play one reading and return its journal line."""
    taken_ns = recorder.plan.reading_ns(slot, conn.unit.name)
    at, text, mid = taken_ns + sensor * 5 * MILLI, value(sensor, slot), slot + 1
    episodes = [
        e
        for e in recorder.plan.episodes
        if e.unit == conn.unit.name and e.onset == slot and sensor in e.sensors
    ]
    if not episodes:
        recorder.deliver(at, conn, (text, mid))
    for episode in episodes:
        _attacked(recorder, conn, (at, slot, mid, text), episode.kind, episode.id)
        for copy_ns in (copy for act in episode.acts for copy in act.times_ns):
            digest = recorder.deliver(
                copy_ns, conn, (text, mid), episode.id, "duplicate", attack=True, act="copy"
            )
            recorder.act(
                copy_ns,
                conn,
                slot,
                mid,
                episode.id,
                operation="copy",
                before=text,
                after=text,
                copy=1,
                digest=digest,
            )
    return {"event": "reading", "client": conn.client, "slot": slot, "taken_ns": taken_ns, "stamp_ns": taken_ns + 1000,
            "value": text, "mid": mid, "port": conn.port, "sent_ns": taken_ns, "acked_ns": at + MILLI,
            "attempts": 1, "name": conn.client, "synced": -1, "episode": ""}  # fmt: skip


def _attacked(
    recorder: Recorder, conn: Connection, reading: tuple[int, int, int, str], kind: str, episode: str
) -> None:
    at, slot, mid, text = reading
    if kind == "removal":
        recorder.act(at, conn, slot, mid, episode, operation="swallow", before=text, after=None, copy=0)
    elif kind == "modification":
        changed = f"{float(text) + 1.5:.2f}"
        digest = recorder.deliver(at, conn, (changed, mid), episode, "modified", attack=True, act="alter")
        facts = {"operation": "modify", "before": text, "after": changed, "copy": 0, "digest": digest}
        recorder.act(at, conn, slot, mid, episode, **facts)
    else:
        recorder.deliver(at, conn, (text, mid), episode, attack=kind == "interception")


def captured(path: Path) -> list[tuple[int, bytes]]:
    """Return the time and the bytes of every frame of a capture."""
    frames = captures.read([path])
    return [(int(frames.time_ns[row]), frames.frame(row)) for row in range(len(frames))]


def later(frame: bytes, shift: int) -> bytes:
    """Return a TCP frame with its sequence number moved on."""
    at = 14 + 20 + 4
    number = int.from_bytes(frame[at : at + 4], "big") + shift
    return frame[:at] + number.to_bytes(4, "big") + frame[at + 4 :]
