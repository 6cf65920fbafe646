"""Measures `coldaisle analyse RUN`, and that of another checkout in turn with it, and compares their scores value by value."""

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from week import children, memory

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
TIMES = {"fit_s", "predict_s"}
"""Values of the metrics that are times, and differ from run to run."""
SAMPLE_S = 0.5
SHOWN = 5
_SUBREAPER = 36
"""Linux's PR_SET_CHILD_SUBREAPER: processes whose parents end become ours, so that their times count."""


class Cost(NamedTuple):
    """What one analysis took: wall time and processor time in s, and the peak memory of all its processes in bytes."""

    wall_s: float
    cpu_s: float
    peak: int


def analyse(checkout: Path, run: Path) -> tuple[Cost, list[dict[str, Any]]]:
    """Analyse a copy of a run with a checkout; return the cost and the rows of its metrics."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(run, Path(temporary) / run.name, symlinks=True))
        paths = os.pathsep.join(str(checkout / package) for package in PACKAGES)
        command = [sys.executable, "-m", "coldaisle_testbed", "analyse", str(copy)]
        before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0
        process = subprocess.Popen(
            command, cwd=checkout, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.DEVNULL
        )
        while process.poll() is None:
            peak = max(peak, memory(children(process.pid)))
            time.sleep(SAMPLE_S)
        wall_s = time.monotonic() - began
        if process.returncode:
            sys.exit(f"{checkout}: the analysis ended with {process.returncode}")
        _wait_for_all()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        places = (
            copy / "analyses" / "latest" / "models",
            copy / "models",
        )  # 1a132ec has no folder for analyses
        metrics = next(place / "metrics.json" for place in places if (place / "metrics.json").exists())
        return Cost(wall_s, cpu_s, peak), json.loads(metrics.read_text(encoding="utf-8"))


def _wait_for_all() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield the place of each value that differs between two lists of metrics, times left out."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other} - TIMES):
            yield from differences(one.get(key), other.get(key), f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{place}[{at}]")
    elif one != other:
        yield f"{place}: {one!r} and {other!r}"


def _by_name(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"/".join(str(row.get(key)) for key in ("level", "split", "model", "seed")): row for row in rows}


def main() -> None:
    """Analyse the run in turn with each checkout, and print medians, their ratio and the values that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "run", type=Path, help="a finished run that every checkout reads: made by the older one"
    )
    parser.add_argument("--beside", type=Path, help="another checkout")
    parser.add_argument("--pairs", type=int, default=3, help="how often each one analyses it")
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    checkouts = [HOUSE, *([arguments.beside.resolve()] if arguments.beside else [])]
    costs: dict[Path, list[Cost]] = {checkout: [] for checkout in checkouts}
    rows: dict[Path, dict[str, Any]] = {}
    for _ in range(arguments.pairs):
        for checkout in checkouts:
            cost, metrics = analyse(checkout, arguments.run)
            costs[checkout].append(cost)
            rows[checkout] = _by_name(metrics)
            print(
                f"{checkout}: {cost.wall_s:.1f} s, {cost.cpu_s:.1f} s of CPU, {cost.peak / 2**30:.2f} GiB",
                flush=True,
            )
    walls, cpus = (
        [statistics.median(getattr(cost, name) for cost in costs[checkout]) for checkout in checkouts]
        for name in ("wall_s", "cpu_s")
    )
    if arguments.beside:
        found = list(differences(rows[HOUSE], rows[checkouts[1]]))
        print(
            f"{walls[0] / walls[1]:.2f} of its time, {cpus[0] / cpus[1]:.2f} of its processor time (target: 0.5)"
        )
        print(f"{len(found)} values of the metrics differ", *found[:SHOWN], sep="\n")


if __name__ == "__main__":
    main()
