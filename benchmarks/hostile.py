"""A million damaged files, fed to every way into coldaisle: whether all are taken or refused with one sentence, in what time and memory.

    benchmarks/hostile.py [--inputs 1000000] [--first 0] [--only WAY...]

Files are damaged by seed, so ``--first`` goes on where another call ended. Prints a line a way: inputs, how many were taken and
refused, seconds, how long each of the slowest fifty inputs took, and the peak memory so far. Ends with exit code 1 at the first error that is no sentence, with the seed
that brings it back.
"""

import argparse
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.hostile.targets import Escaped, Target, feed, targets

SHARES = {
    "captures": 0.120, "frames": 0.070, "lines": 0.360, "plans": 0.150, "manifests": 0.180, "scenarios": 0.030, "sites": 0.040,
    "models": 0.045, "journals of a run": 0.0015, "plan of a run": 0.0015, "captures of a run": 0.0010, "label tables": 0.0003,
    "tables": 0.0002, "readings": 0.0005,
}  # fmt: skip
"""Share of the inputs each way gets: many where reading takes a millisecond, few where a run is settled or a table audited."""
SLICE = 50
"""Inputs between two looks at the clock, for the slowest."""


def main() -> None:
    """Feed every way, and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", nargs="*", default=list(SHARES), help="ways to feed")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    began, fed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sound").mkdir()
        for way in targets(Path(folder) / "sound"):
            if way.name in asked.only:
                fed += tell(way, Path(folder), asked.first, round(asked.inputs * SHARES[way.name]))
    print(f"{fed:,} inputs in {time.monotonic() - began:,.0f} s: every one taken, or refused with a sentence")


def tell(way: Target, folder: Path, first: int, count: int) -> int:
    """Feed a way and print what came of it; return how many inputs it got."""
    taken = refused = 0
    slowest, began = 0.0, time.monotonic()
    for start in range(first, first + count, SLICE):
        seeds = range(start, min(start + SLICE, first + count))
        with tempfile.TemporaryDirectory(dir=folder) as own:
            since = time.monotonic()
            try:
                some = feed(way, Path(own), seeds)
            except Escaped as error:
                sys.exit(f"escaped: {error}")
            slowest = max(slowest, (time.monotonic() - since) / len(seeds))
        taken, refused = taken + some[0], refused + some[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds = time.monotonic() - began
    print(
        f"{way.name:18s} {count:9,} inputs, {taken:9,} taken, {refused:9,} refused, {seconds:7.1f} s,"
        f" slowest {SLICE} {slowest * 1000:7.1f} ms each, peak {peak:,} MiB",
        flush=True,
    )
    return count


if __name__ == "__main__":
    main()
