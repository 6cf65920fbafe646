"""Work on all processors, in worker processes: fitting holds Python's lock too often for threads to help."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from joblib import Parallel, cpu_count, delayed
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from coldaisle_contracts.lifeline import die_with_parent

MAX_PROCESSES = 8
"""Largest number of processes: each takes a few hundred megabytes."""


@contextmanager
def warming_up() -> Iterator[None]:
    """Start the processes, whose imports take seconds, while the body of the ``with`` statement runs."""
    started = parallel_map(import_module, [("coldaisle_analysis.evaluation.folds",)] * _processes())
    try:
        yield
    finally:
        list(started)


def parallel_map(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """Yield the results of a function for each job, in the order of the jobs, as soon as they are there.

    Args:
        function: a function of a module, so that the processes can import it.
        jobs: arguments of each call, the longest calls first; large arrays are shared, not copied.
    """
    if not jobs:
        return iter(())
    work = Parallel(n_jobs=_processes(), return_as="generator", initializer=die_with_parent)
    results: Iterator[Any] = work(delayed(_quietly)(function, job) for job in jobs)
    return results


def _processes() -> int:
    return int(min(cpu_count(), MAX_PROCESSES))


def _quietly(function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
    """Call a function without warnings of models that did not converge: their scores show how good they are.

    scikit-learn checks neither prepared rows for missing values nor our parameters, which saves time.
    """
    with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return function(*job)
