"""Programs inside network namespaces, started so that none can outlive the run."""

import ctypes
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coldaisle_contracts.errors import FederateError
from coldaisle_contracts.lifeline import die_with_parent, is_stopped
from coldaisle_contracts.unforeseen import as_known

_CLONE_NEWNET, _CLONE_NEWNS = 0x40000000, 0x20000
_MS_REC, _MS_SLAVE = 0x4000, 0x80000
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter(namespace: int) -> None:
    """Move the calling thread into a network namespace.

    Args:
        namespace: a file descriptor of it.
    """
    _call("setns", namespace, _CLONE_NEWNET)


def leave() -> None:
    """Move the calling thread into a network namespace of its own."""
    _call("unshare", _CLONE_NEWNET)


def _call(function: str, *arguments: int | bytes | None) -> None:
    if getattr(_LIBC, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")


def own_shared_memory() -> None:
    """Give the calling process a ``/dev/shm`` of its own, which disappears with the last process that uses it.

    libfaketime makes two files there for every process, and leaves them when the process is killed.
    """
    _call("unshare", _CLONE_NEWNS)
    _call("mount", None, b"/", None, _MS_REC | _MS_SLAVE, None)
    _call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", 0, b"size=16m")


def fork(namespace: int, env: dict[str, str], log: Path, body: Callable[[], object]) -> int:
    """Fork, enter a network namespace and run ``body`` there, its output in ``log``.

    Args:
        namespace: file descriptor of the namespace.
        env: environment variables for the child, in addition to the inherited ones.
        log: file the child's standard output and error are appended to.
        body: the work of the child; its process ends afterwards.

    Returns:
        The child's process id.
    """
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent(parent)
        # Ctrl-C is for the command line, which ends this process
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(env)
        enter(namespace)
        body()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the last words of a program are one sentence
        failure = as_known(error)
        sys.stderr.write(f"coldaisle: {failure}\n")
        code = failure.exit_code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def module(name: str) -> Callable[[], object]:
    """Return a function that runs a package as ``python -m`` does."""
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True)


def program(arguments: list[str], folder: Path) -> Callable[[], object]:
    """Return a function that replaces the process by another program, in a folder, with shared memory of its own."""

    def body() -> None:
        own_shared_memory()
        os.chdir(folder)
        os.execvp(arguments[0], arguments)  # noqa: S606 - our own argument lists

    return body


def accepts(host: str, port: int, patience_s: float) -> bool:
    """Tell whether a program accepts TCP connections at an address within a time, in s."""
    with suppress(OSError), socket.create_connection((host, port), patience_s):
        return True
    return False


def last_words(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log, or an empty text."""
    try:
        written = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in written[-lines:])


def ending(code: int) -> str:
    """Return in words how a program ended.

    Args:
        code: its exit code, or minus the number of the signal that killed it.
    """
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


class Stops:
    """Watch for programs that were stopped, by SIGSTOP or a debugger, and do not go on.

    Args:
        patience_s: time for which a program may be stopped, in s.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since: dict[int, float] = {}

    def look(self, programs: dict[int, str]) -> None:
        """Check programs for a stop.

        Args:
            programs: their names by process id.

        Raises:
            FederateError: if one has been stopped for too long.
        """
        now = time.monotonic()
        for pid, name in programs.items():
            if not is_stopped(pid):
                self._since.pop(pid, None)
            elif now - self._since.setdefault(pid, now) > self._patience_s:
                raise FederateError(name, f"was stopped for {self._patience_s:g} s")
