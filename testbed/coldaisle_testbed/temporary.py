"""Temporary folder of a run: sockets, whose paths have to be short, and logs.

It is held while the run is played, and a file in it names the run's stage, which identifies a folder that was left behind.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldaisle_testbed.holding import held, is_held

PREFIX = "coldaisle-"
MARK = "stage"
"""File with the path of the stage; coldaisle made no folder without it."""


@contextmanager
def temporary_folder(stage: Path) -> Iterator[Path]:
    """Make the folder of a run, and remove it at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with held(folder):
            (folder / MARK).write_bytes(os.fsencode(stage))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_behind(within: Path) -> list[Path]:
    """Return the folders of runs in ``within`` that no process holds and this user may remove."""
    marks = sorted(within.glob(f"{PREFIX}*/{MARK}"))
    return [mark.parent for mark in marks if os.access(mark.parent, os.W_OK) and not is_held(mark.parent)]
