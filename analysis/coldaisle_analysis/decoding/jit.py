"""The one door to numba: what is compiled, for which arguments, and where the machine code is kept.

numba's types are too incomplete for ``mypy --strict``; here they end, and everywhere else a compiled function keeps the
type that Python sees. Machine code is kept under a name that holds the digest of *all* of this package's sources:
numba itself looks only at the file a function stands in, and would go on with stale code after a change to another.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import caching

Function = TypeVar("Function", bound=Callable[..., Any])
_numba: Any = numba  # its types know neither all options nor what a compiled function takes
_HERE = Path(__file__).parent


_OPTIONS = {"error_model": "numpy", "_nrt": False}
"""No exceptions for a division by zero; no reference counts, which took two thirds of the time and count nothing: a
compiled function makes no array, and its caller holds those it was given."""
_WITHIN = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""A function within another is never called from outside, and calls with dozens of arrays are slow."""


def inner(function: Function) -> Function:
    """Compile a function as part of the entries that call it."""
    compiled: Function = _numba.njit(**_OPTIONS, **_WITHIN)(function)
    return compiled


def entry(function: Function, *examples: object) -> Function:
    """Compile a function for arguments like these, or load what was compiled before.

    Where no folder can hold the machine code it is made anew by every process, which takes half a minute.

    Args:
        function: what is to be called from Python.
        examples: one argument each, of the types and layouts that calls will have.
    """
    signature = tuple(_numba.typeof(example) for example in examples)
    compiled: Function
    _numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.Shelf"
    try:
        with _without("scipy.linalg"):
            compiled = _numba.njit(signature, cache=True, **_OPTIONS)(function)
    except OSError:
        compiled = _numba.njit(signature, **_OPTIONS)(function)
    finally:
        _numba.config.CACHE_LOCATOR_CLASSES = ""
    return compiled


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Hide a module that numba loads in case somebody multiplies matrices; it takes a sixth of a second."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


@cache
def sources() -> str:
    """Return the digest of this package's sources, hex."""
    digest = hashlib.sha256()
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Shelf(caching.UserWideCacheLocator):
    """Where machine code is kept: beside the sources, or in the user's cache folder where those may not be written.

    numba looks it up by name (its setting ``CACHE_LOCATOR_CLASSES``).
    """

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        super().__init__(function, file)  # type: ignore[no-untyped-call]
        beside = Path(file).parent / "__pycache__"
        made = list(beside.glob(f"*{self.get_disambiguator()}*.nbi"))
        if made or _is_writable(beside):
            self._cache_path: str = str(beside)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "Shelf":
        """Return the place for a function, which numba may find not to be writable when it saves."""
        return cls(function, file)

    def get_cache_path(self) -> str:
        """Return the folder."""
        return self._cache_path

    def get_source_stamp(self) -> str:
        """Return what the machine code was made from."""
        return sources()

    def get_disambiguator(self) -> str:
        """Return what tells this version's machine code from another's by its name."""
        return sources()


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True
