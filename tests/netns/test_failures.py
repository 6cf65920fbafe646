"""Failures in the middle of a run: the victim is named within 30 s, and nothing is left."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.netns.observe import descendants, holder, processes
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.netns
WITHIN_S = 30
"""Limit from the failure to the end of the run, s, without the time it waited for a processor."""
HANG_S = 300
"""Limit after which a run counts as hanging, s, on a machine of any speed."""
SCENARIO = """
name = "day"
seed = 3
first_day = 2026-03-02
time_zone = "UTC"
duration_h = 24

[[episodes]]
kind = "removal"
unit = "inrow-15"
day = 1
start = 04:00:00
readings = 2
"""
CASES = {
    "inrow-13": (signal.SIGKILL, "coldaisle: inrow-13 was killed by SIGKILL"),
    "broker": (signal.SIGKILL, "coldaisle: broker was killed by SIGKILL"),
    "injector": (signal.SIGSTOP, "coldaisle: injector gave no sign of life for 22 s"),
}


@dataclass
class Outcome:
    """The end of a run whose victim was hit.

    Attributes:
        code: exit code of the command line.
        output: its standard error.
        seconds: time from the hit to the end, without what the machine waited for a processor, s.
        left: processes of the run that still exist.
        spaces: network namespaces of the run that still have processes.
        files: names in its output folder and in its temporary folder.
    """

    code: int
    output: str
    seconds: float
    left: list[str]
    spaces: set[str]
    files: list[str]


@dataclass
class _Up:
    """A command line that plays a day."""

    folder: Path
    victim: str

    def play(self) -> Outcome:
        """Start the run, hit the victim and return the outcome."""
        self.start()
        self.hit()
        return self.ended()

    def start(self) -> None:
        """Start the run with a temporary folder of its own."""
        (self.folder / "tmp").mkdir(parents=True)
        (self.folder / "out").mkdir()
        (self.folder / "day.toml").write_text(SCENARIO)
        command = [sys.executable, "-m", "coldaisle_testbed", "up", str(self.folder / "day.toml"), "--no-analysis",
                   "--out", str(self.folder / "out" / "run")]  # fmt: skip
        env = {**os.environ, "TMPDIR": str(self.folder / "tmp")}
        self.process = subprocess.Popen(
            command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hit(self) -> None:
        """Wait for the first readings and hit the victim."""
        journal = self.folder / "out" / ".run" / "shards" / "day-1" / "journal" / "inrow-13.jsonl"
        until = time.monotonic() + HANG_S
        while not (journal.exists() and '"reading"' in journal.read_text()):
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        self._below = descendants(self.process.pid)
        everybody = self._everybody = processes()
        self._spaces = {everybody[pid] for pid in self._below if pid in everybody} - {everybody[os.getpid()]}
        if self.victim == "broker":
            (pid,) = [pid for pid, name in self._below.items() if name == "mosquitto"]
        else:
            victim_pid = holder(self._below, self.victim)
            assert victim_pid is not None
            pid = victim_pid
        os.kill(pid, CASES[self.victim][0])
        self._hit = Stopwatch()

    def ended(self) -> Outcome:
        """Wait for the end and check what is left."""
        _, output = self.process.communicate(timeout=HANG_S)
        seconds = self._hit.unstalled_s()
        time.sleep(0.3)
        now = processes()
        files = [
            str(path.relative_to(self.folder))
            for name in ("out", "tmp")
            for path in (self.folder / name).iterdir()
        ]
        left = [name for pid, name in self._below.items() if pid in now]
        old = {
            now[pid] for pid in now if now[pid] == self._everybody.get(pid)
        }  # a new namespace may get the number of an old one
        return Outcome(self.process.returncode, output, seconds, left, self._spaces & old, files)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Three runs side by side, each with another victim, so that the long wait for the timeout happens once."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [_Up(Path(folder) / victim, victim) for victim in CASES]
        with ThreadPoolExecutor(len(runs)) as pool:
            return dict(zip(CASES, pool.map(_Up.play, runs), strict=True))


@pytest.mark.parametrize("victim", CASES)
def test_failure_is_named_in_time(outcomes: dict[str, Outcome], victim: str) -> None:
    """The last line names the victim and its failure; exit code 3, no traceback, within 30 s."""
    outcome = outcomes[victim]
    assert outcome.code == 3, outcome.output
    assert outcome.output.splitlines()[-1].startswith(CASES[victim][1])
    assert "Traceback" not in outcome.output
    assert outcome.seconds < WITHIN_S


@pytest.mark.parametrize("victim", CASES)
def test_failure_leaves_nothing_behind(outcomes: dict[str, Outcome], victim: str) -> None:
    """No process, namespace, socket or partial result is left."""
    outcome = outcomes[victim]
    assert outcome.left == []
    assert outcome.spaces == set()
    assert outcome.files == []
