"""The pieces a run is played in: each lies in a folder of its own until all are there, so that a failure of one loses none."""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from coldaisle_contracts.manifest import sha256_of
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard

PIECES = "shards"
"""Folder of the pieces in the stage of a run."""
WHOLE = "whole.json"
"""File a piece gets last: the sha256 of every other file in it, by path."""
_CAPTURES = ("capture/raw", "capture")


def prepare(stage: Path, plan: Plan) -> None:
    """Make an empty run folder: the plan, and room for journals and captures."""
    (stage / "journal").mkdir(parents=True)
    (stage / "capture" / "raw").mkdir(parents=True)
    (stage / "plan.json").write_text(plan.model_dump_json(indent=1), encoding="utf-8")


def folder(stage: Path, shard: Shard) -> Path:
    """Return the folder a piece is played in."""
    return stage / PIECES / str(shard)


def seal(piece: Path) -> None:
    """Write down that a piece is whole: it was played to its end, and this is what it holds."""
    text = json.dumps(_hashes(piece), indent=1)
    (piece / WHOLE).write_text(text, encoding="utf-8")


def is_whole(piece: Path) -> bool:
    """Tell whether a piece was played to its end and lies there as it was."""
    try:
        return bool(json.loads((piece / WHOLE).read_text(encoding="utf-8")) == _hashes(piece))
    except (OSError, ValueError, RecursionError):
        return False


def _hashes(piece: Path) -> dict[str, str]:
    files = sorted(path for path in piece.rglob("*") if path.is_file() and path != piece / WHOLE)
    return {str(path.relative_to(piece)): sha256_of(path) for path in files}


def drop_unsealed(stage: Path) -> list[str]:
    """Remove the pieces that are not whole, and return the names of those that are, in no order."""
    sealed = []
    for piece in (stage / PIECES).glob("*"):
        if is_whole(piece):
            sealed.append(piece.name)
        else:
            shutil.rmtree(piece, ignore_errors=True)
    return sealed


def are_joined(stage: Path) -> bool:
    """Tell whether all pieces of a run were joined, so that nothing is left to play."""
    return (stage / "journal" / "capture.jsonl").is_file() and not (stage / PIECES).exists()


def join(stage: Path, shards: Iterable[Shard]) -> None:
    """Put the pieces of a run together: captures side by side, journals one after the other, in order.

    The pieces stay as they are until everything is there, and then go in one step; so a join that was cut short is made again.
    """
    pieces = [folder(stage, shard) for shard in shards]
    for name in sorted({journal.name for piece in pieces for journal in (piece / "journal").iterdir()}):
        _put_together(stage / "journal" / name, [piece / "journal" / name for piece in pieces])
    for place in _CAPTURES:
        for capture in (path for piece in pieces for path in sorted((piece / place).glob("*.pcap"))):
            _linked(capture, stage / place / capture.name)
    joined = stage / f".{PIECES}"
    (stage / PIECES).rename(joined)
    shutil.rmtree(joined)


def _put_together(target: Path, parts: Iterable[Path]) -> None:
    """Write files into one, in order; those that are not there are left out."""
    with target.open("wb") as whole:
        for part in parts:
            with suppress(FileNotFoundError), part.open("rb") as source:
                shutil.copyfileobj(source, whole)


def _linked(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the disk knows no second names."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
