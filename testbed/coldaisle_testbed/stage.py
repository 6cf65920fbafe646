"""The hidden folder a run is made in, and the name it appears under."""

import os
from datetime import datetime
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan

LATEST = "latest"


def new_id(plan: Plan, now: datetime) -> str:
    """Return a run's id: when it was made, its scenario and its seed."""
    return f"{now:%Y%m%d-%H%M%S}-{plan.scenario.name}-{plan.scenario.seed}"


def stage_for(final: Path) -> Path:
    """Return the hidden folder a run is made in, beside where it will appear.

    Raises:
        InputError: if something is already there, or nothing can be written.
    """
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise InputError("--out", "already holds something: name a new or empty folder", str(final))
    stage = final.parent / f".{final.name}"
    if stage.exists():
        raise InputError(stage, "an unfinished run lies here: move or delete it first")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        stage.mkdir()
    except OSError as error:
        remedy = f"cannot be written ({error.strerror}): name another folder with --out"
        raise InputError(final.parent, remedy) from error
    stage.rmdir()
    return stage


def point_latest(run: Path) -> None:
    """Let ``latest`` beside a run point at it; replaced in one step."""
    fresh = run.parent / f".{LATEST}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(run.name)
    os.replace(fresh, run.parent / LATEST)  # noqa: PTH105 - replaces the link, not what it points at
