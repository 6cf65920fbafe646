"""Copy the shipped notebooks into a folder: ``python -m coldaisle_analysis.notebooks FOLDER``."""

import sys
from pathlib import Path

from coldaisle_analysis.notebooks import copy_into
from coldaisle_contracts.errors import ColdaisleError

if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
    sys.exit("usage: python -m coldaisle_analysis.notebooks FOLDER")
try:
    copy_into(Path(sys.argv[1]))
except ColdaisleError as error:
    print(f"coldaisle: {error}", file=sys.stderr)  # noqa: T201 - the only output of the program
    sys.exit(error.exit_code)
