"""Defaults of `coldaisle live`: the run that is being made, and the detector that watches it."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.texts import read_json
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.stage import stage_of

Progress = Callable[[str], None]
DETECTORS = "models/packets.*.skops"
"""Pattern of the files of a run's detectors of packets."""
LOOK_S = 0.1
"""Interval between two looks for new captures or runs, in s."""
APPEAR_S = 60.0
"""Time to wait for a run to begin, in s."""
A_DAY = timedelta(hours=23, minutes=50)
"""A run whose packets span this time covers every hour of a day."""
_HELD_OUT = ("day", "block")
"""Splits that hold out whole days, or blocks where a run has only one day."""


def stage(runs: Path, run: Path | None, progress: Progress) -> Path:
    """Return the folder to watch: that of the named run, else that of the run that is being made.

    Args:
        runs: folder of the runs.
        run: folder of a run, finished or not, under its final or its hidden name; by default the run that is being made.
        progress: called when it has to wait for a run to begin.

    Raises:
        InputError: if there is no such run, or none begins within :data:`APPEAR_S`.
    """
    if run is None:
        return _begun(runs, progress)
    for folder in (run, stage_of(run)):
        if _is_run(folder):
            return folder
    raise InputError(run, "it is not a run: name the folder of a run, or none to wait for the next one")


def _is_run(folder: Path) -> bool:
    return (folder / "plan.json").exists() or (folder / "shards").exists()


def _begun(runs: Path, progress: Progress) -> Path:
    """Return the newest run that a process makes, or wait for one; leftovers are ignored."""
    until, has_said = time.monotonic() + APPEAR_S, False
    while time.monotonic() < until:
        stages = [path for path in runs.glob(".*") if path.is_dir() and _is_run(path)]
        held_stages = [path for path in stages if is_held(path)]
        with suppress(FileNotFoundError):  # one that ended meanwhile
            if held_stages:
                return max(held_stages, key=lambda path: path.stat().st_mtime)
        if not has_said:
            over = f" ({len(stages)} left over from before, not being made)" if stages else ""
            progress(f"waiting for a run to begin in {runs}{over}")
            has_said = True
        time.sleep(LOOK_S)
    raise InputError(runs, "no run is being made here: start one with `coldaisle up`")


def detector(runs: Path, progress: Progress) -> Path:
    """Return the file of the detector to watch with, and report the reason: the best of the newest run of a day or more.

    The detector of a shorter run, such as the smoke run, is used only where there is no other: it knows neither nights nor most attacks.

    Raises:
        InputError: if no run has a detector.
    """
    folders = [run for run in runs.glob("[!.]*") if not run.is_symlink()]
    detectors = {run: files for run in folders if (files := sorted(run.glob(DETECTORS)))}
    if not detectors:
        raise InputError(
            runs, "no run here has a detector: play one first with `coldaisle up`, or name a --model"
        )
    whole = {run for run in detectors if _is_whole(run)}
    made_ns = {run: max(path.stat().st_mtime_ns for path in files) for run, files in detectors.items()}
    newest = max(detectors, key=lambda run: (run in whole, made_ns[run]))
    reason = (
        "that learned from a day or more with attacks"
        if newest in whole
        else "(none learned from a day: expect false alarms)"
    )
    files, scores = detectors[newest], _scores(newest)
    best = max(files, key=lambda path: (scores.get(_model(path), -1.0), _model(path) == "random_forest"))
    score = (
        f", best of its {len(files)} on days held out with F1 {scores[_model(best)]:.3f}"
        if _model(best) in scores
        else ""
    )
    progress(f"detector: {best}, of the newest run {reason}{score}")
    return best


def _is_whole(run: Path) -> bool:
    """Tell whether a run spans a day or more and holds attacks; false for an unreadable manifest."""
    try:
        manifest = Manifest.load(run)
    except InputError:
        return False
    clocks = manifest.clocks
    long_enough = clocks is not None and clocks.virtual_end - clocks.virtual_start >= A_DAY
    return long_enough and manifest.counts.get("packets_attack", 0) > 0


def _scores(run: Path) -> dict[str, float]:
    """Return the F1 of a run's models on packets of held-out days, by model; empty where the run has no metrics."""
    path = run / "models" / "metrics.json"
    if not path.is_file():
        return {}
    rows = read_json(path, "analyse the run again")
    models = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {
        str(row.get("model")): float(row["f1"])
        for row in models
        if row.get("level") == "packets"
        and row.get("split") in _HELD_OUT
        and isinstance(row.get("f1"), int | float)
    }


def _model(path: Path) -> str:
    """Return the name of the model in a detector's file name."""
    return path.name.removeprefix("packets.").removesuffix(".skops")
