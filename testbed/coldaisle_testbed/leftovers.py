"""Leftovers of interrupted runs: each is listed once, with its contents and its remedy.

Only what coldaisle made is listed, and nothing is removed while a process works in it.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coldaisle_contracts.analyses import ANALYSES
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.twins import TWINS
from coldaisle_contracts.unforeseen import LOG
from coldaisle_testbed import shard_folders, temporary
from coldaisle_testbed.analyses import MAKING
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.stage import ORDER, Order

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where joblib and libfaketime share memory
_OF_PROCESS = re.compile(r"(?:joblib_memmapping_folder|faketime_shm|sem\.faketime_sem)_(\d+)(?:_.*)?")
"""Names of the files of joblib and libfaketime there; the number is the id of their process."""
_STAGE = {ORDER, "plan.json"}
"""A hidden folder with one of these files is a stage."""


@dataclass(frozen=True)
class Leftover:
    """One leftover.

    Attributes:
        paths: its files or folders.
        contents: what it holds, in words.
        remedy: what can be done with it, apart from removing it; may be empty.
        busy: whether a process works in it now.
        keep: whether `runs --clean` keeps it, because it holds a finished run.
        size: its size, in bytes.
    """

    paths: tuple[Path, ...]
    contents: str
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
        return f"{place}: {self.contents}, {self.size / 1e6:,.1f} MB{remedy}"


def find(runs: Path, within: Path | None = None) -> list[Leftover]:
    """Return the leftovers in a folder of runs, in a temporary folder (by default the system's) and in shared memory."""
    place = within or Path(tempfile.gettempdir())
    return [*_in_runs(runs), *_in_temporary(place), *_in_shared_memory()]


def _in_runs(runs: Path) -> Iterator[Leftover]:
    """Yield the stages and the beginnings of analyses in a folder of runs."""
    for path in sorted(runs.glob(".*")):
        if path.is_dir() and not path.is_symlink() and (leftover := _stage(path)):
            yield leftover
    for path in sorted(runs.glob(f"[!.]*/{ANALYSES}/{MAKING}*")):
        run = path.parents[1]
        if not run.is_symlink() and not is_held(path):
            yield Leftover((path,), f"the beginning of an analysis of {run}", f"coldaisle analyse {run}")
    for path in sorted(runs.glob(f"[!.]*/{TWINS}/{MAKING}*")):
        run = path.parents[1]
        if not run.is_symlink() and not is_held(path):
            yield Leftover((path,), f"the beginning of twins of {run}", f"coldaisle twin {run}")


def _in_temporary(place: Path) -> Iterator[Leftover]:
    """Yield the folders of runs and the logs in a temporary folder."""
    for path in temporary.left_behind(place):
        yield Leftover((path,), f"sockets and logs of a run in {_named(path)}")
    logs = [path for path in sorted(place.glob("*".join(LOG))) if path.lstat().st_uid == os.geteuid()]
    if logs:
        yield Leftover(tuple(logs), "logs of unforeseen errors")


def clean(leftovers: Iterable[Leftover]) -> list[Leftover]:
    """Remove leftovers that are neither in use nor hold a finished run, and return those that were removed."""
    removable = [leftover for leftover in leftovers if not leftover.busy and not leftover.keep]
    for path in (path for leftover in removable for path in leftover.paths):
        with suppress(OSError):
            if not path.is_dir():
                path.unlink()
                continue
            with held(path) as is_ours:
                if is_ours:
                    shutil.rmtree(path)
    return [leftover for leftover in removable if not any(path.exists() for path in leftover.paths)]


def size_of(path: Path) -> int:
    """Return the size of a file, or of a folder with everything in it, in bytes."""
    every = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in every:
        with suppress(OSError):  # removed meanwhile
            total += file.lstat().st_size if not file.is_dir() else 0
    return total


def _stage(path: Path) -> Leftover | None:
    """Return the leftover in a hidden folder; ``None`` where coldaisle did not make the folder."""
    names = {entry.name for entry in path.iterdir()} if os.access(path, os.R_OK) else set()
    if names and not names & _STAGE:
        return None
    if is_held(path):
        return Leftover((path,), "is being made", busy=True)
    resume = f"coldaisle up --resume {path}"
    if MANIFEST in names:
        return Leftover((path,), "a finished run without its name", resume, keep=True)
    try:
        order, _ = Order.load(path), Plan.load(path / "plan.json")
    except InputError:
        return Leftover((path,), "the beginning of a run")
    if order.is_done(path):
        return Leftover((path,), "everything was played, but the ledger was not settled", resume)
    sealed = len(list((path / shard_folders.SHARDS).glob(f"*/{shard_folders.WHOLE}")))
    return Leftover((path,), f"{sealed} of {order.shards} shards are sealed", resume if sealed else "")


def _named(folder: Path) -> str:
    try:
        return os.fsdecode((folder / temporary.MARK).read_bytes())
    except OSError:
        return "no folder"


def _in_shared_memory() -> Iterator[Leftover]:
    """Yield the files in shared memory of this user's processes that have ended, if no process has them open."""
    files = [
        path
        for path in sorted(SHARED_MEMORY.glob("*"))
        if (match := _OF_PROCESS.fullmatch(path.name))
        and path.lstat().st_uid == os.geteuid()
        and not Path("/proc", match[1]).exists()
    ]
    opened = _mapped() if files else set()
    unused = [path for path in files if not any(path in (name, *name.parents) for name in opened)]
    if unused:
        yield Leftover(tuple(unused), "shared memory of processes that are gone")


def _mapped() -> set[Path]:
    """Return the files in shared memory that some process has mapped."""
    files = set[Path]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            text = maps.read_text(encoding="utf-8", errors="replace")
            files |= {Path(f"/dev/shm{name}") for name in re.findall(r"/dev/shm(\S+)$", text, re.MULTILINE)}  # noqa: S108
    return files
