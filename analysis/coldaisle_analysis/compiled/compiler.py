"""The only module that imports numba; only the process that compiles imports it.

numba's types are too incomplete for ``mypy --strict``. They stay in this module, and everywhere else a compiled function keeps
its Python type.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
_numba: Any = numba  # its types lack some options and the arguments of compiled functions

_OPTIONS = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""No exception for a division by zero. No reference counts, which took two thirds of the time and are not needed: a compiled
function makes no array, and its caller holds the arguments. No wrapper for Python, because :mod:`machine` calls the code."""


def inner(function: Function) -> Function:
    """Return a function compiled as part of the entries that call it."""
    compiled: Function = _numba.njit(**_OPTIONS, forceinline=True)(function)
    return compiled


def entry(function: Callable[..., Any], *examples: object) -> tuple[str, bytes]:
    """Compile a function for arguments like the examples and return its symbol and its object file.

    Args:
        function: the function to compile, see :mod:`machine`.
        examples: one example per argument, of the type and layout that calls will use.
    """
    signature = tuple(_numba.typeof(example) for example in examples)
    (overload,) = _numba.njit(signature, **_OPTIONS)(function).overloads.values()
    return overload.fndesc.llvm_func_name, overload.library._get_compiled_object()  # noqa: SLF001 - what numba's cache stores
