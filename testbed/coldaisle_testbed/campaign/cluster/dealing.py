"""Deals the weeks of a campaign to workers: a worker with a free slot gets one; a week that failed or was lost goes to another worker.

Only as many weeks are out as there are slots. So a worker that dies takes with it what it was playing and nothing that waited for
it, and no week waits at a worker while another one is free.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from coldaisle_testbed.campaign.outcome import Ending, Outcome

MOST_LOSSES = 5
"""Number of workers that may die over a week in one call; then it is given up, and the others go on."""


@dataclass(frozen=True)
class Ended:
    """A week that a worker has ended.

    Attributes:
        week: name of the week.
        worker: the worker.
        outcome: its outcome; ``None`` where the worker lost it.
    """

    week: str
    worker: str
    outcome: Outcome | None


class Pool(Protocol):
    """Workers, wherever they are."""

    def slots(self) -> Mapping[str, int]:
        """Return how many weeks each worker plays at a time; a worker that died is not there.

        Raises:
            ColdaisleError: if there is no worker, and none comes.
        """
        ...

    def start(self, week: str, worker: str) -> None:
        """Start a week on a worker."""
        ...

    def drop(self, week: str) -> None:
        """Forget a week that was started on a worker that died."""
        ...

    def wait(self) -> Iterable[Ended]:
        """Return the weeks that ended since the last call; wait a moment where there is none."""
        ...

    def lost(self, week: str, worker: str, count: int) -> Outcome:
        """Return the outcome of a week over which ``count`` workers died, the last of them this one."""
        ...


class Dealer:
    """Whoever deals the weeks of a campaign; it remembers from call to call which worker failed at what.

    Args:
        pool: the workers.

    Attributes:
        struck_off: the outcome with which each worker refused; it gets no more weeks.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: deque[str] = deque()
        self._out: dict[str, str] = {}
        self._unfit: defaultdict[str, set[str]] = defaultdict(set)
        self._losses: Counter[str] = Counter()
        self.struck_off: dict[str, Outcome] = {}

    def deal(self, weeks: Sequence[str]) -> Iterator[Outcome]:
        """Have each week attempted once, and again where its worker died or refused; yield one outcome for each.

        Raises:
            ColdaisleError: if the pool has no worker.
        """
        self._waiting, self._losses = deque(weeks), Counter()
        while self._waiting or self._out:
            slots = self._pool.slots()
            yield from self._mourn(slots)
            usable = {worker: count for worker, count in slots.items() if worker not in self.struck_off}
            if slots and not usable and not self._out:
                yield from self._refused()
                return
            self._hand_out(usable)
            for ended in self._pool.wait():
                if self._out.get(ended.week) == ended.worker:  # else it was given to another meanwhile
                    yield from self._judged(ended)

    def _mourn(self, slots: Mapping[str, int]) -> Iterator[Outcome]:
        """Take back the weeks of workers that are there no more."""
        for week, worker in list(self._out.items()):
            if worker not in slots:
                self._pool.drop(week)
                yield from self._judged(Ended(week, worker, None))

    def _hand_out(self, slots: Mapping[str, int]) -> None:
        busy = Counter(self._out.values())
        for worker in _in_turn({worker: count - busy[worker] for worker, count in slots.items()}):
            week = self._next_for(worker, slots)
            if week is not None:
                self._waiting.remove(week)
                self._out[week] = worker
                self._pool.start(week, worker)

    def _next_for(self, worker: str, slots: Mapping[str, int]) -> str | None:
        """Return the first week that did not fail on a worker, or failed on all there are; ``None`` where another is to have it."""
        for week in self._waiting:
            unfit = self._unfit.get(week, set())
            if worker not in unfit or not slots.keys() - unfit:
                return week
        return None

    def _judged(self, ended: Ended) -> Iterator[Outcome]:
        """Decide what becomes of a week that ended: it is repeated, or its outcome is known."""
        week, worker, outcome = ended.week, ended.worker, ended.outcome
        del self._out[week]
        ending: Ending | None = outcome.ending if outcome else None
        if ending not in ("done", "elsewhere"):
            self._unfit[week].add(worker)
        if outcome is None:
            self._losses[week] += 1
            if self._losses[week] >= MOST_LOSSES:
                yield self._pool.lost(week, worker, self._losses[week])
            else:
                self._waiting.appendleft(week)
        elif ending == "refused":
            self.struck_off[worker] = outcome
            self._waiting.appendleft(week)
        else:
            yield outcome

    def _refused(self) -> Iterator[Outcome]:
        """Yield what the last worker said that refused, for each week that nobody plays."""
        last = list(self.struck_off.values())[-1]
        for week in self._waiting:
            yield last.model_copy(update={"digest": week})


def _in_turn(free: Mapping[str, int]) -> Iterator[str]:
    """Yield each worker as often as it has free slots, those with most of them first, so that weeks spread over machines."""
    left = Counter({worker: count for worker, count in free.items() if count > 0})
    while left:
        worker, count = left.most_common(1)[0]
        yield worker
        left[worker] = count - 1
        left += Counter()  # drops those with none
