"""Functions compiled ahead of their use: :func:`entry` is called from Python, :func:`inner` from within an entry.

numba compiles them in a process of its own (:mod:`compiler`); what it made is kept as an object file (:mod:`jit`) and called
without it (:mod:`machine`), because importing numba takes longer than most of what is computed.
"""

from coldaisle_analysis.compiled.jit import entry, inner

__all__ = ["entry", "inner"]
