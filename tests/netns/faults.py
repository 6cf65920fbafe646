"""One run hit by one fault: who is hit, by what and when follows from a seed; then how it ended, what was left, and what came of it.

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
"""A process whose files may not grow any more, and a disk that has little room from the start."""
UNTRUSTED, NOT_PLAYED = 3, "was not played"
"""How a run ends whose attacker lost the path, and what its sentence then says."""
WITHIN_S = 30.0
"""Whatever happens, a run ends so long after it, s, not counting what it waited for a processor."""
HANG_S = 300.0
"""A run that has not ended after so long never will, however slow the machine, s."""
LONGEST_S = {"command line": 8.0}
"""The fault comes at most so long after its victim is there, s; three where nothing is said: the run is played by then."""
PAUSE_S = 2.0
"""A command line that was stopped goes on after so long, s: nobody is left to notice."""


@dataclass(frozen=True)
class Case:
    """A fault.

    Attributes:
        number: of the case, which everything random follows from.
        victim: who is hit, of :data:`VICTIMS`; empty for a small disk.
        fault: what happens to it: a name of :data:`SIGNALS`, :data:`FULL` or :data:`SMALL`.
        delay_s: how long after the victim was first seen, s.
        room: bytes of a small disk.
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
    """What came of a case.

    Attributes:
        hit: whether the victim was still there.
        code: exit code of the command line.
        output: its standard error.
        seconds: from the fault to its end, s.
        stalled: how much of that some process of this machine waited for a processor, s.
        wrong: what should not be, a sentence each.
        resumed: whether it was gone on with.
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
    """Return cases: every victim meets every fault before one meets the same again, and one in seven is a small disk."""
    rng, found = random.Random(seed), list[Case]()  # noqa: S311 - which cases, no secret
    pairs: list[tuple[str, str]] = []
    for number in range(count):
        if number % 7 == 6:
            found.append(Case(number, "", SMALL, 0.0, int(40_000 * 100 ** rng.random())))
            continue
        if not pairs:
            pairs = [(victim, fault) for victim in VICTIMS for fault in (*SIGNALS, FULL)]
            rng.shuffle(pairs)
        victim, fault = pairs.pop()
        found.append(Case(number, victim, fault, rng.uniform(0, LONGEST_S.get(victim, 3.0)), 0))
    return found


def undisturbed(folder: Path) -> str:
    """Play the scenario and return its semantic digest."""
    play = _Play(Case(-1, "", "", 0.0, 0), folder)
    done = play.command("up", str(play.scenario), "--no-analysis", "--out", str(play.run))
    assert done.wait(HANG_S) == 0, play.log.read_text()
    return Manifest.load(play.run).semantic_digest


def suffer(case: Case, folder: Path, digest: str) -> Outcome:
    """Play the scenario in a folder, let the fault happen, look around, go on with what was kept, and hold it against the digest.

    A void outcome is played once more: met once in 300 cases, at a load of 22 on two processors.
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
    """A run that is hit.

    Args:
        case: by what.
        folder: where it may write; made here.
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
        """Start coldaisle, its standard error in the log."""
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
        self._struck, self._stalled = time.monotonic(), _stalled_s()

    def strike(self) -> None:
        """Wait for the victim and for the instant, and let the fault happen; nothing where the run ends before."""
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
        self._struck, self._stalled = time.monotonic(), _stalled_s()
        if (self.case.victim, self.case.fault) == ("command line", "stop") and self.outcome.hit:
            time.sleep(PAUSE_S)
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Wait for the end, and judge how it came."""
        while self.process.poll() is None and time.monotonic() - self._struck < HANG_S:
            self._seen |= descendants(self.process.pid)
            time.sleep(0.1)
        outcome = self.outcome
        outcome.seconds = time.monotonic() - self._struck
        outcome.stalled = _stalled_s() - self._stalled
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
        """See that no process is left, and nothing on a disk or in memory that is not listed.

        Namespaces have no names here: they are gone with the last process in them.
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
        """Go on with what was kept; what comes of it verifies, and has the digest of an undisturbed run."""
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
        """Leave nothing on this machine."""
        for pid in (self.process.pid, *self._alive()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.case.fault == SMALL:
            subprocess.run(["umount", "--lazy", str(self.runs)], check=True)
        shutil.rmtree(self.runs.parent, ignore_errors=True)

    def _find(self) -> int | None:
        """Return the victim, if it is there; note everybody who is."""
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
        """Return who is left of those that were seen: a number may have been given to somebody else since."""
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
    """Return the process that a file in shared memory is named after, 0 where it is none."""
    numbers = [part for part in name.split("_") if part.isdigit()]
    return int(numbers[0]) if numbers else 0


def _stalled_s() -> float:
    """Return how long some process of this machine has waited for a processor since it was started, s; 0 where the kernel keeps no account."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(some.rpartition("total=")[2]) / 1e6
