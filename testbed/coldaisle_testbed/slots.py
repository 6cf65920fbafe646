"""The slots of a machine for shards: runs that are made at the same time share them, so that all of them together do not overload it.

A slot is a lock (flock) on a file in a folder that belongs to the machine and not to a run. It ends with the last process that has the
file open, however that process ends, so no slot can be lost.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from coldaisle_contracts.errors import InputError

_MACHINE = Path("/run")
"""Where Linux keeps what belongs to a boot; only root can write there."""


class Slots:
    """The slots of this machine, or of a user where only that is possible.

    Args:
        folder: folder of the locks; ``None`` for the one of the whole machine.
        count: number of slots that this machine takes. It takes fewer shards of a bigger site, which then use the first of these slots.
    """

    def __init__(self, folder: Path | None, count: int) -> None:
        self._folder = folder or _shared_folder()
        self._count = count

    def take(self) -> int | None:
        """Take a slot; return its file descriptor, which holds it while any process has it open, or ``None`` where all are taken."""
        for number in reversed(range(self._count)):  # so that small sites leave the first ones to bigger ones
            opened = os.open(
                self._folder / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(opened)
            else:
                return opened
        return None


def _shared_folder() -> Path:
    """Make and return the folder of the locks.

    Raises:
        InputError: if somebody else has made it.
    """
    place = _MACHINE if os.access(_MACHINE, os.W_OK) else Path(tempfile.gettempdir())
    folder = place / f"coldaisle-slots-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise InputError(folder, "it belongs to somebody else: remove it")
    return folder
