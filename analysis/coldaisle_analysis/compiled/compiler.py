"""The one door to numba: only the process that compiles goes through it.

numba's types are too incomplete for ``mypy --strict``; here they end, and everywhere else a compiled function keeps the
type that Python sees.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
_numba: Any = numba  # its types know neither all options nor what a compiled function takes

_OPTIONS = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""No exceptions for a division by zero; no reference counts, which took two thirds of the time and count nothing: a
compiled function makes no array, and its caller holds those it was given. No way in from Python: :mod:`machine` is it."""


def inner(function: Function) -> Function:
    """Make a function part of the entries that call it."""
    compiled: Function = _numba.njit(**_OPTIONS, forceinline=True)(function)
    return compiled


def entry(function: Callable[..., Any], *examples: object) -> tuple[str, bytes]:
    """Compile a function for arguments like these and return its symbol and its object file.

    Args:
        function: what is to be called, see :mod:`machine`.
        examples: one argument each, of the types and layouts that calls will have.
    """
    signature = tuple(_numba.typeof(example) for example in examples)
    (overload,) = _numba.njit(signature, **_OPTIONS)(function).overloads.values()
    return overload.fndesc.llvm_func_name, overload.library._get_compiled_object()  # noqa: SLF001 - what its cache keeps
