"""Calling machine code without its compiler: importing numba and having it link what it kept takes two seconds, this a tenth.

What is kept is the object file that numba's compiler made of an entry, behind a line with its symbol. Arguments are those of numba's own
calling convention: a place for the result, one for an exception, then every number and, of every array, seven and more numbers.
"""

import ctypes
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np


def target() -> str:
    """Return what machine code made here runs on: processor, its features, and how they are called."""
    features = llvm.get_host_cpu_features().flatten()
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features} {llvm.llvm_version_info}"


def load(path: Path, results: int, *examples: object) -> Callable[..., Any]:
    """Return a function that was compiled for arguments like these.

    Args:
        path: what :func:`save` wrote.
        results: how many whole numbers it returns: one as such, several as a tuple.
        examples: one argument each: a number, an array, or a tuple of arrays.

    Raises:
        OSError: if the file cannot be read.
    """
    symbol, _, code = path.read_bytes().partition(b"\n")
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    kinds = [_kind(each) for each in _parts(examples)]
    numbers = [ctypes.c_int64 for each in _parts(examples) for _ in _numbers(each)]
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *numbers)
    native = kind(engine.get_function_address(symbol.decode()))

    def call(*arguments: object) -> Any:
        given = list(_parts(arguments))
        if [_kind(each) for each in given] != kinds:
            raise TypeError(f"{symbol.decode()} was compiled for other arguments")
        result, wrong = (ctypes.c_int64 * results)(), ctypes.c_void_p()
        numbers = chain.from_iterable(map(_numbers, given))
        if native(ctypes.byref(result), ctypes.byref(wrong), *numbers):
            raise RuntimeError(f"{symbol.decode()} failed")
        return tuple(result) if results > 1 else result[0]

    call.engine = engine  # type: ignore[attr-defined]  # the code lives as long as its engine
    return call


def save(path: Path, symbol: str, code: bytes) -> None:
    """Write machine code down; it appears by rename.

    Raises:
        OSError: if the folder cannot be written to.
    """
    hidden = path.with_name(f".{path.name}")
    hidden.write_bytes(symbol.encode() + b"\n" + code)
    hidden.replace(path)


def _engine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _parts(arguments: tuple[object, ...]) -> Iterator[object]:
    """Yield numbers and arrays, those of tuples one by one."""
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _parts(argument)
        else:
            yield argument


def _kind(part: object) -> tuple[object, int, bool]:
    """Return what the machine code relies on."""
    if isinstance(part, np.ndarray):
        return part.dtype, part.ndim, part.flags.c_contiguous
    return int, 0, True


def _numbers(part: Any) -> tuple[int, ...]:
    """Return what numba passes for an argument; of an array no owner, its sizes, its address, shape and strides."""
    if isinstance(part, np.ndarray):
        return (0, 0, part.size, part.itemsize, part.ctypes.data, *part.shape, *part.strides)
    return (int(part),)
