"""Entry point: the command line, and the one-shot programs containers start by name."""

import os
import sys

from coldaisle_contracts.errors import ColdaisleError, InputError

_CONTAINER_PROGRAMS = ("plan", "timekeeper", "finish")
_NO_SPACE = 28


def main() -> None:
    """Run a command; every known failure is one sentence and an exit code."""
    try:
        if sys.argv[1:2] and sys.argv[1] in _CONTAINER_PROGRAMS:
            from coldaisle_testbed import containers  # noqa: PLC0415 - before typer is needed

            getattr(containers, sys.argv[1])(os.environ)
        else:
            from coldaisle_testbed.cli import app, spread  # noqa: PLC0415

            app(spread(sys.argv[1:]), prog_name="coldaisle")
    except ColdaisleError as error:
        _end(error)
    except OSError as error:
        if error.errno != _NO_SPACE:
            raise
        _end(InputError(error.filename or "disk", "is full: free some space and try again"))
    except KeyboardInterrupt:
        sys.stderr.write("coldaisle: stopped; nothing was left running\n")
        sys.exit(130)


def _end(error: ColdaisleError) -> None:
    sys.stderr.write(f"coldaisle: {error}\n")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
