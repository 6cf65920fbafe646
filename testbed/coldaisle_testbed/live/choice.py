"""What `coldaisle live` takes when nobody says: the run that is being made, and the detector that watches it."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.texts import read_json
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.stage import stage_of

Progress = Callable[[str], None]
DETECTORS = "models/packets.*.skops"
"""The detectors of a run that can watch."""
LOOK_S = 0.1
"""Time between two looks for captures or runs that are new, s."""
APPEAR_S = 60.0
"""How long it waits for a run to begin, s."""
A_DAY = timedelta(hours=23, minutes=50)
"""A run whose packets span as much has seen every hour of a day."""
_HELD_OUT = ("day", "block")
"""Splits of the metrics that hold out whole days, or blocks where there is one day only."""


def stage(runs: Path, run: Path | None, progress: Progress) -> Path:
    """Return the folder to watch: of the run that is named, or else of the one that is being made.

    Args:
        runs: folder of the runs.
        run: folder of a run, finished or not, under its name or its hidden one; the run that is being made when left out.
        progress: told when it has to wait for one to begin.

    Raises:
        InputError: if there is no such run, or none begins within :data:`APPEAR_S`.
    """
    if run is None:
        return _begun(runs, progress)
    for folder in (run, stage_of(run)):
        if _is_run(folder):
            return folder
    raise InputError(run, "is no run: name the folder of one, or leave it out to wait for one to begin")


def _is_run(folder: Path) -> bool:
    return (folder / "plan.json").exists() or (folder / "shards").exists()


def _begun(runs: Path, progress: Progress) -> Path:
    """Return the newest run that somebody is making; wait for one to begin. What was left over is passed over."""
    until, has_said = time.monotonic() + APPEAR_S, False
    while time.monotonic() < until:
        stages = [path for path in runs.glob(".*") if path.is_dir() and _is_run(path)]
        held_stages = [path for path in stages if is_held(path)]
        with suppress(FileNotFoundError):  # one that ended since
            if held_stages:
                return max(held_stages, key=lambda path: path.stat().st_mtime)
        if not has_said:
            over = f" ({len(stages)} left over from before, which nobody makes)" if stages else ""
            progress(f"waiting for a run to begin in {runs}{over}")
            has_said = True
        time.sleep(LOOK_S)
    raise InputError(runs, "no run is being made here: start one with `coldaisle up`")


@dataclass(frozen=True)
class _Learned:
    """A run that left detectors.

    Attributes:
        detectors: their files.
        whole: whether it spans a day or more and holds attacks.
        made_ns: when the newest of them was written, ns since the epoch.
    """

    run: Path
    detectors: list[Path]
    whole: bool
    made_ns: int


def detector(runs: Path, progress: Progress) -> Path:
    """Return the file of the detector to watch with, and say why: the best of the newest run that learned from a day or more.

    A shorter run, such as the smoke run, lends its own only where there is no other: it knows neither night nor most attacks.

    Raises:
        InputError: if no run has any.
    """
    learned = list(_learned(runs))
    if not learned:
        raise InputError(
            runs, "no run here has a detector: play one first with `coldaisle up`, or name a --model"
        )
    newest = max(learned, key=lambda learned_run: (learned_run.whole, learned_run.made_ns))
    reason = (
        "that learned from a day or more with attacks"
        if newest.whole
        else "(none learned from a day: expect false alarms)"
    )
    scores = _scores(newest.run)
    best = max(
        newest.detectors, key=lambda path: (scores.get(_model(path), -1.0), _model(path) == "random_forest")
    )
    score = (
        f", best of its {len(newest.detectors)} on days held out with F1 {scores[_model(best)]:.3f}"
        if _model(best) in scores
        else ""
    )
    progress(f"detector: {best}, of the newest run {reason}{score}")
    return best


def _learned(runs: Path) -> Iterator[_Learned]:
    for run in runs.glob("[!.]*"):
        detectors = sorted(run.glob(DETECTORS))
        if detectors and not run.is_symlink():
            yield _Learned(run, detectors, _is_whole(run), max(path.stat().st_mtime_ns for path in detectors))


def _is_whole(run: Path) -> bool:
    """Tell whether a run spans a day or more and holds attacks; one whose manifest cannot be read does not."""
    if not (run / MANIFEST).is_file():
        return False
    try:
        manifest = Manifest.load(run)
    except InputError:
        return False
    clocks = manifest.clocks
    long_enough = clocks is not None and clocks.virtual_end - clocks.virtual_start >= A_DAY
    return long_enough and manifest.counts.get("packets_attack", 0) > 0


def _scores(run: Path) -> dict[str, float]:
    """Return the F1 that the report of a run gives its models on packets, held-out days; none where it has no metrics."""
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
