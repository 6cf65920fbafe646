"""Entry point of the command line, and of the programs that containers start by name."""

import io
import os
import sys

from coldaisle_contracts import unforeseen
from coldaisle_contracts.errors import notes
from coldaisle_testbed.interrupts import Interrupted, heard

_CONTAINER_PROGRAMS = ("conduct", "timekeeper", "switch", "notebook", "finish", "page", "watch")


def main() -> None:
    """Run a command; every failure is one sentence and an exit code, see :mod:`coldaisle_contracts.unforeseen`."""
    try:
        with heard():
            unforeseen.run(_command)
    except Interrupted as ending:
        sys.stderr.write(f"coldaisle: {'; '.join([str(ending), *notes(ending)])}\n")
        sys.exit(ending.exit_code)


def _command() -> None:
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # a terminal may lack a character, and a file name need not be valid text
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] and sys.argv[1] in _CONTAINER_PROGRAMS:
        from coldaisle_testbed import container_programs  # noqa: PLC0415 - before typer is needed

        getattr(container_programs, sys.argv[1])(os.environ)
    else:
        from coldaisle_testbed import cli  # noqa: PLC0415

        cli.run(sys.argv[1:])


if __name__ == "__main__":
    main()
