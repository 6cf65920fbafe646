"""Output for scripts: one JSON object on standard output, for a result and for an error alike."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.unforeseen import as_known

STANDARD_OUTPUT = "-"
"""The file name that stands for standard output."""


def write(facts: Mapping[str, Any]) -> None:
    """Write one JSON object as one line, in ASCII, to standard output."""
    sys.stdout.write(json.dumps(facts) + "\n")


def is_wanted(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments of a command ask for JSON on standard output.

    Args:
        arguments: the words of the command line, as :func:`coldaisle_testbed.cli.spread` returns them.
    """
    if arguments[:1] == ["audit"]:  # its option names a file
        return ("--json", STANDARD_OUTPUT) in pairwise(arguments)
    return "--json" in arguments


@contextmanager
def errors() -> Iterator[None]:
    """Write an error of the body to standard output as a JSON object, and raise it again for its sentence and exit code."""
    try:
        yield
    except BrokenPipeError:  # nobody reads standard output any more
        raise
    except Exception as error:
        usage = getattr(error, "format_message", None)  # Typer refused the arguments
        failure = as_known(error) if usage is None else InputError("arguments", usage())
        facts = {"error": str(failure), "exit_code": failure.exit_code}
        write(facts | ({"problems": failure.broken} if isinstance(failure, TrustError) else {}))
        raise failure from error
