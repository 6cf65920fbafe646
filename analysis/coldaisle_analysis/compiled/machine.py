"""Calls of machine code without the compiler: loading takes 0.2 s, where importing and linking with numba takes 2 s.

A file holds a line with the symbol of an entry, then the object file that numba made of it. Arguments follow numba's own calling
convention: a place for the result, one for an exception, then each number, and seven or more numbers per array.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np


def target() -> str:
    """Return the target of machine code made here: triple, processor, its features and the version of LLVM."""
    features = llvm.get_host_cpu_features().flatten()
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features} {llvm.llvm_version_info}"


def load(path: Path, results: int, *examples: object) -> Callable[..., Any]:
    """Return a function that was compiled for arguments like the examples.

    Args:
        path: a file that :func:`save` wrote.
        results: how many whole numbers it returns: one as a number, several as a tuple.
        examples: one example per argument: a number, an array, or a tuple of arrays.

    Raises:
        OSError: if the file cannot be read.
    """
    symbol, _, code = path.read_bytes().partition(b"\n")
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    kinds = [_kind(part) for part in _parts(examples)]
    numbers = [ctypes.c_int64 for part in _parts(examples) for _ in _numbers(part)]
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *numbers)
    native = kind(engine.get_function_address(symbol.decode()))

    def call(*arguments: object) -> Any:
        parts = list(_parts(arguments))
        if [_kind(part) for part in parts] != kinds:
            raise TypeError(f"{symbol.decode()} was compiled for other arguments")
        result, wrong = (ctypes.c_int64 * results)(), ctypes.c_void_p()
        numbers = chain.from_iterable(map(_numbers, parts))
        if native(ctypes.byref(result), ctypes.byref(wrong), *numbers):
            raise RuntimeError(f"{symbol.decode()} failed")
        return tuple(result) if results > 1 else result[0]

    call.engine = engine  # type: ignore[attr-defined]  # the code is freed with its engine
    return call


def save(path: Path, symbol: str, code: bytes) -> None:
    """Write machine code into a file, which is renamed into place.

    Raises:
        OSError: if the folder cannot be written to.
    """
    hidden = path.with_name(f".{path.name}.{os.getpid()}")  # two processes may compile at the same time
    hidden.write_bytes(symbol.encode() + b"\n" + code)
    hidden.replace(path)


def _engine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _parts(arguments: tuple[object, ...]) -> Iterator[object]:
    """Yield numbers and arrays, with tuples flattened."""
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _parts(argument)
        else:
            yield argument


def _kind(part: object) -> tuple[object, int, bool]:
    """Return the properties of an argument that the machine code relies on."""
    if isinstance(part, np.ndarray):
        return part.dtype, part.ndim, part.flags.c_contiguous
    return int, 0, True


def _numbers(part: Any) -> tuple[int, ...]:
    """Return the numbers that numba passes for an argument: for an array no owner, sizes, address, shape and strides."""
    if isinstance(part, np.ndarray):
        return (0, 0, part.size, part.itemsize, part.ctypes.data, *part.shape, *part.strides)
    return (int(part),)
