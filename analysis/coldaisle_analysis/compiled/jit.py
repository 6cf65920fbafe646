"""Compilation, once, in a process of its own, and the folders where the machine code is kept.

The name of a file holds a digest of *all* sources of the function's package and of the processor. A change to either compiles it
again.
"""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from coldaisle_analysis.compiled import machine
from coldaisle_contracts.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])
COMPILE_S = 900.0
"""Time limit for compiling everything, in s; an idle processor takes half a minute."""
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
        InputError: if it cannot be compiled.
    """
    name = f"{function.__name__.strip('_')}-{stamp(Path(function.__code__.co_filename).parent)}.o"
    if folder := os.environ.get(_FOLDER):
        if (Path(folder) / name).exists():
            return function
        from coldaisle_analysis.compiled import compiler  # noqa: PLC0415 - see above

        machine.save(Path(folder) / name, *compiler.entry(function, *examples))
        return function
    if not any((folder / name).exists() for folder in _folders()):
        _compile()
    path = next(folder / name for folder in _folders() if (folder / name).exists())
    return machine.load(path, results, *examples)


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


def _compile() -> None:
    """Compile every entry in a process of its own, into the first writable folder."""
    folder = next(filter(_is_writable, _folders()), None)
    if folder is None:
        raise InputError("compiled code", f"has no folder: make {_HERE} writable once")
    environment = os.environ | {_FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", _EVERYTHING]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=environment, capture_output=True, text=True, check=False, timeout=COMPILE_S
        )
    except subprocess.TimeoutExpired as error:
        remedy = f"was not finished within {COMPILE_S:g} s: try again when the machine is less busy"
        raise InputError("compiled code", remedy) from error
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise InputError("compiled code", f"could not be made ({reason}): make the environment again")


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
