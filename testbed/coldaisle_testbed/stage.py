"""Stages: the hidden folders in which runs are made, from their creation to the finished run, or to what remains after a failure."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coldaisle_contracts import texts
from coldaisle_contracts.analyses import refuse_sealed
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import Engine
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.validation import first_problem
from coldaisle_testbed import shard_folders
from coldaisle_testbed.holding import held, is_held

LATEST = "latest"
ORDER = "order.json"
"""File of a stage with the products to make; a finished run has none."""
_REMEDY = "name another folder with --out"
_PLAYED = {"plan.json", "journal", "capture", "software", ORDER}
"""Contents of a stage that was played; everything else in it is derived."""


class Order(BaseModel):
    """Products to make in a stage; with the plan, this is all that a resumption needs.

    Attributes:
        engine: the engine that plays it.
        shards: number of shards in which it is played.
        analyse: whether models are trained and a report is written.
        latest: whether the link ``latest`` beside the run is set to it.
        csv: whether the dataset is written as CSV, too.
        played: whether all shards were played and joined.
        seconds: wall time of each finished step, in s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Engine
    shards: int
    analyse: bool
    latest: bool
    csv: bool = False
    played: bool = False
    seconds: dict[str, float] = {}

    def is_done(self, stage: Path) -> bool:
        """Tell whether nothing of the run in a stage is left to play; containers play all of it or nothing."""
        return self.played or (self.engine == "netns" and shard_folders.are_joined(stage))

    def save(self, stage: Path) -> None:
        """Write it into a stage, whole or not at all."""
        fresh = stage / f"{ORDER}.new"
        fresh.write_text(self.model_dump_json(), encoding="utf-8")
        fresh.replace(stage / ORDER)

    @classmethod
    def load(cls, stage: Path) -> Self:
        """Read the order of a stage.

        Raises:
            InputError: if there is none, or it is not one.
        """
        path = stage / ORDER
        if not path.exists():
            raise InputError(stage, "it is not an unfinished run: see `coldaisle runs` for those there are")
        text = texts.read_text(path, "see `coldaisle runs` for the runs there are")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise first_problem(path, error) from error


def new_id(plan: Plan, now: datetime) -> str:
    """Return the id of a run: time, scenario and seed."""
    return f"{now:%Y%m%d-%H%M%S}-{plan.scenario.name}-{plan.scenario.seed}"


@contextmanager
def new_stage(runs: Path, plan: Plan, now: datetime) -> Iterator[Path]:
    """Make and hold the stage of a run in ``runs`` under a free name; of two in the same second, one takes the next second."""
    while (final := runs / new_id(plan, now)).exists() or not _make(stage_of(final)):
        now += timedelta(seconds=1)
    with held_stage(stage_of(final)) as stage:
        yield stage


@contextmanager
def stage_for(final: Path) -> Iterator[Path]:
    """Make and hold the stage of the run that is to appear as ``final``.

    Raises:
        InputError: if the folder is in use, or nothing can be written.
    """
    stage = stage_of(final)
    with texts.writable(final, _REMEDY):
        refuse_sealed(final)
        refuse_full(final)
    if not _make(stage):
        remedy = f"an unfinished run lies here: see `coldaisle runs --folder {stage.parent}` for what can be done with it"
        raise InputError(stage, remedy)
    with held_stage(stage):
        yield stage


def refuse_full(out: Path) -> None:
    """Refuse to write into a folder that holds something, or over a file.

    Raises:
        InputError: naming it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("--out", "it already holds something: name a new or empty folder", str(out))


def stage_of(final: Path) -> Path:
    """Return the hidden folder in which the run of this name is made."""
    return final.absolute().parent / f".{final.absolute().name}"


def final_of(stage: Path) -> Path:
    """Return the folder that a stage becomes."""
    return stage.with_name(stage.name.removeprefix("."))


def _make(stage: Path) -> bool:
    """Make a stage and the folders around it; return false where the stage exists.

    Raises:
        InputError: if it cannot be made.
    """
    missing = [folder for folder in stage.parents if not folder.exists()]
    with texts.writable(stage.parent, _REMEDY):
        try:
            stage.parent.mkdir(parents=True, exist_ok=True)
            stage.mkdir(0o700)  # its owner's alone until it is finished
        except FileExistsError:
            if stage.is_dir():
                return False
            raise InputError(stage.parent, f"it is not a folder: {_REMEDY}") from None
    for folder in (*reversed(missing), stage):
        hand_over(folder)
    return True


def is_abandoned(stage: Path) -> bool:
    """Tell whether a run was begun in a folder and no process makes it any more."""
    return (stage / ORDER).exists() and not is_held(stage)


@contextmanager
def held_stage(stage: Path) -> Iterator[Path]:
    """Hold a stage while a run is made in it; after a failure, sealed shards are kept and the error says how to go on.

    Raises:
        InputError: if another process holds it.
    """
    with held(stage) as is_ours:
        if not is_ours:
            raise InputError(stage, "a run is being made here right now: wait for it, or end it first")
        try:
            yield stage
        except BaseException as error:
            _leave(stage, error)
            raise


def _leave(stage: Path, error: BaseException) -> None:
    """Keep what remains of a stage, with a note in the error; remove a stage of which nothing remains."""
    if not stage.is_dir():
        return
    contents = remains(stage)
    if not contents:
        shutil.rmtree(stage, ignore_errors=True)
        return
    hand_over(stage)
    if isinstance(error, TrustError):
        error.add_note(f"{contents} in {stage} for inspection; `coldaisle runs --clean` removes it")
    else:
        error.add_note(f"{contents} in {stage}: go on with `coldaisle up --resume {stage}`")


def remains(stage: Path) -> str:
    """Return in words what remains of a stage, for a sentence; empty where it is nothing. Shards that are not whole are removed."""
    try:
        order, _ = Order.load(stage), Plan.load(stage / "plan.json")
    except InputError:
        return ""
    if order.is_done(stage):
        return "everything was played and lies"
    sealed = shard_folders.drop_unsealed(stage)
    return f"{len(sealed)} of {order.shards} shards are sealed and lie" if sealed else ""


def strip(stage: Path) -> None:
    """Remove from a stage everything that is derived; it is derived again."""
    for path in stage.iterdir():
        if path.name not in _PLAYED:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def appear(stage: Path, final: Path) -> None:
    """Rename a stage to the finished run, which belongs to the owner of the folder around it."""
    (stage / ORDER).unlink(missing_ok=True)
    hand_over(stage)
    if final.is_dir():
        final.rmdir()
    mask = os.umask(0)
    os.umask(mask)
    stage.chmod(0o777 & ~mask)
    stage.rename(final)


def hand_over(path: Path) -> None:
    """Give a file, link, or folder with its contents that root made to the owner of the folder around it."""
    if os.geteuid() != 0:
        return
    owner = path.parent.stat()
    for entry in (path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())):
        os.chown(entry, owner.st_uid, owner.st_gid, follow_symlinks=False)


def point(link: Path, target: str) -> None:
    """Set a link to a target beside it, in one step."""
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    hand_over(fresh)
    os.replace(fresh, link)  # noqa: PTH105 - replaces the link, not what it points at
