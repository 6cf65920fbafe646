"""Measures `coldaisle campaign analyse` on more and more weeks of a campaign: wall time, processor time and memory for each number of weeks.

The first weeks of each role are taken, in the proportions of the campaign. Its folder is read only.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from week import children, memory

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
SAMPLE_S = 1.0


def main() -> None:
    """Measure and print one line for each number of weeks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaign", type=Path, help="folder of a campaign whose weeks are all played")
    parser.add_argument("--weeks", type=int, nargs="+", default=[8, 16, 32], help="numbers of weeks")
    arguments = parser.parse_args()
    for weeks in arguments.weeks:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "campaign"
            _part(arguments.campaign, weeks, folder)
            print(_analysed(folder, weeks), flush=True)


def _part(campaign: Path, weeks: int, folder: Path) -> None:
    """Make a folder with some of a campaign's weeks, which are links to its runs."""
    tasks = [json.loads(line) for line in (campaign / "tasks.jsonl").read_text("utf-8").splitlines()]
    by_role: dict[str, list[dict[str, object]]] = defaultdict(list)
    for task in tasks:
        by_role[task["role"]].append(task)
    chosen = [
        task for role in by_role.values() for task in role[: max(1, round(len(role) * weeks / len(tasks)))]
    ]
    (folder / "weeks").mkdir(parents=True)
    (folder / "campaign.toml").write_bytes((campaign / "campaign.toml").read_bytes())
    (folder / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in chosen), "utf-8")
    for task in chosen:
        (folder / "weeks" / str(task["digest"])).symlink_to(
            campaign.resolve() / "weeks" / str(task["digest"])
        )


def _analysed(folder: Path, weeks: int) -> str:
    before, began, peak, over = (
        resource.getrusage(resource.RUSAGE_CHILDREN),
        time.monotonic(),
        0,
        threading.Event(),
    )

    def sample() -> None:
        nonlocal peak
        while not over.wait(SAMPLE_S):
            peak = max(peak, memory(children(os.getpid())[1:]))

    sampler = threading.Thread(target=sample)
    sampler.start()
    path = os.pathsep.join(str(HOUSE / name) for name in PACKAGES)
    command = [sys.executable, "-m", "coldaisle_testbed", "campaign", "analyse", str(folder)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, check=False
    )
    over.set()
    sampler.join()
    if done.returncode:
        sys.exit(done.stderr.decode(errors="replace"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    metrics = json.loads((folder / "analyses" / "001" / "models" / "metrics.json").read_text("utf-8"))
    rows = metrics["cost"]["packets"] + metrics["cost"]["readings"]
    return (
        f"{weeks:3} weeks, {rows / 1e6:.2f} million rows: {time.monotonic() - began:6.0f} s, {cpu_s:6.0f} s of processors "
        f"({cpu_s / rows * 1e6:4.0f} s a million rows), {peak / 2**30:.2f} GiB at the peak"
    )


if __name__ == "__main__":
    main()
