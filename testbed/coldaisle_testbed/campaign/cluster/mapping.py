"""Jobs of an analysis on workers: functions of modules, called with paths and names, whose results are as small."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from distributed import Client

from coldaisle_contracts.errors import InputError, RunError
from coldaisle_testbed.campaign.cluster import on_worker
from coldaisle_testbed.campaign.cluster.connecting import client_of
from coldaisle_testbed.campaign.cluster.dask_pool import DaskPool
from coldaisle_testbed.campaign.cluster.dealing import Dealer
from coldaisle_testbed.campaign.outcome import Outcome

Mapper = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterator[Any]]
"""Yields the results of a function for each job, in the order of the jobs."""


class _Jobs(DaskPool):
    """Workers that call a function for each job; a job's name is its number."""

    def __init__(self, client: Client, address: str, folder: Path, payloads: Mapping[str, bytes]) -> None:
        super().__init__(client, address, folder)
        self._payloads = payloads
        self.results: dict[str, Any] = {}

    def _task(self, week: str, ticket: str) -> tuple[Any, ...]:
        return on_worker.call, self._payloads[week], ticket

    def _outcome(self, week: str, worker: str, answer: Any) -> Outcome:
        sentence, result = answer
        ending: Any = "failed" if sentence else "done"
        if ending == "done":  # several jobs may end before the outcome of the first is looked at
            self.results[week] = result
        return Outcome(
            digest=week, ending=ending, sentence=sentence, host=self.host_of(worker), began=datetime.now(UTC)
        )


@contextmanager
def mapper_at(address: str, folder: Path, workers: int) -> Iterator[Mapper]:
    """Return what has jobs done by the workers of a scheduler.

    Args:
        address: address of the scheduler, or ``local``.
        folder: the campaign's folder, which every worker sees at the same place.
        workers: number of workers where they are to be started.

    Raises:
        InputError: if the scheduler or a worker cannot be used.
    """
    with client_of(address, workers) as client:

        def mapped(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
            payloads = {str(number): pickle.dumps((function, job)) for number, job in enumerate(jobs)}
            with closing(_Jobs(client, address, folder, payloads)) as pool:
                yield from _in_order(pool, list(payloads))

        yield mapped


def _in_order(pool: _Jobs, names: Sequence[str]) -> Iterator[Any]:
    """Yield the results in the order of the jobs.

    Raises:
        InputError: if a worker cannot do its job.
        RunError: if a job failed.
    """
    ended = Dealer(pool).deal(names)
    for name in names:
        while name not in pool.results:
            outcome = next(ended)
            if outcome.ending == "refused":
                raise InputError(outcome.host, outcome.sentence)
            if outcome.ending != "done":
                raise RunError(f"a job on {outcome.host} failed: {outcome.sentence}")
        yield pool.results.pop(name)
