"""Claims on weeks: of many runners on many machines that share a folder, one plays a week.

A claim is a file that only one runner can make (``O_EXCL``, which NFS has, too). Its holder touches it every few seconds. A claim is stale

* at once, when its holder was a process of this machine and has ended,
* at once, for a runner that was told that its holder died or was silent for too long, and
* on any machine, when it was not touched for :data:`STALE_S` by the clock of the file system, so that clocks of machines do not matter.

Claims on a week are numbered. Who finds the newest stale makes the next number: of several, one succeeds, and no file is taken from
anybody. A holder that was stopped and goes on finds a newer claim, and gives up.
"""

import os
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts.validation import Model
from coldaisle_testbed.campaign.names import CLAIMS, host, runner

BEAT_S = 5.0
"""Time between two touches of a claim, in s."""
STALE_S = 120.0
"""A claim that was not touched for this time is stale, in s; an NFS client may show a touch up to 60 s late."""


class _Holder(Model):
    """The content of a claim: a process.

    Attributes:
        host: name of its machine.
        runner: name of the process among all runners.
        kernel: id of the boot of its machine, and of its namespace of processes.
        pid: its id.
        since: when it began, in ticks since the boot.
    """

    host: str
    runner: str
    kernel: str
    pid: int
    since: str

    def is_gone(self) -> bool:
        """Tell whether it was a process of this machine that has ended."""
        return self.kernel == _kernel() and _since(self.pid) != self.since


def _kernel() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def _since(pid: int) -> str:
    """Return when a process began, in ticks since the boot; empty where it is not there or only waits to be reaped."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@dataclass
class Claim:
    """A claim that this process holds.

    Attributes:
        path: its file.
        touched_s: when it was touched last, in s of the monotonic clock.
    """

    path: Path
    touched_s: float

    def keep(self) -> bool:
        """Touch it when it is time to; return false when it was lost to another runner."""
        if time.monotonic() - self.touched_s < BEAT_S:
            return True
        with suppress(OSError):
            os.utime(self.path)
        self.touched_s = time.monotonic()
        newest = _newest(self.path.parent, self.path.name.partition(".")[0])
        return newest is not None and newest == self.path

    def drop(self) -> None:
        """Give the week back."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def claim(folder: Path, digest: str, gone: Collection[str] = ()) -> Claim | None:
    """Claim a week; return ``None`` where another runner holds it.

    Args:
        folder: folder of the campaign.
        digest: name of the week.
        gone: runners that are known to be gone; one that goes on all the same finds a newer claim, and gives up.

    Raises:
        OSError: if the folder cannot be written.
    """
    claims = folder / CLAIMS
    claims.mkdir(exist_ok=True)
    newest = _newest(claims, digest)
    if newest is not None and not _is_stale(newest, gone):
        return None
    number = _number(newest) + 1 if newest is not None else 0
    path = claims / f"{digest}.{number}"
    me = _Holder(host=host(), runner=runner(), kernel=_kernel(), pid=os.getpid(), since=_since(os.getpid()))
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return None
    try:
        with os.fdopen(
            opened, "w", encoding="utf-8"
        ) as file:  # who reads it before this is done sees a fresh claim
            file.write(me.model_dump_json())
    except OSError:
        path.unlink()
        raise
    return Claim(path, time.monotonic())


def holder(folder: Path, digest: str) -> str:
    """Return the machine that plays a week now; empty where none does."""
    newest = _newest(folder / CLAIMS, digest)
    if newest is None or _is_stale(newest):
        return ""
    read = _read(newest)
    return read.host if read else ""


def clear(folder: Path, digest: str) -> None:
    """Remove every claim on a week that is done."""
    for path in (folder / CLAIMS).glob(f"{digest}.*"):
        with suppress(OSError):
            path.unlink()


def _number(path: Path) -> int:
    return int(path.name.partition(".")[2])


def _newest(claims: Path, digest: str) -> Path | None:
    return max(claims.glob(f"{digest}.*"), key=_number, default=None)


def _read(path: Path) -> _Holder | None:
    try:
        return _Holder.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _is_stale(path: Path, gone: Collection[str] = ()) -> bool:
    read = _read(path)
    if read is not None and (read.is_gone() or read.runner in gone):
        return True
    try:
        with path.open("rb") as opened:  # opening asks a file server for the attributes of now
            touched = os.fstat(opened.fileno()).st_mtime
    except OSError:
        return True
    return _now(path.parent) - touched > STALE_S


def _now(folder: Path) -> float:
    """Return the time by the clock of a file system, in s since the epoch; by this machine's where nothing can be written."""
    with suppress(OSError), tempfile.NamedTemporaryFile(dir=folder, prefix=".now.") as file:
        os.utime(file.fileno())
        return os.fstat(file.fileno()).st_mtime
    return time.time()
