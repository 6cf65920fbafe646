"""Work on all processors, in processes: what learns holds Python's lock too often for threads to help."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from joblib import Parallel, cpu_count, delayed
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from coldaisle_contracts.lifeline import die_with_parent

MOST = 8
"""Processes at most: each holds a few hundred megabytes."""


@contextmanager
def warming_up() -> Iterator[None]:
    """Start the processes, which import for seconds, while what stands within is done."""
    woken = parallel_map(import_module, [("coldaisle_analysis.evaluation.folds",)] * _count())
    try:
        yield
    finally:
        list(woken)


def parallel_map(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """Yield what a function returns for each job, in their order, as soon as it is there.

    Args:
        function: of a module, for the processes to find it.
        jobs: its arguments, those that take longest first; large arrays are shared, not copied.
    """
    if not jobs:
        return iter(())
    work = Parallel(n_jobs=_count(), return_as="generator", initializer=die_with_parent)
    results: Iterator[Any] = work(delayed(_quietly)(function, job) for job in jobs)
    return results


def _count() -> int:
    return int(min(cpu_count(), MOST))


def _quietly(function: Callable[..., Any], job: tuple[Any, ...]) -> Any:
    """Call a function; a model that did not converge is judged by what it finds.

    scikit-learn need not look for missing values in rows that were prepared, nor at parameters of our own.
    """
    with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return function(*job)
