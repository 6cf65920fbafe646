"""What is compiled, once, by a process of its own, and where its machine code is kept.

A file's name holds a digest of *all* sources of the package that the function stands in and of the processor: a change to either
makes it anew.
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
"""Time there is to compile everything, which takes half a minute of an idle processor, s."""
_HERE = Path(__file__).parent
_EVERYTHING = "coldaisle_analysis.precompile"
"""The module that compiles every entry when it is run."""
_FOLDER = "COLDAISLE_COMPILES_INTO"
"""Environment variable of the process that compiles: the folder for what it makes."""


def inner(function: Function) -> Function:
    """Mark a function as part of the entries that call it."""
    if _FOLDER not in os.environ:
        return function
    from coldaisle_analysis.compiled import compiler  # noqa: PLC0415 - numba takes a second to import

    return compiler.inner(function)


def entry(function: Callable[..., Any], results: int, *examples: object) -> Callable[..., Any]:
    """Return a compiled function; the first call of all on a machine compiles it, which takes half a minute.

    Args:
        function: what is to be called.
        results: how many whole numbers it returns.
        examples: one argument each, of the types and layouts that calls will have.

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
    found = next(folder / name for folder in _folders() if (folder / name).exists())
    return machine.load(found, results, *examples)


@cache
def stamp(package: Path) -> str:
    """Return the digest of what the machine code of a package follows from, hex: sources, compiler, processor."""
    digest = hashlib.sha256()
    for path in [*sorted(package.glob("*.py")), *sorted(_HERE.glob("*.py"))]:
        digest.update(path.read_bytes())
    digest.update(f"{importlib.metadata.version('numba')} {machine.target()}".encode())
    return digest.hexdigest()[:16]


def _folders() -> Iterator[Path]:
    """Yield where machine code may lie: beside the sources or in the user's cache, where nobody else can put any."""
    yield _HERE / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coldaisle"


def _compile() -> None:
    """Compile every entry in a process of its own, into the first folder that can be written to."""
    folder = next(filter(_is_writable, _folders()), None)
    if folder is None:
        raise InputError("compiled code", f"has no folder: make {_HERE} writable once")
    known = {_FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", _EVERYTHING]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=os.environ | known, capture_output=True, text=True, check=False, timeout=COMPILE_S
        )
    except subprocess.TimeoutExpired as error:
        remedy = f"was not made within {COMPILE_S:g} s: try again when the machine is less busy"
        raise InputError("compiled code", remedy) from error
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise InputError("compiled code", f"could not be made ({said}): make the environment again")


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
