"""Feeds a million damaged files to every way into coldaisle: each has to be accepted or refused with one sentence.

    benchmarks/hostile.py [--inputs 1000000] [--first 0] [--only WAY...]

Files are damaged by seed, so ``--first`` can continue a previous call. Prints one line per way in: the numbers of inputs, accepted and
refused, the time in s, the mean time of the slowest fifty inputs, and the peak memory so far. The first error that is not a sentence
ends the program with exit code 1 and the seed that reproduces it.
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
    "captures": 0.120, "frames": 0.070, "lines": 0.3577, "plans": 0.150, "manifests": 0.180, "scenarios": 0.030, "sites": 0.040,
    "models": 0.045, "journals of a run": 0.0015, "plan of a run": 0.0015, "captures of a run": 0.0010, "label tables": 0.0003, "label comments": 0.0003, "alerts": 0.0020,
    "tables": 0.0002, "readings": 0.0005,
}  # fmt: skip
"""Share of the inputs per way in: large if reading takes a millisecond, small if a run is settled or a table audited."""
SLICE = 50
"""Inputs per measurement of the slowest."""


def main() -> None:
    """Feed every way in, and print the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", nargs="*", default=list(SHARES), help="ways to feed")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    began, fed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sound").mkdir()
        for way in targets(Path(folder) / "sound"):
            if way.name in arguments.only:
                fed += feed_way(
                    way, Path(folder), arguments.first, round(arguments.inputs * SHARES[way.name])
                )
    print(f"{fed:,} inputs in {time.monotonic() - began:,.0f} s: each accepted, or refused with a sentence")


def feed_way(way: Target, folder: Path, first: int, count: int) -> int:
    """Feed one way in and print the results; return the number of its inputs."""
    taken = refused = 0
    slowest, began = 0.0, time.monotonic()
    for start in range(first, first + count, SLICE):
        seeds = range(start, min(start + SLICE, first + count))
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            since = time.monotonic()
            try:
                some = feed(way, Path(temporary), seeds)
            except Escaped as error:
                sys.exit(f"escaped: {error}")
            slowest = max(slowest, (time.monotonic() - since) / len(seeds))
        taken, refused = taken + some[0], refused + some[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds = time.monotonic() - began
    print(
        f"{way.name:18s} {count:9,} inputs, {taken:9,} accepted, {refused:9,} refused, {seconds:7.1f} s,"
        f" slowest {SLICE} {slowest * 1000:7.1f} ms each, peak {peak:,} MiB",
        flush=True,
    )
    return count


if __name__ == "__main__":
    main()
