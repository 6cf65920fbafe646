"""The folder of a campaign whose weeks are copies of a run made by hand; every file of it is written here."""

import json
import shutil
from pathlib import Path

from coldaisle_contracts.campaign import CAMPAIGN, SCENARIOS, TASKS, WEEKS
from coldaisle_contracts.manifest import Manifest

ROLES = ("train", "train", "validate", "test")
"""The role of each week; the number of a week is its seed."""
FILE = """name = "made"
scenarios = ["scenarios/made.toml"]
seeds = "1-4"
[roles]
train = "1-2"
validate = "3"
test = "4"
[sizes]
S = "1,3-4"
"""
SCENARIO = """name = "made"
seed = 1
first_day = 2026-03-02
time_zone = "Europe/Madrid"
duration_h = 0.75
"""


def make(folder: Path, run: Path, played: tuple[int, ...] = (1, 2, 3, 4), publish: str = "") -> Path:
    """Make the folder of a campaign and return it.

    Args:
        folder: the folder to make.
        run: the run that its weeks are copies of; their manifests have a seed and digests of their own.
        played: seeds of the weeks that were played.
        publish: the table ``[publish]`` of its scenario in TOML.
    """
    (folder / SCENARIOS).mkdir(parents=True)
    (folder / SCENARIOS / "made.toml").write_text(SCENARIO + publish)
    (folder / CAMPAIGN).write_text(FILE)
    tasks = [_task(seed, role) for seed, role in enumerate(ROLES, 1)]
    (folder / TASKS).write_text("".join(json.dumps(task) + "\n" for task in tasks))
    for seed in played:
        week = folder / WEEKS / _digest(seed)
        shutil.copytree(run, week, symlinks=True)
        own = {
            "scenario": "made",
            "seed": seed,
            "plan_digest": f"{seed:064x}",
            "semantic_digest": f"{seed + 9:064x}",
        }
        Manifest.load(week).model_copy(update=own).save(week)
    return folder


def _task(seed: int, role: str) -> dict[str, object]:
    size = "M" if seed == 2 else "S"
    command = ["coldaisle", "up", "scenarios/made.toml", "--seed", str(seed)]
    return {
        "scenario": "made",
        "seed": seed,
        "role": role,
        "size": size,
        "digest": _digest(seed),
        "command": command,
    }


def _digest(seed: int) -> str:
    return f"{seed:016x}"


def week_of(folder: Path, seed: int) -> Path:
    """Return the folder of the week with a seed."""
    return folder / WEEKS / _digest(seed)
