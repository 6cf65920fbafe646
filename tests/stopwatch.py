"""Real time as a test may limit it: without what passed while a busy machine had no processor for somebody."""

import time
from pathlib import Path


def stalled_s() -> float:
    """Return how long some process of this machine has waited for a processor since its start, s; 0 if the kernel does not count it."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(some.rpartition("total=")[2]) / 1e6


class Stopwatch:
    """Measures real time from now on."""

    def __init__(self) -> None:
        self._began_s, self._stalled_s = time.monotonic(), stalled_s()

    def unstalled_s(self) -> float:
        """Return the time since the start in which no process of this machine waited for a processor, s."""
        return (time.monotonic() - self._began_s) - (stalled_s() - self._stalled_s)
