"""Alarms beside a run: those of ``coldaisle live``, and the alerts of judged detectors."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from coldaisle_desk.tail import Tail

LIVE = "live"
"""Name of the alarms that ``coldaisle live`` wrote."""
_MOST = 1_000_000
"""Most alarms that are kept; more are only counted."""


class Alarm(NamedTuple):
    """One alarm.

    Attributes:
        at_ns: virtual time of its frame.
        shard: the shard.
        frame: number of the frame in the captures of the shard, from 1.
        stream: client id of the connection, else the two addresses.
        hosts: source and destination address.
        score: how sure the detector was.
        episode: id of the episode to which its frame belongs, empty for none; ``None`` where it is not known yet.
    """

    at_ns: int
    shard: str
    frame: int
    stream: str
    hosts: tuple[str, str]
    score: float
    episode: str | None = None


@dataclass
class Books:
    """The alarms of ``coldaisle live`` on a run, which is one file per shard.

    Args:
        folder: folder of the files.

    Attributes:
        alarms: the alarms, of each shard in their order.
        watching: what the first line of a file says of the detector; empty where nothing watches.
        dropped: alarms that were counted and not kept.
        odd: lines that lack what an alarm has.
    """

    folder: Path
    alarms: list[Alarm] = field(default_factory=list)
    watching: dict[str, Any] = field(default_factory=dict)
    dropped: int = 0
    odd: int = 0
    _tails: dict[Path, Tail] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of bytes read."""
        return sum(tail.offset for tail in self._tails.values())

    def look(self) -> None:
        """Read what has been added."""
        if any(tail.shrank() for tail in self._tails.values()):
            self.__init__(self.folder)  # type: ignore[misc]  # other files have taken their place
        for path in self.folder.glob("*.jsonl"):
            for line in self._tails.setdefault(path, Tail(path)).lines():
                self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        if line.get("event") == "watching":
            self.watching = {key: str(line.get(key, "")) for key in ("model", "policy")}
        elif line.get("event") == "alarm":
            if len(self.alarms) >= _MOST:
                self.dropped += 1
                return
            try:
                self.alarms.append(_alarm(line))
            except (KeyError, TypeError, ValueError):
                self.odd += 1


def _alarm(line: dict[str, Any]) -> Alarm:
    hosts = str(line.get("ip_src") or ""), str(line.get("ip_dst") or "")
    stream = str(line.get("client") or " → ".join(filter(None, hosts)) or line.get("protocol") or "?")
    return Alarm(
        int(line["time_ns"]), str(line["shard"]), int(line["frame"]), stream, hosts, float(line["score"])
    )


def judged(analysis: Path) -> dict[str, Path]:
    """Return the files of alerts of judged detectors in an analysis, by the detector's name."""
    return {path.stem: path for path in sorted((analysis / "judged").glob("*.csv"))}


def alerts_of(path: Path) -> list[dict[str, str]]:
    """Return the alerts in a file of a judged detector: ``frame`` in the dataset, ``episode``, ``label``, ``score``."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return []
