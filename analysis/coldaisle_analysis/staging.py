"""Staging folders: results appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldaisle_contracts.unforeseen import refused


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
