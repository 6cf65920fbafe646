"""A real run as tshark and its own journals show it, without any code of the analysis."""

import struct
import subprocess
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Episode, Plan

_GLOBAL, _RECORD = 24, 16
"""Lengths of a pcap file's header and of a record's header, bytes."""
PATIENCE_S = 300.0
"""Longest time that tshark may read a capture, in s; it takes seconds for a day."""
_CHECKS = ("tcp.check_checksum", "ip.check_checksum", "udp.check_checksum")


def fields(pcap: Path, only: str, *names: str) -> list[list[str]]:
    """Return display fields of the frames that pass a display filter, checksums verified."""
    options = [option for name in names for option in ("-e", name)]
    checks = [option for name in _CHECKS for option in ("-o", f"{name}:TRUE")]
    command = ["tshark", "-n", "-r", str(pcap), *checks, "-Y", only, "-T", "fields", *options]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout  # noqa: S603 - no shell
    return [line.split("\t") for line in output.splitlines()]


def count(pcap: Path, only: str = "frame") -> int:
    """Return how many frames pass a display filter."""
    return len(fields(pcap, only, "frame.number"))


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


class Played:
    """A real run: its plan, its journals and its raw captures.

    Args:
        run: its folder.
        plan: its plan.

    Attributes:
        plan: its plan.
        captures: the raw capture of each shard.
        injector: the lines of the attacker's journal.
        units: the lines of each unit's journal.
        frames: the frames of each capture.
    """

    def __init__(self, run: Path, plan: Plan) -> None:
        self.plan = plan
        raw = sorted((run / "capture" / "raw").glob("*.pcap"))
        self.captures = {path.stem.rpartition("-")[0]: path for path in raw}
        self.injector = list(read_journal(run / "journal" / "injector.jsonl"))
        self.units: dict[str, list[dict[str, Any]]] = {
            unit: list(read_journal(run / "journal" / f"{unit}.jsonl")) for unit in plan.scenario.units
        }

    @cached_property
    def frames(self) -> dict[str, list[bytes]]:
        """The frames of each shard's capture."""
        return {shard: frames_of(path) for shard, path in self.captures.items()}

    def shard_of(self, episode: Episode) -> str:
        """Return the shard that played an episode; a shard is a day, or all of them."""
        day = f"day-{episode.onset // self.plan.scenario.slots_per_day + 1}"
        return day if day in self.captures else next(iter(self.captures))

    def lines(self, episode: Episode, event: str) -> list[dict[str, Any]]:
        """Return an episode's lines of an event, from the journal of the program that plays it."""
        journal = self.injector if episode.row.actor == "injector" else self.units[episode.unit]
        return [line for line in journal if line["event"] == event and line.get("episode") == episode.id]
