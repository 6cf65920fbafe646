"""Measures how a run grows with the number of units: a day of 16, 64, 256 and 1,024 sensors, labelled and verified.

Every size is played once, without models. For each size the time of the whole command, its share of playing, labelling and building the
dataset, packets, drops, peak memory, and the precision and recall of the labels against the witness are printed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from week import HOUSE, PACKAGES, play

SIZES = (4, 16, 64, 256)
"""Units; each has four sensors."""
SCENARIO = """
name = "growth"
seed = 7
first_day = 2026-03-02
time_zone = "UTC"
duration_h = {hours:g}

[[site.devices]]
name = "crah-{{number:03}}"
count = {units}
address = 256
client = "c{{number:03}}s{{sensor}}"
spread = 0.3

[drawn]
count = {episodes}
clean_days = 0
kinds = {{ modification = 3, removal = 2, duplication = 2, interception = 1 }}
"""


def verified(run: Path) -> tuple[float, float]:
    """Return the precision and recall of a run's labels, as ``coldaisle verify`` finds them."""
    path = os.pathsep.join(str(HOUSE / name) for name in PACKAGES)
    command = [sys.executable, "-m", "coldaisle_testbed", "verify", str(run), "--json"]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    facts = json.loads(done.stdout)
    return facts["precision"], facts["recall"]


def main() -> None:
    """Play every size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=SIZES)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--episodes", type=int, default=8)
    arguments = parser.parse_args()
    columns = []
    with tempfile.TemporaryDirectory() as name:
        for units in arguments.units:
            scenario, out = Path(name) / f"{units}.toml", Path(name) / f"run-{units}"
            text = SCENARIO.format(units=units, hours=arguments.hours, episodes=arguments.episodes)
            scenario.write_text(text, encoding="utf-8")
            figures = play(HOUSE, scenario, ["--engine", "netns", "--no-analysis"], out)
            precision, recall = verified(out)
            columns.append({"sensors": 4.0 * units, **figures, "precision": precision, "recall": recall})
    print(f"{arguments.hours:g} h on netns, {os.cpu_count()} cores, one run of each size")
    for key in columns[0]:
        digits = 4 if key in ("precision", "recall") else 0 if key == "sensors" else 1
        print(f"{key:40}" + "".join(f"{column.get(key, 0.0):14,.{digits}f}" for column in columns))
    first = columns[0]["whole command, s"]
    print(
        f"{'times the first':40}"
        + "".join(f"{column['whole command, s'] / first:14,.2f}" for column in columns)
    )


if __name__ == "__main__":
    main()
