"""Folders of shards: each shard has its own until all are complete, so that a failure of one loses no other."""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from coldaisle_contracts.listeners import CA, KEY_LOG
from coldaisle_contracts.manifest import sha256_of
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard

SHARDS = "shards"
"""Name of the folder in a stage that holds the folders of its shards."""
WHOLE = "whole.json"
"""Last file of a shard: the sha256 of every other file in it, by path."""
_CAPTURES = ("capture/raw", "capture")


def prepare(stage: Path, plan: Plan) -> None:
    """Make the folder of a run: the plan, and empty folders for journals and captures."""
    (stage / "journal").mkdir(parents=True)
    (stage / "capture" / "raw").mkdir(parents=True)
    (stage / "plan.json").write_text(text_of(plan), encoding="utf-8")


def text_of(plan: Plan) -> str:
    """Return what ``plan.json`` holds."""
    return plan.model_dump_json(indent=1)


def folder_of(stage: Path, shard: Shard) -> Path:
    """Return the folder in which a shard is played."""
    return stage / SHARDS / str(shard)


def seal(folder: Path) -> None:
    """Mark a shard as whole: it was played to its end; the mark holds the hashes of its files."""
    text = json.dumps(_hashes(folder), indent=1)
    (folder / WHOLE).write_text(text, encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Tell whether a shard was played to its end and has not changed since."""
    try:
        return bool(json.loads((folder / WHOLE).read_text(encoding="utf-8")) == _hashes(folder))
    except (OSError, ValueError, RecursionError):
        return False


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / WHOLE)
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def drop_unsealed(stage: Path) -> list[str]:
    """Remove the shards that are not whole, and return the names of the whole ones, in no order."""
    sealed = []
    for folder in (stage / SHARDS).glob("*"):
        if is_whole(folder):
            sealed.append(folder.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return sealed


def are_joined(stage: Path) -> bool:
    """Tell whether all shards of a run were joined: then nothing is left to play."""
    return (stage / "journal" / "capture.jsonl").is_file() and not (stage / SHARDS).exists()


def join(stage: Path, shards: Iterable[Shard]) -> None:
    """Join the shards of a run: captures side by side, journals one after the other, in order.

    Their folders stay until everything is joined, and are then removed in one step. So an interrupted join can be repeated.
    """
    folders = [folder_of(stage, shard) for shard in shards]
    for name in sorted({journal.name for folder in folders for journal in (folder / "journal").iterdir()}):
        _put_together(stage / "journal" / name, [folder / "journal" / name for folder in folders])
    for place in _CAPTURES:
        for capture in (path for folder in folders for path in sorted((folder / place).glob("*.pcap"))):
            _linked(capture, stage / place / capture.name)
    for name in (CA, KEY_LOG):
        parts = [folder / "capture" / name for folder in folders]
        if any(part.exists() for part in parts):
            _put_together(stage / "capture" / name, parts)
    joined = stage / f".{SHARDS}"
    (stage / SHARDS).rename(joined)
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
