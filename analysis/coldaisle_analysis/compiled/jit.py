"""Compilation, once, in a process of its own, and the folders where the machine code is kept.

The name of a file holds a digest of *all* sources of the function's package and of the processor. A change to either compiles it
again. Processes that need the same code wait for one of them to compile it.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from coldaisle_analysis.compiled import machine
from coldaisle_contracts.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])
COMPILE_S = 900.0
"""Time limit for compiling everything, and for waiting until another process has, in s; an idle processor takes half a minute."""
_LOCK = ".lock"
"""Name of the file beside the machine code whose lock the process that compiles holds."""
_GLANCE_S = 0.1
"""Time between two looks at a lock, in s."""
_HERE = Path(__file__).parent
_EVERYTHING = "coldaisle_analysis.precompile"
"""The module that compiles every entry when it is run."""
_FOLDER = "COLDAISLE_COMPILES_INTO"
"""Environment variable of the process that compiles: the folder for the machine code."""


def inner(function: Function) -> Function:
    """Mark a function as part of the entries that call it."""
    if _FOLDER not in os.environ:
        return function
    from coldaisle_analysis.compiled import compiler  # noqa: PLC0415 - numba takes a second to import

    return compiler.inner(function)


def entry(function: Callable[..., Any], results: int, *examples: object) -> Callable[..., Any]:
    """Return a compiled function; the very first call on a machine compiles it, which takes half a minute.

    Args:
        function: the function to compile.
        results: how many whole numbers it returns.
        examples: one example per argument, of the type and layout that calls will use.

    Raises:
        InputError: if it cannot be compiled, or the machine code not be kept or read.
    """
    name = f"{function.__name__.strip('_')}-{stamp(Path(function.__code__.co_filename).parent)}.o"
    if folder := os.environ.get(_FOLDER):
        if (Path(folder) / name).exists():
            return function
        from coldaisle_analysis.compiled import compiler  # noqa: PLC0415 - see above

        machine.save(Path(folder) / name, *compiler.entry(function, *examples))
        return function
    path = _kept(name) or _compiled(name)
    try:
        return machine.load(path, results, *examples)
    except OSError as error:
        remedy = f"compiled code cannot be read ({error.strerror}): make it readable, or remove it"
        raise InputError(path, remedy) from error


@cache
def stamp(package: Path) -> str:
    """Return a hex digest of everything that determines a package's machine code: sources, compiler and processor."""
    digest = hashlib.sha256()
    for path in [*sorted(package.glob("*.py")), *sorted(_HERE.glob("*.py"))]:
        digest.update(path.read_bytes())
    digest.update(f"{importlib.metadata.version('numba')} {machine.target()}".encode())
    return digest.hexdigest()[:16]


def _folders() -> Iterator[Path]:
    """Yield the folders for machine code: beside the sources and in the user's cache, where nobody else can write."""
    yield _HERE / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coldaisle"


def _kept(name: str) -> Path | None:
    """Return where machine code is kept, ``None`` where it is in no folder that can be searched."""
    return next((folder / name for folder in _folders() if os.path.exists(folder / name)), None)  # noqa: PTH110 - False without permission, too


def _compiled(name: str) -> Path:
    """Return where machine code is kept after compiling every entry in a process of its own, into the first writable folder.

    Of several processes one compiles, and the others wait for it.
    """
    folder = next(filter(_is_writable, _folders()), None)
    if folder is None:
        either = " or ".join(map(str, _folders()))
        raise InputError("compiled code", f"there is no folder to keep it in: make {either} writable")
    with _alone(folder) as lock:
        if not (folder / name).exists():
            _compile(folder, lock)
    return folder / name


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Wait for the lock of a folder and yield it as a file descriptor; it is free when all processes that have it open are gone."""
    until = time.monotonic() + COMPILE_S
    with (folder / _LOCK).open("a", encoding="utf-8") as file:
        while not _is_locked(file.fileno()):
            if time.monotonic() > until:
                raise InputError(
                    folder / _LOCK,
                    f"another process has not finished compiling within {COMPILE_S:g} s: end it, or try again",
                )
            time.sleep(_GLANCE_S)
        yield file.fileno()


def _is_locked(lock: int) -> bool:
    """Try to lock a file, and return whether this process now has the lock."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _compile(folder: Path, lock: int) -> None:
    """Compile every entry in a process of its own; it holds the lock, too, and so keeps it if this process is killed."""
    environment = os.environ | {_FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", _EVERYTHING]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=environment, capture_output=True, text=True, check=False, timeout=COMPILE_S, pass_fds=[lock]
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        remedy = f"was not finished within {COMPILE_S:g} s: try again when the machine is less busy"
        raise InputError("compiled code", remedy) from error
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        remedy = f"compiled code could not be made ({reason}): make room there, or make the environment again"
        raise InputError(folder, remedy)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
