"""How long the audit of a table from elsewhere takes: a CSV of the shape of CICIDS2017, 79 columns, which it makes itself."""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv

from coldaisle_analysis.audit import examine

SEED = 1
COUNTS, TIMES, RATES = 45, 20, 12
"""Columns of whole numbers, of durations in µs, and of rates; with a port they are the 78 features of CICIDS2017."""
CLASSES = ("BENIGN", "DoS Hulk", "PortScan", "DDoS", "FTP-Patator", "Web Attack \u2013 XSS")
SHARES = (0.80, 0.08, 0.06, 0.04, 0.01, 0.01)
"""Classes and their shares of the rows, about those of CICIDS2017."""
ODD = 1e-3
"""Share of the rates that are infinite or missing, as those of flows of no duration are."""
_PART = 100_000


def make(path: Path, rows: int) -> None:
    """Write a table in Windows-1252 as CICIDS2017 is: names with a blank in front, rates without end, some of them missing."""
    rng = np.random.default_rng(SEED)
    with path.open("wb") as file:
        for first in range(0, rows, _PART):
            table = _part(rng, min(_PART, rows - first))
            text = pa.BufferOutputStream()
            csv.write_csv(table, text, csv.WriteOptions(include_header=first == 0, quoting_style="none"))
            file.write(text.getvalue().to_pybytes().decode().encode("cp1252"))


def _part(rng: np.random.Generator, rows: int) -> pa.Table:
    kind = rng.choice(len(CLASSES), rows, p=SHARES)
    ports = rng.choice([80, 443, 53, 22, 21, 8080, 123], rows)
    columns = {
        " Destination Port": np.where(kind == CLASSES.index("PortScan"), rng.integers(1, 65536, rows), ports)
    }
    for number in range(COUNTS):
        sizes = rng.geometric(1 / (2 + 40 * number), rows) - 1 + (kind * number) % 7
        columns[f" Count {number}"] = np.where(rng.random(rows) < number / COUNTS / 2, 0, sizes)
    for number in range(TIMES):
        columns[f" Time {number}"] = rng.integers(1, 120_000_000, rows) // (1 + kind * (number % 3))
    for number in range(RATES):
        rate = np.round(rng.lognormal(5, 3, rows) * (1 + kind * 0.1 * number), 6)
        columns[f" Rate {number}"] = np.where(rng.random(rows) < ODD, np.inf if number % 2 else np.nan, rate)
    return pa.table({**columns, " Label": np.array(CLASSES)[kind]})


def main() -> None:
    """Make the table, audit it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flows.csv"
        make(path, asked.rows)
        size = path.stat().st_size / 2**20
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began, cpu = time.monotonic(), time.process_time()
        _, results, remarks = examine.table([path], "Label")
        took, worked = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(*remarks, sep="\n")
    print(
        f"{asked.rows:,} rows of 79 columns ({size:,.0f} MiB), {len(results)} checks: {took:.1f} s ({worked:.1f} s of "
        f"processor), peak memory {peak:,.0f} MiB ({before:,.0f} MiB before)"
    )


if __name__ == "__main__":
    main()
