"""Measures how long it takes to play and label several weeks: a campaign of them, and another checkout that plays them one after another.

Both play the same weeks on the same machine in turn, and the order of the two changes from pair to pair.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from week import children, memory

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
SAMPLE_S = 2.0


@dataclass
class Measured:
    """What it took to play some weeks.

    Attributes:
        seconds: wall time, s.
        busy: share of all processors' time that was used, 0 to 1.
        peak: greatest memory of all processes together, bytes; shared pages count once.
        load: greatest load average over one minute.
    """

    seconds: float
    busy: float
    peak: int = 0
    load: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.seconds:7.1f} s, {self.busy:5.1%} of the processors, "
            f"{self.peak / 2**30:5.2f} GiB at the peak, load up to {self.load:.1f}"
        )


def main() -> None:
    """Measure and print the pairs and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=8, help="number of weeks")
    parser.add_argument("--pairs", type=int, default=1, help="number of repetitions")
    parser.add_argument("--scenario", type=Path, help="scenario of both; default: the week of each checkout")
    parser.add_argument("--workers", type=int, help="weeks at the same time; default: what the command takes")
    parser.add_argument("--beside", type=Path, help="another checkout, which plays them one after another")
    parser.add_argument("--whole", action="store_true", help="measure one run of all these weeks, too")
    arguments = parser.parse_args()
    ways: dict[str, Callable[[Path], None]] = {
        "campaign": lambda folder: _campaign(folder, arguments.weeks, arguments.scenario, arguments.workers)
    }
    if arguments.beside:
        ways[f"one after another, {arguments.beside.name}"] = lambda folder: _in_turn(
            arguments.beside, folder, arguments.weeks, arguments.scenario
        )
    if arguments.whole:
        ways["one run"] = lambda folder: _whole(folder, arguments.weeks, arguments.scenario)
    for checkout in filter(None, (HOUSE, arguments.beside)):
        _warm_up(checkout)
    print(f"{arguments.weeks} weeks, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    measured: dict[str, list[Measured]] = {name: [] for name in ways}
    for pair in range(arguments.pairs):
        for name in list(ways)[:: 1 if pair % 2 == 0 else -1]:
            with tempfile.TemporaryDirectory() as temporary, _measuring() as figures:
                ways[name](Path(temporary))
            measured[name].append(figures)
            print(f"  {name:36} {figures}", flush=True)
    names = list(ways)
    for other in names[1:]:
        ratios = [
            ours.seconds / theirs.seconds
            for ours, theirs in zip(measured[names[0]], measured[other], strict=True)
        ]
        print(f"{names[0]} / {other}: {median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


@contextmanager
def _measuring() -> Iterator[Measured]:
    """Measure everything that this process starts within the block."""
    figures, over = Measured(0.0, 0.0), threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_S):
            figures.peak = max(figures.peak, memory(children(os.getpid())[1:]))
            figures.load = max(figures.load, os.getloadavg()[0])

    sampler = threading.Thread(target=sample)
    sampler.start()
    began, (busy, total) = time.monotonic(), _ticks()
    try:
        yield figures
    finally:
        figures.seconds = time.monotonic() - began
        busy_then, total_then = _ticks()
        figures.busy = (busy_then - busy) / max(1, total_then - total)
        over.set()
        sampler.join()


def _ticks() -> tuple[int, int]:
    """Return the ticks of all processors that were used, and all of them."""
    fields = list(map(int, Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:9]))
    return sum(fields) - fields[3] - fields[4], sum(fields)


def _campaign(folder: Path, weeks: int, scenario: Path | None, workers: int | None) -> None:
    file = folder / "campaign.toml"
    source = (scenario or HOUSE / "scenarios" / "week.toml").resolve()
    file.write_text(
        f'name = "measured"\nscenarios = ["{source}"]\nseeds = "1-{weeks}"\n[roles]\ntrain = "1-{weeks}"\n',
        encoding="utf-8",
    )
    more = ["--workers", str(workers)] if workers else []
    _call(HOUSE, "campaign", "run", str(file), "--out", str(folder / "out"), *more)


def _in_turn(checkout: Path, folder: Path, weeks: int, scenario: Path | None) -> None:
    source = (scenario or checkout / "scenarios" / "week.toml").resolve()
    for seed in range(1, weeks + 1):
        out = folder / f"week-{seed}"
        _call(checkout, "up", str(source), "--seed", str(seed), "--no-analysis", "--out", str(out))


def _warm_up(checkout: Path) -> None:
    """Play an hour, because the first run of a checkout compiles its code."""
    with tempfile.TemporaryDirectory() as folder:
        hour = checkout.resolve() / "scenarios" / "hour.toml"
        _call(checkout, "up", str(hour), "--no-analysis", "--out", f"{folder}/run")


def _whole(folder: Path, weeks: int, scenario: Path | None) -> None:
    source = (scenario or HOUSE / "scenarios" / "week.toml").resolve()
    more = (
        "--set",
        f"duration_h={weeks * 168}",
        "--set",
        "time_zone=UTC",
    )  # no zone with summer time has eight equal weeks
    _call(HOUSE, "up", str(source), *more, "--no-analysis", "--out", str(folder / "out"))


def _call(checkout: Path, *words: str) -> None:
    """Call the command line of a checkout with this one's Python."""
    path = os.pathsep.join(str(checkout.resolve() / name) for name in PACKAGES)
    with tempfile.TemporaryFile("w+") as log:
        done = subprocess.run(
            [sys.executable, "-m", "coldaisle_testbed", *words],
            env={**os.environ, "PYTHONPATH": path},
            stdout=log,
            stderr=log,
            check=False,
        )
        if done.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(words)} ended with {done.returncode}: {log.read()[-2000:]}")


if __name__ == "__main__":
    main()
