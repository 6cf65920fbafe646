"""A scheduler and workers as processes of this machine, which a test may kill or stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from coldaisle_contracts.lifeline import die_with_parent

PATIENCE_S = 120.0
"""Time in which anything that a test waits for has to happen, in s."""
TTL = "4s"
"""Time after which the scheduler gives up a worker that is silent."""
WORKER = """
import sys
from coldaisle_testbed.campaign import attempt
command = sys.argv.pop(1)
if command:
    attempt.COMMAND = tuple(command.split("|"))
from distributed.cli.dask_worker import main
main()
"""
_T = TypeVar("_T")
_QUIET = ("--host", "127.0.0.1", "--no-dashboard")


def until(condition: Callable[[], _T]) -> _T:
    """Wait until a condition holds, and return what it returned."""
    end = time.monotonic() + PATIENCE_S
    while not (held := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return held


class Cluster:
    """A scheduler and its workers.

    Args:
        folder: folder for their files.
        settings: settings of Dask for all of them, by variable.
        protocol: ``tcp`` or ``tls``.

    Attributes:
        address: the scheduler's address.
        scheduler: its process.
        workers: the processes of the workers.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], protocol: str) -> None:
        self._folder, self._settings = folder, {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": TTL, **settings}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        words = ("-m", "distributed.cli.dask_scheduler", *_QUIET, "--port", "0", "--protocol", protocol)
        self.scheduler = self._start(*words, "--scheduler-file", str(file))
        self.address = str(json.loads(until(lambda: file.exists() and file.read_text()) or "")["address"])

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                env={**os.environ, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call
            )
        self._processes.append(process)
        return process

    def add(self, command: tuple[str, ...] = (), *options: str) -> subprocess.Popen[bytes]:
        """Start a worker that offers the label, for one week at a time, and return its process.

        Args:
            command: what it takes for the command line of coldaisle; by default that itself.
            options: more options of `dask worker`; a later one replaces an earlier one.
        """
        words = ("-c", WORKER, "|".join(command), self.address, *_QUIET, "--no-nanny", "--nthreads", "1")
        worker = self._start(*words, "--resources", "coldaisle=1", "--memory-limit", "0", *options)
        self.workers.append(worker)
        return worker

    def worker_of(self, program: int) -> subprocess.Popen[bytes]:
        """Return the worker that started a program."""
        parent = int(Path(f"/proc/{program}/stat").read_text().rpartition(")")[2].split()[1])
        return next(worker for worker in self.workers if worker.pid == parent)

    def close(self) -> None:
        """End every process."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@contextmanager
def cluster(
    folder: Path, settings: Mapping[str, str] = MappingProxyType({}), protocol: str = "tcp"
) -> Iterator[Cluster]:
    """Start a scheduler in a folder; in the end, nothing is left of it and its workers."""
    made = Cluster(folder, settings, protocol)
    try:
        yield made
    finally:
        made.close()
