"""Simulates a campaign on 1 to 64 workers, of which one in ten dies, with the time that real weeks took; the dealer is the real one.

The ideal is the time in which the same workers could play the same weeks if no work was lost and no worker ever waited: all seconds of
all weeks, spread over the workers for as long as each of them lives. The target is 95 % of it.

What the real driver adds to a week, from the deal to its outcome, is measured first, with weeks that are done already, on a scheduler and a
worker of this machine.
"""

import argparse
import heapq
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.testbed import made_campaign

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed.campaign import attempt
from coldaisle_testbed.campaign.cluster import addresses
from coldaisle_testbed.campaign.cluster.dask_pool import DaskPool, pool_at
from coldaisle_testbed.campaign.cluster.dealing import Dealer, Ended
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.outcome import Outcome

RECORDED_S = (
    43.6, 41.7, 43.8, 38.7, 42.6, 40.6, 41.2, 42.0, 42.1, 38.4, 37.5, 38.2,
    50.4, 44.5, 48.2, 64.3, 80.8, 95.7, 118.2, 143.0, 134.4, 138.9, 137.6, 140.8,
)  # fmt: skip
"""Wall time of the 24 runs of scenario week with the seeds 1 to 24, in s: the sum of `seconds` in each manifest.

They were played on two cores, the first twelve with little beside them, the others beside seven busy programs: so they differ as the weeks of
fast and slow machines do.
"""
DYING = 0.1
"""Share of the workers that die."""
TARGET = 0.95
Event = tuple[float, int, Literal["end", "death", "notice"], str, str]
"""A simulated event: time in s, a number that keeps the order, what happens, to which week and worker."""


class Simulated:
    """Workers in simulated time, see :class:`coldaisle_testbed.campaign.cluster.dealing.Pool`.

    Args:
        deaths: time at which each worker dies, in s; infinite where it does not.
        seconds: time that each week takes, in s.
        added_s: time that the driver adds to a week, in s.
        silence_s: time until the death of a worker is noticed, in s.

    Attributes:
        now_s: the simulated time, in s.
        lost_s: time that was spent on weeks whose worker died, in s.
    """

    def __init__(
        self, deaths: dict[str, float], seconds: dict[str, float], added_s: float, silence_s: float
    ) -> None:
        self._seconds, self._added_s = seconds, added_s
        self._there = dict.fromkeys(deaths, 1)
        self._dead: set[str] = set()
        self._since: dict[str, float] = {}
        self._events: list[Event] = []
        self._number = 0
        self.now_s = self.lost_s = 0.0
        for worker, death_s in deaths.items():
            if death_s < float("inf"):
                self._at(death_s, "death", "", worker)
                self._at(death_s + silence_s, "notice", "", worker)

    def _at(self, time_s: float, what: Literal["end", "death", "notice"], week: str, worker: str) -> None:
        self._number += 1
        heapq.heappush(self._events, (time_s, self._number, what, week, worker))

    def slots(self) -> Mapping[str, int]:
        """Return the workers whose death was not noticed."""
        return self._there

    def start(self, week: str, worker: str) -> None:
        """Note when a week begins and will end."""
        self._since[week] = self.now_s
        if worker not in self._dead:
            self._at(self.now_s + self._seconds[week] + self._added_s, "end", week, worker)

    def drop(self, week: str) -> None:
        """Note the time that was spent in vain."""
        self.lost_s += self.now_s - self._since.pop(week)

    def wait(self) -> Iterable[Ended]:
        """Go on to the next event."""
        self.now_s, _, what, week, worker = heapq.heappop(self._events)
        if what == "death":
            self._dead.add(worker)
        elif what == "notice":
            del self._there[worker]
        elif worker not in self._dead:
            return [Ended(week, worker, _done(week))]
        return []

    def lost(self, week: str, worker: str, count: int) -> Outcome:
        """Refuse to give a week up."""
        raise AssertionError(f"{week} was given up after {count} workers died, the last of them {worker}")


def _done(week: str) -> Outcome:
    return Outcome(digest=week, ending="done", host="simulated", began=datetime.now(UTC))


def ideal_s(deaths: Iterable[float], work_s: float) -> float:
    """Return the time in which workers that die at some times can do a work, if it can be divided at will, in s."""
    living = sorted(deaths)
    begun_s = 0.0
    for index, death_s in enumerate(living):
        count = len(living) - index
        if work_s <= count * (death_s - begun_s):
            return begun_s + work_s / count
        work_s -= count * (death_s - begun_s)
        begun_s = death_s
    return float("inf")


def simulated(
    workers: int,
    weeks: int,
    seed: int,
    added_s: float,
    silence_s: float,
    recorded_s: Sequence[float] = RECORDED_S,
) -> tuple[float, float]:
    """Play a campaign in simulated time; return the ideal as a share of its time, and the share of work that was lost.

    Each week takes one of the recorded times. One worker in ten dies, each at any time of the ideal campaign.
    """
    draw = random.Random(f"{workers} {weeks} {seed}")  # noqa: S311 - a simulation
    seconds = {f"w{number}": draw.choice(recorded_s) for number in range(weeks)}
    work_s = sum(seconds.values())
    dying = round(workers * DYING)
    deaths = {
        f"worker-{number}": draw.uniform(0, work_s / workers) if number < dying else float("inf")
        for number in range(workers)
    }
    pool = Simulated(deaths, seconds, added_s, silence_s)
    ended = [outcome.digest for outcome in Dealer(pool).deal(list(seconds))]
    if sorted(ended) != sorted(seconds):
        raise AssertionError(f"{len(ended)} of {weeks} weeks came back, {len(set(ended))} of them different")
    return ideal_s(deaths.values(), work_s) / pool.now_s, pool.lost_s / work_s


@contextmanager
def _real(weeks: int) -> Iterator[tuple[CampaignFolder, DaskPool]]:
    """Make a campaign whose weeks are all done, and connect to a scheduler with one worker."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary)
        folder = folder_for(made_campaign.file(path, weeks), path / "out")
        vars(attempt)["COMMAND"] = made_campaign.stand_in(path / "house", folder)
        for week in folder.weeks:
            attempt.attempt(folder, week)
        with pool_at(addresses.LOCAL, folder.path, 1) as pool:
            yield folder, pool


def measured_s(weeks: int) -> float:
    """Return the time that the driver adds to a week, in s: the median over weeks that are done already, dealt one after the other."""
    with _real(weeks) as (folder, pool):
        dealer = Dealer(pool)
        taken = []
        began = time.monotonic()
        for _ in dealer.deal([week.digest for week in folder.weeks]):
            taken.append(time.monotonic() - began)
            began = time.monotonic()
        return statistics.median(taken)


def main() -> None:
    """Measure what the driver adds, simulate, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="*", help="finished runs whose times to use instead")
    parser.add_argument("--weeks", type=int, default=50, help="weeks for each worker")
    parser.add_argument("--seeds", type=int, default=20, help="campaigns for each number of workers")
    arguments = parser.parse_args()
    recorded_s = [sum(Manifest.load(run).seconds.values()) for run in arguments.runs or ()] or RECORDED_S
    added_s = measured_s(40)
    print(f"the driver adds {added_s * 1000:.0f} ms to a week of {statistics.mean(recorded_s):.1f} s")
    print("workers  weeks  dying  noticed after  of the ideal: median   least  work lost")
    for workers in (1, 2, 4, 8, 16, 32, 64):
        for silence_s in (0.0, 60.0, 300.0) if round(workers * DYING) else (0.0,):
            weeks = arguments.weeks * workers
            results = [
                simulated(workers, weeks, seed, added_s, silence_s, recorded_s)
                for seed in range(arguments.seeds)
            ]
            shares, lost = zip(*results, strict=True)
            print(
                f"{workers:7} {weeks:6} {round(workers * DYING):6} {silence_s:12.0f} s"
                f" {statistics.median(shares):21.1%} {min(shares):7.1%} {statistics.mean(lost):10.2%}"
            )
    print(f"target: {TARGET:.0%} of the ideal at 64 workers")


if __name__ == "__main__":
    main()
