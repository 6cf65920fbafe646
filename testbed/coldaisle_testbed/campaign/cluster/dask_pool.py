"""Workers of Dask distributed. Only its futures are used, each bound to one worker; what they return is small: an outcome, or paths."""

import queue
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from distributed import Client, Future
from distributed.comm.core import CommClosedError

from coldaisle_contracts.errors import InputError
from coldaisle_testbed.campaign.cluster import fitness, on_worker
from coldaisle_testbed.campaign.cluster.connecting import ANSWER_S, client_of
from coldaisle_testbed.campaign.cluster.dealing import Ended
from coldaisle_testbed.campaign.outcome import Outcome

NOBODY_S = 60.0
"""Time for which a campaign waits for a worker, in s."""
WAIT_S = 1.0
"""Time between two looks at the workers, in s."""


@contextmanager
def pool_at(address: str, folder: Path, workers: int) -> Iterator["DaskPool"]:
    """Connect to a scheduler, or start one with workers on this machine; in the end, stop every attempt that is under way.

    Args:
        address: address of the scheduler, or ``local``.
        folder: the campaign's folder.
        workers: number of workers where they are to be started.

    Raises:
        InputError: if the address may not be used, or nothing answers there.
    """
    with client_of(address, workers) as client, closing(DaskPool(client, address, folder)) as pool:
        yield pool


class DaskPool:
    """The workers of a scheduler, see :class:`~coldaisle_testbed.campaign.cluster.dealing.Pool`.

    Args:
        client: a client of the scheduler.
        address: its address, for sentences.
        folder: the campaign's folder.
    """

    def __init__(self, client: Client, address: str, folder: Path) -> None:
        self._client, self._address, self._folder = client, address, folder.absolute()
        self._facts = on_worker.facts(str(self._folder))
        self._futures: dict[str, Future[Any]] = {}
        self._ended: queue.SimpleQueue[tuple[str, str, Future[Any]]] = queue.SimpleQueue()
        self._workers: dict[str, str] = {}
        self._fit: dict[str, on_worker.Facts] = {}
        self._without: defaultdict[str, list[str]] = defaultdict(list)
        self._seen_s = time.monotonic()

    def slots(self) -> Mapping[str, int]:
        """Return how many weeks each worker plays at a time, and check every worker that is new.

        Raises:
            InputError: if a worker is not fit, the scheduler is gone, or no worker has come for too long.
        """
        known = self._known()
        slots = fitness.offering(known)
        if slots:
            self._seen_s = time.monotonic()
        elif time.monotonic() - self._seen_s > NOBODY_S:
            raise self._nobody(len(known))
        for address in slots.keys() - self._fit.keys():
            fitness.refuse_reachable(address, str(known[address]["name"]))
        if fresh := slots.keys() - self._fit.keys():
            self._check(list(fresh))
        return {address: count for address, count in slots.items() if address in self._fit}

    def _known(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the scheduler knows of each worker.

        It is asked itself: `Client.scheduler_info` may return what the client asks for its own purposes every 2 s, which names no worker.
        """
        scheduler = self._client.scheduler
        if self._client.status != "running" or scheduler is None:
            raise self._gone()
        try:
            known = self._client.sync(scheduler.identity, n_workers=-1, callback_timeout=ANSWER_S)["workers"]
        except (OSError, TimeoutError) as error:
            raise self._gone() from error
        return {address: worker for address, worker in known.items() if worker["status"] == "running"}

    def _gone(self) -> InputError:
        remedy = "the scheduler is gone: start it and its workers, then the same command goes on"
        return InputError("--scheduler", remedy, self._address)

    def _nobody(self, others: int) -> InputError:
        there = f"none of its {others} workers offers" if others else "it has no worker that offers"
        remedy = (
            f"{there} the resource {fitness.LABEL}: start one with "
            f"`dask worker {self._address} --nworkers 1 --nthreads 1 --resources {fitness.LABEL}=1`"
        )
        return InputError("--scheduler", remedy, self._address)

    def _check(self, fresh: list[str]) -> None:
        """Refuse workers that are not fit, and note the machine of those that are; one that died meanwhile is left alone."""
        fitness.refuse_other_dask(cast("Mapping[str, Any]", self._client.get_versions()))
        answers = self._client.run(on_worker.facts, str(self._folder), workers=fresh, on_error="return")
        alive = {
            address: facts for address, facts in answers.items() if not isinstance(facts, CommClosedError)
        }
        fitness.refuse_unfit(self._facts, alive, self._folder)
        self._fit |= alive

    def start(self, week: str, worker: str) -> None:
        """Start a week on a worker."""
        ticket = f"{week}-{uuid.uuid4().hex[:8]}"
        future = self._client.submit(
            *self._task(week, ticket),
            key=ticket,  # a new one for each attempt, so that no attempt is blamed for another
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )
        self._futures[week], self._workers[week] = future, worker
        future.add_done_callback(lambda done: self._ended.put((week, worker, done)))

    def _task(self, week: str, ticket: str) -> tuple[Any, ...]:
        """Return the function that a worker calls, and its arguments."""
        return on_worker.play, str(self._folder), week, ticket, self._without[week]

    def _outcome(self, week: str, worker: str, answer: Any) -> Outcome:
        """Return the outcome that a worker's answer means."""
        return Outcome.check(answer, f"worker {worker}: {week}")

    def drop(self, week: str) -> None:
        """Forget a week that was started on a worker that died."""
        self._is_gone(week, self._workers[week])
        self._forget(week)

    def _is_gone(self, week: str, worker: str) -> None:
        self._without[week].append(self._fit[worker]["runner"])

    def _forget(self, week: str) -> None:
        with suppress(Exception):  # whatever the scheduler says of it
            self._futures.pop(week).cancel()

    def wait(self) -> Iterable[Ended]:
        """Return the weeks that ended since the last call; wait a moment where there is none."""
        ended = []
        with suppress(queue.Empty):
            ended.append(self._judged(*self._ended.get(timeout=WAIT_S)))
            while True:
                ended.append(self._judged(*self._ended.get_nowait()))
        return [end for end in ended if end is not None]

    def _judged(self, week: str, worker: str, future: Future[Any]) -> Ended | None:
        if self._futures.get(week) is not future:  # dropped
            return None
        del self._futures[week]
        outcome = None
        with suppress(Exception):  # the worker died with the result, or is not able to play
            outcome = self._outcome(week, worker, future.result(timeout=ANSWER_S))
        future.release()
        if outcome is None:
            self._is_gone(week, worker)
        return Ended(week, worker, outcome)

    def lost(self, week: str, worker: str, count: int) -> Outcome:
        """Return the outcome of a week over which ``count`` workers died."""
        sentence = f"{count} workers died while they played it, the last one {worker}"
        return Outcome(
            digest=week,
            ending="failed",
            sentence=sentence,
            host=self.host_of(worker),
            began=datetime.now(UTC),
        )

    def host_of(self, worker: str) -> str:
        """Return the machine of a worker."""
        return self._fit[worker]["host"]

    def close(self) -> None:
        """Stop the attempts that are under way, with their programs."""
        tickets = [future.key for future in self._futures.values()]
        if tickets:
            with suppress(Exception):  # of a scheduler that is gone nothing can be asked
                self._client.run(on_worker.stop, tickets, on_error="ignore")
            for week in list(self._futures):
                self._forget(week)
