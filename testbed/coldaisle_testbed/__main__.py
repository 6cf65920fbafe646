"""Entry point: the command line, and the one-shot programs containers start by name."""

import os
import sys

from coldaisle_contracts.errors import ColdaisleError, InputError, notes
from coldaisle_testbed.interrupts import Interrupted, heard

_CONTAINER_PROGRAMS = ("plan", "timekeeper", "finish")
_NO_SPACE = 28


def main() -> None:
    """Run a command; every known failure is one sentence and an exit code."""
    try:
        with heard():
            _command()
    except ColdaisleError as error:
        _end(error)
    except OSError as error:
        if error.errno != _NO_SPACE:
            raise
        known = InputError(error.filename or "disk", "is full: free some space and try again")
        known.__notes__ = notes(error)
        _end(known)
    except Interrupted as ending:
        sys.stderr.write(f"coldaisle: {'; '.join([str(ending), *notes(ending)])}\n")
        sys.exit(ending.exit_code)


def _command() -> None:
    if sys.argv[1:2] and sys.argv[1] in _CONTAINER_PROGRAMS:
        from coldaisle_testbed import containers  # noqa: PLC0415 - before typer is needed

        getattr(containers, sys.argv[1])(os.environ)
    else:
        from coldaisle_testbed.cli import app, spread  # noqa: PLC0415

        app(spread(sys.argv[1:]), prog_name="coldaisle")


def _end(error: ColdaisleError) -> None:
    for line in (str(error), *notes(error)):
        sys.stderr.write(f"coldaisle: {line}\n")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
