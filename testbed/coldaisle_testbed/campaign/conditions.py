"""What a machine was like while a week was played: its load, and what its own host took from it."""

import os
from dataclasses import dataclass
from pathlib import Path

_STEAL = 7
"""Field of steal in the line ``cpu`` of ``/proc/stat``; user and nice, fields 0 and 1, hold what guests use, too."""


@dataclass
class Conditions:
    """Watch over the machine, from the moment it is made.

    Attributes:
        samples: load averages over one minute, one for each call of :meth:`look`.
    """

    samples: list[float]
    _before: tuple[int, int]

    @classmethod
    def begin(cls) -> "Conditions":
        """Return a watch that begins now."""
        return cls([os.getloadavg()[0]], _ticks())

    def look(self) -> None:
        """Take a sample."""
        self.samples.append(os.getloadavg()[0])

    @property
    def load(self) -> float:
        """Mean load average."""
        return sum(self.samples) / len(self.samples)

    @property
    def steal(self) -> float:
        """Share of processor time that was stolen, 0 to 1."""
        (total, stolen), (total_before, stolen_before) = _ticks(), self._before
        return (stolen - stolen_before) / max(1, total - total_before)


def _ticks() -> tuple[int, int]:
    """Return the ticks of all processors since the boot: all of them, and those stolen."""
    line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    fields = list(map(int, line.split()[1:9]))
    return sum(fields), fields[_STEAL]
