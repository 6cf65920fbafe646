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
WEEKS_PER_PROCESSOR = 3
"""Weeks of a campaign per processor: one of them plays, which is mostly waiting, and the others are labelled or wait for slots."""
WEEK = 1 << 30
"""Memory of a week that is played or labelled, in bytes: seven shards need more than what labels them."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def side_by_side() -> int:
    """Return the number of shards to play at the same time: as many as processors and free memory allow, at least one."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(PER_PROCESSOR * processors, (free_memory() - SPARE) // MEMORY))


def slots_here() -> int:
    """Return the number of shards that all runs together may play at the same time: it does not depend on what runs now."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(PER_PROCESSOR * processors, (_within_limits(_stated("MemTotal")) - SPARE) // MEMORY))


def free_memory() -> int:
    """Return the free memory, in bytes: of the machine, or of this process's control group where that is less."""
    return _within_limits(available_memory())


def available_memory() -> int:
    """Return the memory of the machine that is available to programs, in bytes; 0 where the kernel does not state it."""
    return _stated("MemAvailable")


def _within_limits(memory: int) -> int:
    """Return the memory of the machine, in bytes, or that of this process's control group where it is less."""
    memory = memory or MEMORY + SPARE
    for place in _LIMITS:
        with suppress(OSError, ValueError):  # no such control group, or no limit: "max"
            memory = min(memory, int(Path(place).read_text(encoding="ascii")))
    return memory


def _stated(name: str) -> int:
    """Return what the kernel states of the machine's memory under a name, in bytes; 0 where it does not."""
    stated = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    return int(stated[1]) << 10 if stated else 0


def weeks_side_by_side() -> int:
    """Return the number of weeks of a campaign to play at the same time, at least one: three per processor, or what free memory holds.

    Shards of one week per processor fill the slots. With two others for each, eight weeks took 109 s on two processors, with one other 117 s.
    """
    processors = len(os.sched_getaffinity(0))
    return max(1, min(WEEKS_PER_PROCESSOR * processors, (free_memory() - SPARE) // WEEK))
