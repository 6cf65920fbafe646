"""What runs that were cut short have left: each thing once, with what it holds and what can be done with it.

Only what is known as ours is listed, and nothing that somebody works in is ever removed.
"""

import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coldaisle_contracts.analyses import ANALYSES
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.unforeseen import LOG
from coldaisle_testbed import pieces, temporary
from coldaisle_testbed.analyses import MAKING
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.stage import ORDER, Order

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where joblib and libfaketime share memory
_OF_PROCESS = re.compile(r"(?:joblib_memmapping_folder|faketime_shm|sem\.faketime_sem)_(\d+)(?:_.*)?")
"""Names of what joblib and libfaketime keep there; the number is the process it was made for."""
_STAGE = {ORDER, "plan.json"}
"""A hidden folder that holds one of these is a stage."""


@dataclass(frozen=True)
class Leftover:
    """Something that was left.

    Attributes:
        paths: where it lies.
        what: what it holds.
        remedy: what can be done with it beside removing it; empty where nothing.
        busy: whether somebody works in it right now.
        keep: whether it is too good to be cleared away.
        size: how much room it takes, bytes.
    """

    paths: tuple[Path, ...]
    what: str
    remedy: str = ""
    busy: bool = False
    keep: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", sum(map(size_of, self.paths)))

    def facts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self) | {"paths": list(map(str, self.paths))}

    def __str__(self) -> str:
        first, more = self.paths[0], len(self.paths) - 1
        place = f"{first} and {more:,} more" if more else str(first)
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{place}: {self.what}, {self.size / 1e6:,.1f} MB{remedy}"


def find(runs: Path, within: Path | None = None) -> list[Leftover]:
    """Return what was left in a folder of runs, in a temporary folder, the system's when none is given, and in shared memory."""
    temporary_folder = within or Path(tempfile.gettempdir())
    hidden = (path for path in sorted(runs.glob(".*")) if path.is_dir() and not path.is_symlink())
    stages = [found for path in hidden if (found := _stage(path))]
    folders = [
        Leftover((path,), f"sockets and logs of a run in {_named(path)}")
        for path in temporary.left_behind(temporary_folder)
    ]
    analyses = [
        Leftover(
            (path,),
            f"the beginning of an analysis of {path.parents[1]}",
            f"coldaisle analyse {path.parents[1]}",
        )
        for path in sorted(runs.glob(f"[!.]*/{ANALYSES}/{MAKING}*"))
        if not path.parents[1].is_symlink() and not is_held(path)
    ]
    shared = tuple(_shared_memory())
    gone = [Leftover(shared, "shared memory of processes that are gone")] if shared else []
    logs = tuple(
        path for path in sorted(temporary_folder.glob("*".join(LOG))) if path.lstat().st_uid == os.geteuid()
    )
    told = [Leftover(logs, "what happened when something failed that nobody foresaw")] if logs else []
    return [*stages, *analyses, *folders, *told, *gone]


def clean(runs: Path) -> list[Leftover]:
    """Remove what :func:`find` names, but for what is in use or holds a finished run; return what was removed."""
    left = [one for one in find(runs) if not one.busy and not one.keep]
    for path in (path for one in left for path in one.paths):
        with suppress(OSError):
            if not path.is_dir():
                path.unlink()
                continue
            with held(path) as ours:
                if ours:
                    shutil.rmtree(path)
    return [one for one in left if not any(path.exists() for path in one.paths)]


def size_of(path: Path) -> int:
    """Return how much room a file or a folder with all it holds takes, bytes."""
    every = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in every:
        with suppress(OSError):  # gone since
            total += file.lstat().st_size if not file.is_dir() else 0
    return total


def _stage(path: Path) -> Leftover | None:
    """Return a hidden folder as what it is, ``None`` where it is none of ours."""
    names = {each.name for each in path.iterdir()} if os.access(path, os.R_OK) else set()
    if names and not names & _STAGE:
        return None
    if is_held(path):
        return Leftover((path,), "is being made", busy=True)
    resume = f"coldaisle up --resume {path}"
    if MANIFEST in names:
        return Leftover((path,), "a finished run without its name", resume, keep=True)
    try:
        order, plan = Order.load(path), Plan.load(path / "plan.json")
    except InputError:
        return Leftover((path,), "the beginning of a run")
    if order.played or pieces.are_joined(path):
        return Leftover((path,), "everything was played, the ledger not settled", resume)
    whole = len(list((path / pieces.PIECES).glob(f"*/{pieces.WHOLE}")))
    every = min(order.shards, plan.scenario.days)
    return Leftover((path,), f"{whole} of {every} pieces are sealed", resume if whole else "")


def _named(folder: Path) -> str:
    try:
        return os.fsdecode((folder / temporary.MARK).read_bytes())
    except OSError:
        return "no folder"


def _shared_memory() -> list[Path]:
    """Return what lies in shared memory for processes of this user that are gone, and nobody has open."""
    found = [
        path
        for path in sorted(SHARED_MEMORY.glob("*"))
        if (made := _OF_PROCESS.fullmatch(path.name))
        and path.lstat().st_uid == os.geteuid()
        and not Path("/proc", made[1]).exists()
    ]
    opened = _mapped() if found else set()
    return [
        path for path in found if not any(each == str(path) or each.startswith(f"{path}/") for each in opened)
    ]


def _mapped() -> set[str]:
    """Return the files in shared memory that a process has mapped."""
    found = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            text = maps.read_text(encoding="utf-8", errors="replace")
            found |= {f"/dev/shm{rest}" for rest in re.findall(r"/dev/shm(\S+)$", text, re.MULTILINE)}  # noqa: S108
    return found
