"""Folders that are somebody's while a run is made in them: nobody else goes on there, nor clears them away."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GLANCE_S = 0.5
"""Somebody who only looks holds a folder for much less than this, s."""


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder within the block, unless somebody else does; yields whether it is ours.

    The lock (flock) is on the folder itself: it follows the folder when that is renamed, and ends with the last process that
    has it open, however that ends.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield _locked(opened, fcntl.LOCK_EX, _GLANCE_S)
    finally:
        os.close(opened)


def is_held(folder: Path) -> bool:
    """Tell whether somebody holds a folder; one that is not there is nobody's."""
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
