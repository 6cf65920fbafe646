"""Folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldaisle_contracts.unforeseen import refused


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a fresh hidden folder, gone again if the work fails; say in one sentence when the disk refuses.

    What is finished is renamed out of it before the block ends.

    Raises:
        InputError: if the folder cannot be written to.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise refused(error, error.filename or folder.parent) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
