"""The errors of coldaisle; each knows its exit code and builds its own sentence."""

from pathlib import Path


class ColdaisleError(Exception):
    """Anything coldaisle reports as one sentence instead of a traceback.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 1


class InputError(ColdaisleError):
    """Something the user gave cannot be used (exit 2).

    Args:
        place: the file, option or address that is wrong.
        value: what was found there, shown as it was written; ``None`` when nothing was found.
        remedy: what would be right, as the second half of a sentence.
    """

    exit_code = 2

    def __init__(self, place: str | Path, remedy: str, value: object = None) -> None:
        found = "" if value is None else f" is {value!r}"
        super().__init__(f"{place}{found}: {remedy}")


class TrustError(ColdaisleError):
    """The run finished but is not trustworthy (exit 3).

    Args:
        broken: one sentence for each thing that does not hold.
    """

    exit_code = 3

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        super().__init__("the run is not trustworthy: " + "; ".join(broken))


class FederateError(ColdaisleError):
    """A federate died or hung, and the run ended (exit 3).

    Args:
        name: the federate.
        what: what happened to it.
        last_words: the last lines it wrote.
    """

    exit_code = 3

    def __init__(self, name: str, what: str, last_words: str = "") -> None:
        self.name = name
        said = f"; its last words: {last_words.strip()}" if last_words.strip() else "; it said nothing"
        super().__init__(f"{name} {what}{said}")
