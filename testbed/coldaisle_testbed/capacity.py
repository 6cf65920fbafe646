"""Number of shards of a run that this machine can play at the same time."""

import os
import re
from contextlib import suppress
from pathlib import Path

PER_PROCESSOR = 7
"""Shards per processor: they mostly wait, so a single processor plays the seven days of a week at the same time."""
MEMORY = 160 << 20
"""Memory of all processes of a shard, in bytes: 0.14 GiB were measured, with shared pages counted once."""
SPARE = 512 << 20
"""Memory that is left to other programs, in bytes."""
WEEK = 1 << 30
"""Memory of a week that is played and labelled, in bytes."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def side_by_side() -> int:
    """Return the number of shards to play at the same time: as many as processors and free memory allow, at least one."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(PER_PROCESSOR * processors, (free_memory() - SPARE) // MEMORY))


def free_memory() -> int:
    """Return the free memory, in bytes: of the machine, or of this process's control group where that is less."""
    free = available_memory() or MEMORY + SPARE
    for place in _LIMITS:
        with suppress(OSError, ValueError):  # no such control group, or no limit: "max"
            free = min(free, int(Path(place).read_text(encoding="ascii")))
    return free


def available_memory() -> int:
    """Return the memory of the machine that is available to programs, in bytes; 0 where the kernel does not state it."""
    available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    return int(available[1]) << 10 if available else 0


def weeks_side_by_side() -> int:
    """Return the number of weeks of a campaign to play at the same time, at least one: while one waits, another computes."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(processors + 1, (free_memory() - SPARE) // WEEK))
