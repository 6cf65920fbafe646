"""The shipped notebooks, and copies of them for an analyst, so that saving never changes a shipped file."""

import shutil
from pathlib import Path

from coldaisle_contracts.errors import InputError

SHIPPED = tuple(sorted(Path(__file__).parent.glob("*.ipynb")))
"""The notebooks as they are shipped."""


def copy_into(folder: Path) -> list[Path]:
    """Copy each shipped notebook into a folder unless a file of its name exists there; return the paths of the copies.

    Raises:
        InputError: if the folder cannot be written to.
    """
    missing = [notebook for notebook in SHIPPED if not (folder / notebook.name).exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [shutil.copyfile(notebook, folder / notebook.name) for notebook in missing]
    except OSError as error:
        raise InputError(
            folder, f"notebooks cannot be copied into it ({error.strerror}): name a folder of your own"
        ) from error
