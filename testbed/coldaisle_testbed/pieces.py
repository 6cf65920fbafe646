"""Pieces in which a run is played: each has a folder of its own until all are complete, so that a failure of one loses no other."""

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
"""Name of the folder of the pieces in a stage."""
WHOLE = "whole.json"
"""Last file of a piece: the sha256 of every other file in it, by path."""
_CAPTURES = ("capture/raw", "capture")


def prepare(stage: Path, plan: Plan) -> None:
    """Make the folder of a run: the plan, and empty folders for journals and captures."""
    (stage / "journal").mkdir(parents=True)
    (stage / "capture" / "raw").mkdir(parents=True)
    (stage / "plan.json").write_text(plan.model_dump_json(indent=1), encoding="utf-8")


def folder(stage: Path, shard: Shard) -> Path:
    """Return the folder in which a piece is played."""
    return stage / PIECES / str(shard)


def seal(piece: Path) -> None:
    """Mark a piece as whole: it was played to its end; the mark holds the hashes of its files."""
    text = json.dumps(_hashes(piece), indent=1)
    (piece / WHOLE).write_text(text, encoding="utf-8")


def is_whole(piece: Path) -> bool:
    """Tell whether a piece was played to its end and has not changed since."""
    try:
        return bool(json.loads((piece / WHOLE).read_text(encoding="utf-8")) == _hashes(piece))
    except (OSError, ValueError, RecursionError):
        return False


def _hashes(piece: Path) -> dict[str, str]:
    files = sorted(path for path in piece.rglob("*") if path.is_file() and path != piece / WHOLE)
    return {str(path.relative_to(piece)): sha256_of(path) for path in files}


def drop_unsealed(stage: Path) -> list[str]:
    """Remove the pieces that are not whole, and return the names of the whole ones, in no order."""
    sealed = []
    for piece in (stage / PIECES).glob("*"):
        if is_whole(piece):
            sealed.append(piece.name)
        else:
            shutil.rmtree(piece, ignore_errors=True)
    return sealed


def are_joined(stage: Path) -> bool:
    """Tell whether all pieces of a run were joined: then nothing is left to play."""
    return (stage / "journal" / "capture.jsonl").is_file() and not (stage / PIECES).exists()


def join(stage: Path, shards: Iterable[Shard]) -> None:
    """Join the pieces of a run: captures side by side, journals one after the other, in order.

    The pieces stay until everything is joined, and are then removed in one step. So an interrupted join can be repeated.
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
    """Write files into one, in order; missing ones are left out."""
    with target.open("wb") as whole:
        for part in parts:
            with suppress(FileNotFoundError), part.open("rb") as source:
                shutil.copyfileobj(source, whole)


def _linked(source: Path, target: Path) -> None:
    """Make a hard link to a file, or a copy where the file system has no hard links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
