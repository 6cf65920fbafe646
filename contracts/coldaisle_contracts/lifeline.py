"""Processes that end with the process that started them, however it ends; the kernel ensures it."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int = 0) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    Args:
        parent: id of the process that started this one, where known; this process ends at once if that one has already ended.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def is_stopped(pid: int) -> bool:
    """Tell whether a process is there and stopped, by SIGSTOP or a debugger: state T or t of its ``/proc`` entry."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - looked at often
            return file.read().rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return False
