"""Observation of a run by tshark and the kernel, without any code of coldaisle."""

import struct
import subprocess
from functools import cache
from pathlib import Path

_GLOBAL, _RECORD = 24, 16
"""Lengths of a pcap file's header and of a record's header, bytes."""
_ORDINARY = (
    "Connection establish",
    "Connection finish",
    "This frame initiates the connection closing",
    "This frame undergoes the connection closing",
)
"""Expert messages about the begin and the end of a connection, which are no errors."""


def fields(pcap: Path, only: str, *names: str) -> list[list[str]]:
    """Return display fields of the frames that pass a display filter, checksums verified."""
    options = [option for name in names for option in ("-e", name)]
    checks = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
    ]
    command = ["tshark", "-n", "-r", str(pcap), *checks, "-Y", only, "-T", "fields", *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def count(pcap: Path, only: str = "frame") -> int:
    """Return how many frames pass a display filter."""
    return len(fields(pcap, only, "frame.number"))


def remarks(pcap: Path) -> list[str]:
    """Return tshark's expert messages on a capture, without those on the begin and end of connections."""
    rows = fields(pcap, "_ws.expert", "frame.number", "_ws.expert.message")
    return [
        f"{frame}: {message}"
        for frame, messages in rows
        for message in messages.split(",")
        if not message.startswith(_ORDINARY)
    ]


def processes() -> dict[int, str]:
    """Return the network namespace of every process that can be read."""
    spaces = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            spaces[int(folder.name)] = (folder / "ns" / "net").readlink().name
        except OSError:
            continue
    return spaces


def descendants(pid: int) -> dict[int, str]:
    """Return the processes below a process, with their names."""
    parents, names = dict[int, int](), dict[int, str]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        parents[int(folder.name)], names[int(folder.name)] = int(rest.split()[1]), name
    found, edge = dict[int, str](), {pid}
    while edge := {child for child, parent in parents.items() if parent in edge}:
        found |= {child: names[child] for child in edge}
    return found


def holder(pids: dict[int, str], journal: str) -> int | None:
    """Return the process among ``pids`` that writes a journal of this name."""
    for pid in pids:
        try:
            opened = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if any(name.endswith(f"/journal/{journal}.jsonl") for name in opened):
            return pid
    return None


@cache
def numbers(pcap: Path, only: str) -> list[int]:
    """Return the numbers, from 1, of the frames that pass a display filter."""
    return [int(number) for (number,) in fields(pcap, only, "frame.number")]


def frames_of(pcap: Path) -> list[bytes]:
    """Return the frames of a capture with little-endian headers, as tcpdump writes them here."""
    data, at, frames = pcap.read_bytes(), _GLOBAL, list[bytes]()
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 8)
        frames.append(data[at + _RECORD : at + _RECORD + length])
        at += _RECORD + length
    return frames
