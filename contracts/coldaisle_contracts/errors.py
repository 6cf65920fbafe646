"""The errors of coldaisle; each knows its exit code and builds its own sentence."""

from pathlib import Path


class ColdaisleError(Exception):
    """Anything coldaisle reports as one sentence instead of a traceback.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 1

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle what was built, not what it was built from, so that errors cross processes."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[ColdaisleError], args: tuple[object, ...], state: dict[str, object]
) -> ColdaisleError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


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
        self.name, self.what = name, what
        said = f"; its last words: {last_words.strip()}" if last_words.strip() else "; it said nothing"
        super().__init__(f"{name} {what}{said}")


def notes(error: BaseException) -> list[str]:
    """Return what was added to an error on its way up, such as where something was kept; a sentence each."""
    return list(getattr(error, "__notes__", ()))
