"""Measures the time of an audit of 200,000 rows: drawn from a run's packets, repeated if it has fewer, in order of time."""

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from coldaisle_analysis import tables
from coldaisle_analysis.audit import audit
from coldaisle_analysis.audit.subject import of_level

SEED = 1


def main() -> None:
    """Audit the rows and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run, such as runs/latest")
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    packets = tables.read_level(arguments.run, "packets")
    times, left = divmod(arguments.rows, len(packets))
    drawn = np.random.default_rng(SEED).choice(len(packets), left, replace=False)
    rows = packets.iloc[np.sort(np.concatenate([np.tile(np.arange(len(packets)), times), drawn]))]
    subject = of_level("benchmark", rows.reset_index(drop=True), "packets")
    began, cpu = time.monotonic(), time.process_time()
    results = audit([subject])
    took, worked = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(rows):,} rows, {len(results)} checks: {took:.1f} s ({worked:.1f} s of processor), peak memory {peak:,.0f} MiB"
    )


if __name__ == "__main__":
    main()
