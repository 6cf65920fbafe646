"""Number of shards of a run that this machine can play at the same time."""

import os
import re
from contextlib import suppress
from pathlib import Path

PER_PROCESSOR = 7
"""Shards of four units per processor: they mostly wait, so a single processor plays the seven days of a week at the same time."""
_RESTING = 24
"""Units whose work takes as long as the rest of the wire after it, which does not depend on their number."""
_FIXED, _UNIT = 124 << 20, 9 << 20
"""Memory of the daemons and the attacker of a shard, and of each unit more, in bytes."""
SPARE = 512 << 20
"""Memory that is left to other programs, in bytes."""
WEEKS_PER_PROCESSOR = 3
"""Weeks of a campaign per processor: one of them plays, which is mostly waiting, and the others are labelled or wait for slots."""
WEEK = 1 << 30
"""Memory of a week that is played or labelled, in bytes: seven shards need more than what labels them."""
_CONTAINERS, _CONTAINER = 512 << 20, 40 << 20
"""The same of a run in containers: those that are no unit, and each unit's with the program that watches it."""
_NEIGHBOURS = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
"""Most entries of the machine's one neighbour table (ARP), which all network namespaces share."""
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def side_by_side(units: int) -> int:
    """Return the number of shards of so many units to play at the same time, at least one: processors, free memory and neighbours bound it."""
    return _shards(units, free_memory())


def slots_here(units: int) -> int:
    """Return the number of shards of so many units that all runs together may play at the same time: it does not depend on what runs now."""
    return _shards(units, _within_limits(_stated("MemTotal")))


def _shards(units: int, memory: int) -> int:
    bounds = [
        per_processor(units) * len(os.sched_getaffinity(0)),
        (memory - SPARE) // memory_of(units),
        most_neighbours() // neighbours_of(units),
    ]
    return max(1, min(bounds))


def per_processor(units: int) -> int:
    """Return the number of shards per processor: the more units there are, the less of its time a shard waits."""
    return min(PER_PROCESSOR, 1 + _RESTING // units)


def memory_of(units: int) -> int:
    """Return the memory of all processes of a shard, in bytes.

    Measured as the sum of ``Pss`` in ``/proc/*/smaps_rollup``, in which shared pages count once: 0.14 GiB with 4 units, 0.65 GiB with
    64, and 2.2 GiB with 256.
    """
    return _FIXED + units * _UNIT


def container_memory_of(units: int) -> int:
    """Return the memory of a run in containers, in bytes.

    Measured as the decrease of the machine's available memory with 64 units in 70 containers: 2.7 GB.
    """
    return _CONTAINERS + units * _CONTAINER


def neighbours_of(units: int) -> int:
    """Return the entries of a shard in the neighbour table: each unit and the attacker know the broker, and the broker knows each of them.

    Measured: 128 with 64 units, 512 with 256.
    """
    return 2 * (units + 1)


def most_neighbours() -> int:
    """Return the most entries that the neighbour table can have; where the kernel does not state it, what Linux starts with."""
    try:
        return int(_NEIGHBOURS.read_text(encoding="ascii"))
    except OSError:  # a container does not see it
        return 1024


def free_memory() -> int:
    """Return the free memory, in bytes: of the machine, or of this process's control group where that is less."""
    return _within_limits(available_memory())


def available_memory() -> int:
    """Return the memory of the machine that is available to programs, in bytes; 0 where the kernel does not state it."""
    return _stated("MemAvailable")


def _within_limits(memory: int) -> int:
    """Return the memory of the machine, in bytes, or that of this process's control group where it is less."""
    memory = memory or memory_of(4) + SPARE
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
