"""Reader of captures while they are written: frames in virtual time, shard by shard."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from coldaisle_capture.retime import GLOBAL_HEADER, RECORD, RECORD_HEADER
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.timeline import Timeline

if TYPE_CHECKING:
    from io import FileIO

OPEN, SEALED = ".tcpdump", ".pcap"
SETTLED_NS = 2_000_000
"""Least age of a frame that is returned, in ns: two processors may stamp frames in one order and deliver them in the other."""

Frame = tuple[int, bytes]
"""Wall time in ns since the epoch, and bytes."""


class Tail:
    """Captures of one shard, read while they grow.

    Its files stay readable if the run's folder is sealed, joined or renamed meanwhile.

    Args:
        raw: folder of the raw captures.
        shard: name of the shard, the first part of every file's name.

    Raises:
        FileNotFoundError: if the shard has no timeline yet, or was joined to its run meanwhile.
    """

    def __init__(self, raw: Path, shard: str) -> None:
        self.shard = shard
        self._raw = raw
        self._lines = (raw.parents[1] / "journal" / "timeline.jsonl").open(encoding="utf-8")
        self._files: list[FileIO] = []
        self._at = 0
        self._rest = b""
        self._header = True
        self._held: list[Frame] = []
        self._line = ""
        self._timeline = Timeline([])

    def read(self, most_frames: int, most_bytes: int) -> list[tuple[int, int, bytes]]:
        """Return virtual time and wall time (in ns since the epoch) and bytes of the next frames, in the order of their stamps."""
        self._open_new()
        room = most_frames - len(self._held)
        self._held += self._take(room, most_bytes) if room > 0 else []
        self._held.sort(key=lambda frame: frame[0])
        settled = time.time_ns() - SETTLED_NS
        ready = sum(wall_ns <= settled for wall_ns, _ in self._held)
        frames, self._held = self._held[:ready], self._held[ready:]
        if frames:
            self._read_timeline()
        return [(wall_ns + self._timeline.offset(wall_ns), wall_ns, frame) for wall_ns, frame in frames]

    def ended(self) -> bool:
        """Tell whether no further frame can come; valid after a read that returned none."""
        writing = (self._raw / f"{self.shard}{OPEN}").exists()
        return not writing and self._at == len(self._files) - 1 and not self._rest and not self._held

    def close(self) -> None:
        """Close its files."""
        for file in self._files:
            file.close()
        self._lines.close()

    def _open_new(self) -> None:
        """Open new files; they are numbered, and have one name while they are written and another when they are sealed."""
        while True:
            number = len(self._files)
            names = (f"{self.shard}{OPEN}{number or ''}", f"{self.shard}-{number:03d}{SEALED}")
            path = next((path for name in names if (path := self._raw / name).exists()), None)
            if path is None:
                return
            try:
                self._files.append(path.open("rb", buffering=0))
            except FileNotFoundError:  # sealed between the two looks: the next look finds its new name
                return

    def _take(self, most_frames: int, most_bytes: int) -> list[Frame]:
        """Return further frames of the current file, or of the next one when the current file is complete."""
        if not self._files:
            return []
        fresh = self._files[self._at].read(max(most_bytes - len(self._rest), 0))
        if not fresh and not self._whole() and self._at + 1 < len(self._files):
            self._at, self._rest, self._header = self._at + 1, b"", True
            return self._take(most_frames, most_bytes)
        data, at = self._rest + (fresh or b""), 0
        if self._header and len(data) >= GLOBAL_HEADER:
            at, self._header = GLOBAL_HEADER, False
        frames: list[Frame] = []
        while not self._header and len(frames) < most_frames and len(data) - at >= RECORD_HEADER:
            seconds, nanos, size, _ = RECORD.unpack_from(data, at)
            start, end = at + RECORD_HEADER, at + RECORD_HEADER + size
            if end > len(data):
                break
            frames.append((seconds * SECOND + nanos, data[start:end]))
            at = end
        self._rest = data[at:]
        return frames

    def _whole(self) -> bool:
        """Tell whether the rest of the last read holds a whole frame."""
        if self._header or len(self._rest) < RECORD_HEADER:
            return False
        return len(self._rest) >= RECORD_HEADER + int(RECORD.unpack_from(self._rest)[2])

    def _read_timeline(self) -> None:
        """Read new time advances; those before a frame were written before it."""
        self._line += self._lines.read()
        *lines, self._line = self._line.split("\n")
        records = (json.loads(line) for line in lines)
        self._timeline.extend([
            (record["wall_ns"], record["offset_ns"])
            for record in records
            if record["event"] == "offset" and record["shard"] == self.shard
        ])  # fmt: skip


def find(stage: Path) -> Iterator[tuple[Path, str]]:
    """Yield folder and shard of every capture of a run, finished or not."""
    for raw in (stage / "capture" / "raw", *sorted(stage.glob("shards/*/capture/raw"))):
        names = {path.name.partition(OPEN)[0] for path in raw.glob(f"*{OPEN}*")}
        names |= {path.name[: -len("-000.pcap")] for path in raw.glob(f"*-000{SEALED}")}
        yield from ((raw, name) for name in sorted(names))
