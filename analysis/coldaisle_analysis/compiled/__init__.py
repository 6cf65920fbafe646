"""Functions compiled ahead of use: Python calls an :func:`entry`, and an entry calls functions marked :func:`inner`.

numba compiles them in a process of its own (:mod:`compiler`). The machine code is kept as an object file (:mod:`jit`) and called
without numba (:mod:`machine`), because importing numba takes longer than most computations.
"""

from coldaisle_analysis.compiled.jit import entry, inner

__all__ = ["entry", "inner"]
