"""Locks on folders: while a process makes a run in a folder, no other goes on there or removes it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GLANCE_S = 0.5
"""Longer than a process that only looks holds a lock, in s."""


@contextmanager
def held(folder: Path, patience_s: float = _GLANCE_S) -> Iterator[bool]:
    """Hold the lock on a folder within the block, unless another process has it; yield whether it is held here.

    The lock (flock) is on the folder itself. It survives a rename of the folder, and ends with the last process that has the folder
    open, however that process ends.

    Args:
        folder: the folder.
        patience_s: time to wait for another process to give it up, in s.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _locked(opened, fcntl.LOCK_EX, patience_s)
    finally:
        os.close(opened)


def is_held(folder: Path) -> bool:
    """Tell whether a process holds the lock on a folder; a missing folder is not held."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _locked(opened, fcntl.LOCK_SH, 0)
    finally:
        os.close(opened)


def _locked(opened: int, how: int, patience_s: float) -> bool:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(opened, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        else:
            return True
