"""Work on all processors, in worker processes: fitting holds Python's lock too often for threads to help.

Workers are forks of the process that has the work: they share its modules and arrays, so nothing is imported again and nothing is
sent to them. Only results are.
"""

import ctypes
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import current_process, get_context
from typing import Any

from joblib import cpu_count
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from coldaisle_contracts.lifeline import die_with_parent

MAX_PROCESSES = 8
"""Largest number of processes: each takes a few hundred megabytes."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's ``mallopt``."""
_KEPT = 1 << 30
"""Bytes that a worker keeps, at most."""

Function = Callable[..., Any]
Jobs = Sequence[tuple[Any, ...]]
_work: list[tuple[Function, Jobs]] = []
"""In a worker: what it was forked for."""


def parallel_map(function: Function, jobs: Jobs) -> Iterator[Any]:
    """Yield the results of a function for each job, in the order of the jobs, as soon as they are there.

    Work begins at once, except on a machine with one processor and in a daemon of ``multiprocessing``: there each result is made when it
    is asked for.

    Args:
        function: the function.
        jobs: arguments of each call, the longest calls first; they are shared, not copied.
    """
    processes = min(int(cpu_count()), MAX_PROCESSES, len(jobs))
    if processes <= 1 or current_process().daemon:  # a daemon may have no children
        return (_quietly(function, job) for job in jobs)
    return _Results(function, jobs, processes)


class _Results(Iterator[Any]):
    """The results of jobs in worker processes, which end with it."""

    def __init__(self, function: Function, jobs: Jobs, processes: int) -> None:
        self._pool = ProcessPoolExecutor(
            processes, mp_context=get_context("fork"), initializer=_begin, initargs=(function, jobs)
        )
        self._coming: deque[Future[Any]] = deque(self._pool.submit(_do, at) for at in range(len(jobs)))

    def __next__(self) -> Any:
        """Return the next result, and let the workers go after the last one."""
        if not self._coming:
            self._pool.shutdown()
            raise StopIteration
        return self._coming.popleft().result()

    def __del__(self) -> None:
        """End workers whose results nobody waits for."""
        for worker in list((self._pool._processes or {}).values()):  # noqa: SLF001 - public from Python 3.14 on
            worker.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _begin(function: Function, jobs: Jobs) -> None:
    """Begin a worker: it ends with the process that forked it, computes in one thread, and leaves Ctrl-C to that process."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threadpool_limits(1)
    _keep_memory()
    _work.append((function, jobs))


def _keep_memory() -> None:
    """Let glibc keep the memory of large arrays for the next ones: to get it from the kernel anew takes a twentieth of a worker's time."""
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:  # other libraries have no such function
        adjust(_MMAP_THRESHOLD, _KEPT)
        adjust(_TRIM_THRESHOLD, _KEPT)


def _do(at: int) -> Any:
    function, jobs = _work[-1]
    return _quietly(function, jobs[at])


def _quietly(function: Function, job: tuple[Any, ...]) -> Any:
    """Call a function without warnings of models that did not converge: their scores show how good they are.

    scikit-learn checks neither prepared rows for missing values nor our parameters, which saves time.
    """
    with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return function(*job)
