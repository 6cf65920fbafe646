"""Measures a week: the time of each step, processor time, peak memory, and what of playing is waiting.

With ``--beside`` the week is played by another checkout in turn with this one, and the medians of each are printed. Both are run by this
one's Python, after an hour that is played to make what is made once. Linux counts the processor time of a process that has been waited
for: commit 1a132ec does not wait for the wards of its nursery, and shows too little.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from coldaisle_capture.retime import records
from coldaisle_contracts.clock import SECOND

SAMPLE_S = 2.0
HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
HOUR = HOUSE / "scenarios" / "hour.toml"
Figures = dict[str, float]
"""Figures of one run by name."""


def children(root: int) -> list[int]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (
                    (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
                )
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    pids = [root]
    for pid in pids:
        pids += parents.get(pid, [])
    return pids


def memory(pids: list[int]) -> int:
    """Return the memory of processes together, bytes; shared pages count once (PSS)."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    return total


def waits(run: Path) -> Iterator[tuple[int, float]]:
    """Yield for each shard the number of jumps of time, and the time from the last frame before each of them to the jump, all together, s."""
    jumps: dict[str, list[int]] = defaultdict(list)
    for text in (run / "journal" / "timeline.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        jumps[line["shard"]].append(line["wall_ns"])
    for shard, walls in jumps.items():
        stamps = sorted(
            wall
            for raw in sorted((run / "capture" / "raw").glob(f"{shard}-*.pcap"))
            for wall, _ in records(raw)
        )
        rested, frame = 0, 0
        for earlier, later in itertools.pairwise(walls[1:]):
            while frame < len(stamps) and stamps[frame] < later:
                frame += 1
            rested += later - max(earlier, stamps[frame - 1] if frame else earlier)
        yield len(walls) - 1, rested / SECOND


def play(checkout: Path, scenario: Path, options: list[str], out: Path) -> Figures:
    """Make a run by a checkout and return its figures."""
    path = os.pathsep.join(str(checkout / name) for name in PACKAGES)
    command = [sys.executable, "-m", "coldaisle_testbed", "up", str(scenario), "--out", str(out), *options]
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0
    process = subprocess.Popen(
        command, cwd=checkout, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.DEVNULL
    )
    while process.poll() is None:
        peak = max(peak, memory(children(process.pid)))
        time.sleep(SAMPLE_S if process.poll() is None else 0)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"coldaisle up of {checkout} ended with {process.returncode}")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    rests = list(waits(out))
    return {
        "whole command, s": took,
        **{f"  {step}, s": seconds for step, seconds in manifest["seconds"].items()},
        "processor time, s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "jumps of time": sum(count for count, _ in rests),
        "rest before jumps, longest shard, s": max(rested for _, rested in rests),
        "rest before jumps, all shards, s": sum(rested for _, rested in rests),
        "packets": manifest["counts"]["packets"],
        "packets dropped": manifest["counts"]["kernel_drops"],
        "peak memory, MiB": peak / 2**20,
    }


def main() -> None:
    """Play the scenario and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", type=Path, default=HOUSE / "scenarios" / "week.toml")
    parser.add_argument("--engine", default="netns")
    parser.add_argument("--no-analysis", action="store_true", help="stop after dataset and audit")
    parser.add_argument("--beside", type=Path, help="another checkout, which plays in turn with this one")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each checkout")
    arguments = parser.parse_args()
    options = ["--engine", arguments.engine] + ["--no-analysis"] * arguments.no_analysis
    checkouts = [HOUSE, *([arguments.beside.resolve()] if arguments.beside else [])]
    figures: dict[Path, list[Figures]] = {checkout: [] for checkout in checkouts}
    with tempfile.TemporaryDirectory() as name:
        if arguments.beside:
            for number, checkout in enumerate(checkouts):
                play(checkout, HOUR, options, Path(name) / f"hour-{number}")
        for number in range(arguments.repeats):
            for checkout in reversed(checkouts):
                out = Path(name) / f"{checkout.name}-{number}"
                figures[checkout].append(play(checkout, arguments.scenario.resolve(), options, out))
    print(
        f"{arguments.scenario} on {arguments.engine}, {os.cpu_count()} cores, medians of {arguments.repeats}"
    )
    print(" " * 40 + "".join(f"{checkout.name:>14}" for checkout in checkouts))
    for key in figures[HOUSE][0]:
        values = [statistics.median(run.get(key, 0.0) for run in figures[checkout]) for checkout in checkouts]
        print(f"{key:40}" + "".join(f"{value:14,.1f}" for value in values))


if __name__ == "__main__":
    main()
