"""Measures the time of each step of a week, and the peak memory of all its processes together."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE_S = 2.0


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


def main() -> None:
    """Play the scenario once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="scenarios/week.toml")
    parser.add_argument("--engine", default="netns")
    arguments = parser.parse_args()
    house = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "run"
        command = [house / "coldaisle", "up", arguments.scenario, "--engine", arguments.engine, "--out", out]
        began, peak = time.monotonic(), 0
        process = subprocess.Popen(command, cwd=house)
        while process.poll() is None:
            peak = max(peak, memory(children(process.pid)))
            time.sleep(SAMPLE_S)
        if process.returncode:
            sys.exit(f"coldaisle up ended with {process.returncode}")
        took = time.monotonic() - began
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    seconds, counts = manifest["seconds"], manifest["counts"]
    generated = seconds["play"] + seconds["ledger"]
    rows = {
        "played, retimed, sealed": f"{seconds['play']:.1f} s",
        "… and labelled": f"{generated:.1f} s",
        "dataset, statistics, models, report": f"{seconds['analysis']:.1f} s",
        "whole command": f"{took:.1f} s",
        "faster than real time": f"{counts['days'] * 86_400 / generated:,.0f} times",
        "packets": f"{counts['packets']:,} ({counts['kernel_drops']} dropped)",
        "peak memory": f"{peak / 2**20:,.0f} MiB",
    }
    print(f"{arguments.scenario} on {arguments.engine}, {os.cpu_count()} cores")
    for name, value in rows.items():
        print(f"  {name:36} {value}")


if __name__ == "__main__":
    main()
