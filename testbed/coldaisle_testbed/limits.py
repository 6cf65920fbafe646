"""Limits of this machine that the number of units of a site can reach: what each is, what a shard needs of it, and how to raise it.

A bridge of Linux has 1,023 ports, more than the greatest site needs, so it is not among them.
"""

import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.topics import SENSORS
from coldaisle_testbed import capacity
from coldaisle_testbed.checks import Check, checked

_SYSCTLS = Path("/proc/sys")
_GROUP = Path("/sys/fs/cgroup/pids.max")
_TASKS, _CONTAINER_TASKS = 1, 20
"""Tasks (processes and threads) of a unit, and of its container with the program that watches it."""
_BESIDE = 64
"""Tasks, or open files, that a shard needs beside those of its units, rounded up."""
_AT_ONCE = 2
"""Broadcasts that are copied to all hosts at the same time: a unit asks for the broker, and the broker for another unit."""
_GIB = 1 << 30


def limits(units: int) -> Iterator[Check]:
    """Yield the check of each limit that a shard of so many units may reach; limits that the kernel does not state here are left out."""
    backlog = _AT_ONCE * (units + 2) * capacity.per_processor(units)
    tasks, files = units * _TASKS + _BESIDE, _files_of(units)
    yield from _setting("net.ipv4.neigh.default.gc_thresh3", "neighbour table", capacity.neighbours_of(units))
    yield from _setting("net.core.netdev_max_backlog", "frames waiting for a processor", backlog)
    yield from _setting("kernel.pid_max", "tasks", tasks, "netns")
    yield from _setting(
        "kernel.pid_max", "tasks of containers", units * _CONTAINER_TASKS + _BESIDE, "compose"
    )
    with suppress(OSError, ValueError):  # no such control group, or no limit: "max"
        most = int(_GROUP.read_text(encoding="ascii"))
        remedy = "allow more, by TasksMax of a systemd unit or pids_limit of a container"
        yield _count("tasks of this control group", most, tasks, remedy, "netns")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    yield _count("open files", most, files, f"ulimit -n {2 * files}", "netns")
    yield _memory("memory of a shard", capacity.memory_of(units), "netns")
    yield _memory("memory of containers", capacity.container_memory_of(units), "compose")


def refuse_beyond(units: int, engine: str) -> None:
    """Refuse a site that is too big for this machine.

    Raises:
        InputError: for the first limit that one shard of it would exceed.
    """
    for check in limits(units):
        if not check.ok and check.engine in ("", engine):
            raise InputError(check.name, f"{check.finding} for {units} units: {check.remedy}")


def raise_open_files(units: int) -> None:
    """Let this process and those that it starts open as many files as a shard needs, where the machine allows it: a shell often allows 1,024."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, min(most, _files_of(units))), most))


def _files_of(units: int) -> int:
    """Return the most files that a process of a shard has open: the broker has one for each sensor. Measured: 1,034 with 256 units."""
    return units * len(SENSORS) + _BESIDE


def _setting(name: str, meaning: str, need: int, engine: str = "") -> Iterator[Check]:
    """Yield the check of a setting of the kernel."""
    with suppress(OSError):  # a network namespace or a container may not show it
        value = int((_SYSCTLS / name.replace(".", "/")).read_text(encoding="ascii"))
        yield _count(meaning, value, need, f"sysctl -w {name}={2 * need}", engine)


def _memory(name: str, need: int, engine: str) -> Check:
    free = capacity.free_memory()
    finding = f"{free / _GIB:.1f} GiB free, {need / _GIB:.1f} GiB needed"
    return checked(name, finding, "end other programs, or play fewer units", engine, ok=need <= free)


def _count(meaning: str, most: int, need: int, remedy: str, engine: str) -> Check:
    return checked(meaning, f"at most {most:,}, {need:,} needed", remedy, engine, ok=need <= most)
