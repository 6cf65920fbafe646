"""The offsets of virtual time during a shard, as the timekeeper recorded them."""

from bisect import bisect_right
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import read_journal

MILLISECOND = 1_000_000
"""Nanoseconds in a millisecond."""


class Timeline:
    """The offsets of a shard, each with the wall time from which it was in force.

    Args:
        rows: pairs of wall time and offset, in ns.
    """

    def __init__(self, rows: list[tuple[int, int]]) -> None:
        self._walls = [wall for wall, _ in rows]
        self._offsets = [offset for _, offset in rows]

    def extend(self, rows: list[tuple[int, int]]) -> None:
        """Add later offsets."""
        self._walls += [wall for wall, _ in rows]
        self._offsets += [offset for _, offset in rows]

    @classmethod
    def load(cls, path: Path, shard: str) -> "Timeline":
        """Read the timeline of a shard from its journal.

        Raises:
            InputError: if it cannot be read, or holds no offset of the shard.
        """
        lines = [line for line in read_journal(path) if line["event"] == "offset" and line["shard"] == shard]
        if not lines or not all("wall_ns" in line and "offset_ns" in line for line in lines):
            raise InputError(path, f"it holds no offset of {shard}: make the run again")
        return cls([(line["wall_ns"], line["offset_ns"]) for line in lines])

    def offset(self, wall_ns: int) -> int:
        """Return the offset in force at a wall time, in ns."""
        return self._offsets[max(0, bisect_right(self._walls, wall_ns) - 1)]

    def growth_ms(self, wall_ns: int) -> int:
        """Return the growth of the offset since the first time advance, in ms."""
        base = self._offsets[min(1, len(self._offsets) - 1)]
        return max(0, self.offset(wall_ns) - base) // MILLISECOND
