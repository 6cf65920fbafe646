"""Measures how fast the frames of a run become flows and windows, and the time of each export."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from coldaisle_analysis import tables
from coldaisle_analysis.dataset.aggregates import flows, windows
from coldaisle_analysis.dataset.aggregates.cut import Cut
from coldaisle_analysis.export import FORMATS, export
from coldaisle_contracts.plan import Plan

REPEATS = 7


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the shortest of several times, s."""
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    """Measure the run that the command line names."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and one run
        sys.exit("levels.py RUN: name a finished run")
    run = Path(sys.argv[1])
    plan = Plan.load(run / "plan.json")
    packets, readings = tables.read_level(run, "packets"), tables.read_level(run, "readings")
    cut = Cut(plan.start_ns, plan.utc_offset_s)
    both = fastest(lambda: (flows.build(packets, cut), windows.build(packets, readings, cut)))
    print(
        f"  flows and windows of {len(packets):,} packets: {both:.2f} s, {len(packets) / both:,.0f} packets/s"
    )
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            export(run, [name], Path(folder) / "out")
            print(f"  export to {name:8} {time.perf_counter() - began:6.2f} s")


if __name__ == "__main__":
    main()
