"""Measures what TLS costs: a whole run of the same scenario with and without it, as pairs one after the other, in alternating order.

A run is played in network namespaces, labelled and sealed, in a process of its own. Needs root.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SITES = {"plaintext": "[broker]\nplaintext = true\n", "TLS 1.3": '[broker]\ntls = "1.3"\nplaintext = false\n'}
"""The published site, as it is and encrypted."""
SCENARIO = """
name = "cost"
seed = 2026
first_day = 2026-03-02
time_zone = "UTC"
duration_h = {hours}
interval_s = {interval}
site = "{site}"
"""
TARGET = 2.0
"""Most that a run with TLS may take, as a multiple of one without."""


def run_s(folder: Path, name: str, hours: float, interval_s: float) -> tuple[float, int]:
    """Make a run, and return the seconds that it took and the number of its packets."""
    file = folder / name.replace(" ", "-")
    site = file.with_suffix(".site.toml")
    site.write_text(SITES[name], encoding="utf-8")
    scenario = file.with_suffix(".toml")
    scenario.write_text(SCENARIO.format(hours=hours, interval=interval_s, site=site.name), encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder) as out:
        run = Path(out) / "run"
        command = [
            sys.executable,
            "-m",
            "coldaisle_testbed",
            "up",
            str(scenario),
            "--no-analysis",
            "--out",
            str(run),
        ]
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        return seconds, json.loads((run / "manifest.json").read_text(encoding="utf-8"))["counts"]["packets"]


def main() -> None:
    """Make the runs and print the medians of both and of the pairs' ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--interval", type=float, default=300, help="time between two readings, in s")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("this needs root")
    names, seconds, packets = list(SITES), dict[str, list[float]](), dict[str, int]()
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            run_s(Path(temporary), name, 1, 300)  # compiles what is not compiled yet
        for pair in range(arguments.pairs):
            for name in names if pair % 2 else reversed(names):
                took, packets[name] = run_s(Path(temporary), name, arguments.hours, arguments.interval)
                seconds.setdefault(name, []).append(took)
    for name in names:
        print(f"{name}: {statistics.median(seconds[name]):.1f} s, {packets[name]:,} packets")
    plain, encrypted = (seconds[name] for name in names)
    ratio = statistics.median(one / other for one, other in zip(encrypted, plain, strict=True))
    print(
        f"TLS takes {ratio:.2f} times as long (target: at most {TARGET:g}), median of {arguments.pairs} pairs"
    )
    sys.exit(ratio > TARGET)


if __name__ == "__main__":
    main()
