"""How many pieces of a run this machine can play side by side."""

import os
import re
from pathlib import Path

PER_PROCESSOR = 7
"""Pieces a processor plays side by side: they mostly wait, so a week of seven days is played at once by a single one."""
MEMORY = 160 << 20
"""What the processes of a piece take together, bytes: 0.14 GiB were measured, pages they share counted once."""
SPARE = 512 << 20
"""What is left to the rest of the machine, bytes."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def side_by_side() -> int:
    """Return how many pieces are played at a time: as many as the processors and the free memory allow, and one at least."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(PER_PROCESSOR * processors, (free_memory() - SPARE) // MEMORY))


def free_memory() -> int:
    """Return how much memory is free, bytes: of the machine, or of the control group this process is in when that allows less."""
    available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    free = int(available[1]) << 10 if available else MEMORY + SPARE
    for place in _LIMITS:
        try:
            text = Path(place).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            free = min(free, int(text))
    return free
