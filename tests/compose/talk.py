"""Conversations of MQTT as captures: whole TCP connections with right checksums, in a run's folder that nobody played."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.analysis import made_run
from tests.analysis.made_frames import FAR, NEAR, level_of
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.dataset.aggregates import flows
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.features import packets
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.manifest import MANIFEST

CAPTURE = "day-1-000.pcap"
START_NS = 1_772_500_000 * SECOND
STEP_NS = 1_000_000
SYN, ACK, PSH, FIN = 2, 16, 8, 1


def checksum(data: bytes) -> int:
    """Return the checksum of the Internet protocols (RFC 1071)."""
    words = struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total = int(sum(words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def summed(frame: bytes, forged: int = 0) -> bytes:
    """Return an Ethernet frame with IPv4 and TCP with its checksums; ``forged`` is added to that of TCP."""
    ip, length = frame[14:34], int.from_bytes(frame[16:18])
    tcp, rest = frame[34 : 14 + length], frame[14 + length :]
    ip = ip[:10] + checksum(ip[:10] + b"\0\0" + ip[12:]).to_bytes(2) + ip[12:]
    pseudo = ip[12:20] + struct.pack(">BBH", 0, 6, len(tcp))
    total = (checksum(pseudo + tcp[:16] + b"\0\0" + tcp[18:]) + forged) & 0xFFFF
    return frame[:14] + ip + tcp[:16] + total.to_bytes(2) + tcp[18:] + rest


@dataclass
class Talk:
    """Frames of several connections, one after the other.

    Attributes:
        frames: time in ns and bytes of each.
    """

    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def say(
        self, port: int, lines: Sequence[tuple[str, bytes]], *, close: bool = True, forged: Sequence[int] = ()
    ) -> None:
        """Add a connection from its SYN on.

        Args:
            port: the client's port.
            lines: who speaks, ``C`` or ``S`` for the server, and the payload of the segment.
            close: whether both sides close it.
            forged: places of the lines whose checksum is wrong.
        """
        numbers = {"C": 1000, "S": 5000}
        self._put(port, "C", SYN, numbers, b"")
        numbers["C"] += 1
        self._put(port, "S", SYN | ACK, numbers, b"")
        numbers["S"] += 1
        self._put(port, "C", ACK, numbers, b"")
        for place, (who, payload) in enumerate(lines):
            self._put(port, who, PSH | ACK, numbers, payload, int(place in forged))
            numbers[who] += len(payload)
            self._put(port, "S" if who == "C" else "C", ACK, numbers, b"")
        for who in "CS" if close else "":
            self._put(port, who, FIN | ACK, numbers, b"")
            numbers[who] += 1
        if close:
            self._put(port, "C", ACK, numbers, b"")

    def _put(
        self, port: int, who: str, flags: int, numbers: dict[str, int], payload: bytes, forged: int = 0
    ) -> None:
        near, far, ports = (NEAR, FAR, (port, 1883)) if who == "C" else (FAR, NEAR, (1883, port))
        acknowledged = numbers["S" if who == "C" else "C"] if flags & ACK else 0
        segment = made_run.tcp(ports, (numbers[who], acknowledged), flags, len(self.frames) + 1, payload)
        sent = made_run.ethernet(near[0], far[0], 0x0800, made_run.ipv4(near[1], far[1], 6, segment))
        self.frames.append((START_NS + len(self.frames) * STEP_NS, summed(sent, forged)))

    def save(self, run: Path) -> Path:
        """Write a finished run of it; return its folder."""
        made_run.make(run)
        capture = run / "capture" / CAPTURE
        made_run.pcap(capture, self.frames)
        trace, frames = packets.trace([capture], ["day-1"]), level_of([capture])
        levels = {
            "packets": frames,
            "messages": dataset.of_frames(trace.messages, frames),
            "flows": flows.build(frames, Cut()),
        }
        for name, level in levels.items():
            tables.write(level, run / "dataset" / name, ("parquet",))
        (run / MANIFEST).write_text(made_manifest(run).model_dump_json())
        return run
