"""Starting programs inside a network namespace so that none can outlive the run."""

import ctypes
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from coldaisle_contracts.errors import ColdaisleError

_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000
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


def _call(function: str, *arguments: int) -> None:
    if getattr(_LIBC, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def fork(namespace: int, env: dict[str, str], log: Path, body: Callable[[], object]) -> int:
    """Fork, enter a network namespace and run ``body`` there, its output in ``log``.

    Args:
        namespace: file descriptor of the namespace.
        env: environment variables set for the child, beside the inherited ones.
        log: file the child's standard output and error are appended to.
        body: what the child does; its process ends with it.

    Returns:
        The child's process id.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command line, which ends us
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(env)
        enter(namespace)
        body()
        code = 0
    except ColdaisleError as error:
        sys.stderr.write(f"coldaisle: {error}\n")
        code = error.exit_code
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last words of a program are its traceback
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def module(name: str) -> Callable[[], object]:
    """Return a body that runs a package as ``python -m`` does."""
    return lambda: runpy.run_module(name, run_name="__main__", alter_sys=True)


def program(arguments: list[str], folder: Path) -> Callable[[], object]:
    """Return a body that becomes another program, run in a folder."""

    def body() -> None:
        os.chdir(folder)
        os.execvp(arguments[0], arguments)  # noqa: S606 - our own argument lists

    return body


def last_words(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log, or an empty text."""
    try:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " | ".join(line.strip() for line in said[-lines:])
