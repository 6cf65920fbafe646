"""Staging folders: results appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.unforeseen import refused


def refuse_used(folder: Path) -> None:
    """Refuse a folder for results that already holds something.

    Raises:
        InputError: if it is a file or a folder that is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(folder, "exists already: name a new folder, or remove it first")


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a new hidden folder that is removed at the end of the block.

    Finished results are renamed out of it before the block ends, so nothing of a failed block remains.

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
