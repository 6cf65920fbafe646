"""The shipped notebooks, and copies of them for an analyst to work in: saving a copy changes nothing that is shipped."""

import shutil
from pathlib import Path

from coldaisle_contracts.errors import InputError

SHIPPED = tuple(sorted(Path(__file__).parent.glob("*.ipynb")))
"""The notebooks as they are shipped."""


def copy_into(folder: Path) -> list[Path]:
    """Copy each shipped notebook into a folder, made if need be, unless one of its name is there; return the copies.

    Raises:
        InputError: if the folder cannot be written to.
    """
    copies = [(notebook, folder / notebook.name) for notebook in SHIPPED]
    made = [(notebook, copy) for notebook, copy in copies if not copy.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook, copy in made:
            shutil.copyfile(notebook, copy)
    except OSError as error:
        raise InputError(
            folder, f"notebooks cannot be copied into it ({error.strerror}): name a folder of your own"
        ) from error
    return [copy for _, copy in made]
