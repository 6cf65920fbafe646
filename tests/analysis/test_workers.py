"""Worker processes end with the command that started them, and leave no shared memory."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
    """If the command is killed during work, neither a worker nor shared memory remains."""
    house = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=house, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    workers = set()
    while (line := process.stdout.readline().strip()) != "busy":
        workers.add(int(line))
    assert workers
    process.send_signal(number)
    process.wait()
    shared = f"/dev/shm/joblib_memmapping_folder_{process.pid}_*"  # noqa: S108 - where joblib puts it
    until = time.monotonic() + 300
    while any(Path(f"/proc/{pid}").exists() for pid in workers) or list(Path("/").glob(shared[1:])):
        assert time.monotonic() < until
        time.sleep(0.05)
