"""Worker processes are forks, give results in order, and end with the command that started them."""

import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coldaisle_analysis import workers
from coldaisle_analysis.workers import parallel_map

PROGRAM = """
import time
import numpy as np
from coldaisle_analysis.workers import parallel_map
from tests.analysis.test_workers import at_work
for pid in parallel_map(at_work, [(np.ones(1_000_000),)] * 4):
    print(pid, flush=True)
work = parallel_map(at_work, [(np.ones(1_000_000), 600.0)] * 4)
print("busy", flush=True)
next(work)
"""


def at_work(_: object, seconds: float = 0.0) -> int:
    """Return the process with this command line, after a while."""
    import os  # noqa: PLC0415 - in the process that does it

    time.sleep(seconds)
    return os.getpid()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_who_started_them(number: signal.Signals) -> None:
    """If the command is killed during work, no worker remains."""
    house = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=house, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = set()
    while (line := process.stdout.readline().strip()) != "busy":
        pids.add(int(line))
    assert pids
    process.send_signal(number)
    process.wait()
    until = time.monotonic() + 300
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.05)


def fails(_: int) -> int:
    """Raise an error."""
    raise ValueError("no such job")


def test_results_come_in_the_order_of_the_jobs_from_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each result is that of its job, more than one process makes them, and nothing is sent to a process: a lambda will do."""
    monkeypatch.setattr(workers, "cpu_count", lambda: 3)
    made = list(
        parallel_map(
            lambda number, wait: (number, at_work(None, wait)), [(at, 0.2 / (at + 1)) for at in range(6)]
        )
    )
    assert [number for number, _ in made] == list(range(6))
    assert len({pid for _, pid in made}) == 3


def test_an_error_in_a_worker_is_raised_and_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error arrives with its type, and no process is left behind."""
    monkeypatch.setattr(workers, "cpu_count", lambda: 2)
    with pytest.raises(ValueError, match="no such job"):
        list(parallel_map(fails, [(1,), (2,)]))
    until = time.monotonic() + 60
    while multiprocessing.active_children():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_workers_whose_results_nobody_takes_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a result is given up, its worker does not work on for ten minutes."""
    monkeypatch.setattr(workers, "cpu_count", lambda: 2)
    results = parallel_map(at_work, [(None, 600.0)] * 2)
    busy = multiprocessing.active_children()
    assert len(busy) == 2
    del results
    until = time.monotonic() + 60
    while any(worker.is_alive() for worker in busy):
        assert time.monotonic() < until
        time.sleep(0.05)
