"""One run hit by one fault: a seed chooses victim, fault and instant; then its end, its leftovers and its outcome are checked.

Used by the test of forty cases and by ``benchmarks/faults.py``.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.netns.observe import descendants, holder
from tests.stopwatch import stalled_s

from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed import leftovers, verification

SCENARIO = """
name = "short"
seed = 3
first_day = 2026-03-02
time_zone = "UTC"
duration_h = 48
interval_s = 3600.0
keepalive_s = 7200

[[episodes]]
kind = "removal"
unit = "inrow-13"
day = 1
start = 05:00:00
readings = 1

[[episodes]]
kind = "modification"
unit = "inrow-25"
day = 2
start = 07:00:00
readings = 2
variant = "drift"
"""
SIGNALS = {
    "kill": signal.SIGKILL,
    "stop": signal.SIGSTOP,
    "hang up": signal.SIGHUP,
    "terminate": signal.SIGTERM,
}
VICTIMS = (
    "command line",
    "shard",
    "nursery",
    "ward",
    "inrow-13",
    "injector",
    "capture",
    "tcpdump",
    "mosquitto",
    "chronyd",
)
FULL, SMALL = "files full", "small disk"
"""Faults: a process whose files cannot grow any more, and a disk that is small from the start."""
UNTRUSTED, NOT_PLAYED = 3, "was not played"
"""Exit code of a run whose attacker lost the path, and a part of its sentence."""
WITHIN_S = 30.0
"""Limit from any fault to the end of the run, s, without the time it waited for a processor."""
HANG_S = 300.0
"""Limit after which a run counts as hanging, s, on a machine of any speed."""
LONGEST_S = {"command line": 8.0}
"""Longest time from the victim's appearance to the fault, s; 3 for others, because the run has been played by then."""
PAUSE_S = 2.0
"""A stopped command line is continued after this time, s: no other process would notice that it is stopped."""


@dataclass(frozen=True)
class Case:
    """One fault of one run.

    Attributes:
        number: number of the case, from which everything random follows.
        victim: process that is hit, one of :data:`VICTIMS`; empty for a small disk.
        fault: a name of :data:`SIGNALS`, :data:`FULL` or :data:`SMALL`.
        delay_s: time from the victim's first appearance to the fault, s.
        room: size of a small disk, bytes.
    """

    number: int
    victim: str
    fault: str
    delay_s: float
    room: int

    def __str__(self) -> str:
        where = (
            f"{self.room // 1000} kB" if self.fault == SMALL else f"{self.victim} after {self.delay_s:.2f} s"
        )
        return f"{self.number}: {self.fault}, {where}"


@dataclass
class Outcome:
    """The outcome of a case.

    Attributes:
        hit: whether the victim was still running.
        code: exit code of the command line.
        output: its standard error.
        seconds: from the fault to its end, s.
        stalled: the part of that in which some process of this machine waited for a processor, s.
        wrong: violations, one sentence each.
        resumed: whether the run was resumed.
        void: whether the machine was so busy that the attacker lost the path, which says nothing about the fault.
    """

    hit: bool = False
    code: int = 0
    output: str = ""
    seconds: float = 0.0
    stalled: float = 0.0
    wrong: list[str] = field(default_factory=list)
    resumed: bool = False
    void: bool = False


def cases(count: int, seed: int) -> list[Case]:
    """Return cases: every victim meets every fault before any pair comes again, and every seventh case is a small disk."""
    rng, chosen = random.Random(seed), list[Case]()  # noqa: S311 - which cases, no secret
    pairs: list[tuple[str, str]] = []
    for number in range(count):
        if number % 7 == 6:
            chosen.append(Case(number, "", SMALL, 0.0, int(40_000 * 100 ** rng.random())))
            continue
        if not pairs:
            pairs = [(victim, fault) for victim in VICTIMS for fault in (*SIGNALS, FULL)]
            rng.shuffle(pairs)
        victim, fault = pairs.pop()
        chosen.append(Case(number, victim, fault, rng.uniform(0, LONGEST_S.get(victim, 3.0)), 0))
    return chosen


def undisturbed(folder: Path) -> str:
    """Play the scenario and return its semantic digest."""
    play = _Play(Case(-1, "", "", 0.0, 0), folder)
    done = play.command("up", str(play.scenario), "--no-analysis", "--out", str(play.run))
    assert done.wait(HANG_S) == 0, play.log.read_text()
    return Manifest.load(play.run).semantic_digest


def suffer(case: Case, folder: Path, digest: str) -> Outcome:
    """Play the scenario in a folder with the fault, check the leftovers, resume the run if possible, and compare its digest.

    A void outcome is played once more: it occurred once in 300 cases, at a load of 22 on two processors.
    """
    outcome = _suffer(case, folder, digest)
    return _suffer(case, folder, digest) if outcome.void else outcome


def _suffer(case: Case, folder: Path, digest: str) -> Outcome:
    play = _Play(case, folder)
    try:
        play.start()
        play.strike()
        play.end()
        play.look_around()
        play.go_on(digest)
    finally:
        play.clear()
    return play.outcome


class _Play:
    """A run that is hit by a fault.

    Args:
        case: the fault.
        folder: folder for its files, made here.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.outcome = case, Outcome()
        self.runs, self.temporary, self.log = folder / "runs", folder / "tmp", folder / "log"
        self.scenario, self.run = folder / "short.toml", folder / "runs" / "run"
        for path in (folder, self.runs, self.temporary):
            path.mkdir()
        self.scenario.write_text(SCENARIO)
        self._seen: dict[int, str] = {}
        if case.fault == SMALL:
            self._mount(f"size={case.room}")

    def command(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start coldaisle with its standard error in the log."""
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "coldaisle_testbed", *arguments],
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stderr=log,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the run."""
        self.process = self.command("up", str(self.scenario), "--no-analysis", "--out", str(self.run))
        self._struck, self._stalled = time.monotonic(), stalled_s()

    def strike(self) -> None:
        """Wait for the victim and the instant, then cause the fault; do nothing if the run ends before."""
        if self.case.fault == SMALL:
            return
        instant = None
        while self.process.poll() is None:
            victim = self._find()
            if victim is not None and instant is None:
                instant = time.monotonic() + self.case.delay_s
            if victim is not None and instant is not None and time.monotonic() >= instant:
                with suppress(ProcessLookupError):
                    self._hit(victim)
                    self.outcome.hit = True
                break
            time.sleep(0.05)
        self._struck, self._stalled = time.monotonic(), stalled_s()
        if (self.case.victim, self.case.fault) == ("command line", "stop") and self.outcome.hit:
            time.sleep(PAUSE_S)
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Wait for the end of the run, and check how it ended."""
        while self.process.poll() is None and time.monotonic() - self._struck < HANG_S:
            self._seen |= descendants(self.process.pid)
            time.sleep(0.1)
        outcome = self.outcome
        outcome.seconds = time.monotonic() - self._struck
        outcome.stalled = stalled_s() - self._stalled
        if self.process.poll() is None:
            outcome.wrong.append("it hangs")
            self.process.kill()
        outcome.code, outcome.output = self.process.wait(), self.log.read_text(errors="replace")
        outcome.wrong += self._judged()

    def _judged(self) -> list[str]:
        case, outcome = self.case, self.outcome
        wrong = []
        failed = outcome.code not in {0, -signal.SIGKILL}
        sentences = [line for line in outcome.output.splitlines() if line.startswith("coldaisle: ")]
        if outcome.code == -signal.SIGKILL and (case.victim, case.fault) != ("command line", "kill"):
            wrong.append("it was killed")
        if outcome.code not in {0, 2, 3, 129, 143, -signal.SIGKILL}:
            wrong.append(f"exit code {outcome.code}")
        if failed and (not sentences or not outcome.output.splitlines()[-1].startswith("coldaisle: ")):
            wrong.append("its last line is no sentence")
        if "Traceback" in outcome.output:
            wrong.append("a traceback")
        if failed and outcome.seconds - outcome.stalled > WITHIN_S:
            wrong.append(f"it ended after {outcome.seconds:.0f} s")
        return wrong

    def look_around(self) -> None:
        """Check that no process is left, and that every leftover on disk or in memory is listed.

        Namespaces need no check: they have no names and vanish with their last process.
        """
        until = time.monotonic() + HANG_S
        while (left := self._alive()) and time.monotonic() < until:
            time.sleep(0.1)
        self.outcome.wrong += [f"{name} is left" for name in left.values()]
        listed = {path for leftover in leftovers.find(self.runs, self.temporary) for path in leftover.paths}
        lying = {*self.runs.iterdir(), *self.temporary.iterdir()} - {self.run}
        lying |= {path for path in leftovers.SHARED_MEMORY.iterdir() if _pid_in(path.name) in self._seen}
        self.outcome.wrong += [f"{path} is left and not listed" for path in sorted(lying - listed)]

    def go_on(self, digest: str) -> None:
        """Resume a run that was kept; it has to verify and to have the digest of an undisturbed run."""
        stage = self.run.with_name(".run")
        resumable = [leftover for leftover in leftovers.find(self.runs, self.temporary) if leftover.remedy]
        if self.case.fault == SMALL:
            self._mount("remount,size=64m")
        if resumable:
            self.outcome.resumed = True
            code = self.command("up", "--resume", str(stage)).wait(HANG_S)
            output = self.log.read_text()
            self.outcome.void = code == UNTRUSTED and NOT_PLAYED in output
            if code:
                self.outcome.wrong.append(f"--resume ended with {code}: {output}")
        if self.run.is_dir():
            verification.verify(self.run)
            if Manifest.load(self.run).semantic_digest != digest:
                self.outcome.wrong.append("another digest")
        elif self.outcome.code == 0 or resumable:
            self.outcome.wrong.append("no run")

    def clear(self) -> None:
        """Remove all processes and files of the case."""
        for pid in (self.process.pid, *self._alive()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.case.fault == SMALL:
            subprocess.run(["umount", "--lazy", str(self.runs)], check=True)
        shutil.rmtree(self.runs.parent, ignore_errors=True)

    def _find(self) -> int | None:
        """Return the victim if it is running; record all descendants."""
        below = descendants(self.process.pid)
        self._seen |= below
        if self.case.victim == "command line":
            return self.process.pid
        if self.case.victim in {"tcpdump", "mosquitto", "chronyd"}:
            return next((pid for pid, name in below.items() if name == self.case.victim), None)
        if self.case.victim in {"inrow-13", "injector"}:
            return holder(below, self.case.victim)
        parents = {pid: _parent(pid) for pid in below}
        nursery = next((pid for pid in below if b"coldaisle_testbed.nursery" in _words(pid)), None)
        dumps = [pid for pid, name in below.items() if name == "tcpdump"]
        return {
            "shard": next(
                (
                    pid
                    for pid in below
                    if parents[pid] == self.process.pid
                    and pid != nursery
                    and _words(pid) == _words(self.process.pid)
                ),
                None,
            ),
            "nursery": nursery,
            "ward": next((pid for pid in below if nursery and parents[pid] == nursery), None),
            "capture": next((parents[pid] for pid in dumps), None),
        }[self.case.victim]

    def _hit(self, victim: int) -> None:
        if self.case.fault == FULL:
            resource.prlimit(victim, resource.RLIMIT_FSIZE, (2_000, 2_000))
        else:
            os.kill(victim, SIGNALS[self.case.fault])

    def _alive(self) -> dict[int, str]:
        """Return the recorded processes that are still running; a process id may belong to another process by now."""
        left = {}
        for pid, name in self._seen.items():
            with suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text()
                environment = Path(f"/proc/{pid}/environ").read_bytes()
                ours = str(self.temporary).encode() in environment
                if ours and stat.rpartition(")")[2].split()[0] not in "ZX":
                    left[pid] = name
        return left

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self.runs)], check=True)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _pid_in(name: str) -> int:
    """Return the process id in the name of a file in shared memory, 0 if there is none."""
    numbers = [part for part in name.split("_") if part.isdigit()]
    return int(numbers[0]) if numbers else 0
