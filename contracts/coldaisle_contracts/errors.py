"""The errors of coldaisle; each has its exit code and builds its own sentence."""

import reprlib
from pathlib import Path

LONGEST = 2_000
"""Greatest length of a sentence, in characters; the rest is left out."""
_PLACE, _VALUE, _BROKEN = 700, 100, 20
"""Greatest length of a place and of a value, in characters, and greatest number of findings in one sentence."""


def plain(text: str, most: int = LONGEST) -> str:
    """Return a text as one printable line: cut, and each character that cannot be printed (line breaks, surrogates) as its escape."""
    cut = text[:most] + ("…" if len(text) > most else "")
    if cut.isprintable():
        return cut
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut
    )


class _Short(reprlib.Repr):
    """Shows a value as Python writes it, cut to the length of a sentence whatever its depth and size."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple, self.maxother = 3, 8, 8, 8, _VALUE

    def repr_str(self, value: str | bytes, level: int) -> str:  # noqa: ARG002 - the name and form that reprlib calls
        return repr(value[:_VALUE]) + ("…" if len(value) > _VALUE else "")

    def repr_int(self, value: int, level: int) -> str:  # noqa: ARG002 - the name and form that reprlib calls
        if value.bit_length() > 4 * _VALUE:  # Python refuses to write more than 4,300 digits
            return f"a number of about {value.bit_length() * 3 // 10:,} digits"
        return repr(value)

    repr_bytes = repr_str

    def repr_instance(self, value: object, level: int) -> str:  # noqa: ARG002 - the name and form that reprlib calls
        return plain(repr(value), _VALUE)


def shown(value: object) -> str:
    """Return a value as Python writes it, cut to the length of a sentence."""
    return plain(_Short().repr(value), 3 * _VALUE)


class ColdaisleError(Exception):
    """An error that coldaisle reports as one sentence instead of a traceback.

    Attributes:
        exit_code: exit code of the command line.
    """

    exit_code = 1

    def __init__(self, sentence: str = "") -> None:
        super().__init__(plain(sentence))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the finished error, not its arguments, so that errors cross processes."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class InputError(ColdaisleError):
    """An input of the user cannot be used (exit 2).

    Args:
        place: the file, option or address that is wrong.
        remedy: what would be right, as the second half of a sentence.
        value: the value found there; ``None`` where there is none.
    """

    exit_code = 2

    def __init__(self, place: str | Path, remedy: str, value: object = None) -> None:
        is_value = "" if value is None else f" is {shown(value)}"
        super().__init__(f"{plain(str(place), _PLACE)}{is_value}: {remedy}")


class RunError(ColdaisleError):
    """A run is void: it failed, or it is not trustworthy (exit 3)."""

    exit_code = 3


class TrustError(RunError):
    """The run finished but is not trustworthy.

    Args:
        broken: one sentence for each condition that does not hold.
    """

    def __init__(self, broken: list[str]) -> None:
        self.broken = broken
        listed = [plain(sentence, _PLACE) for sentence in broken[:_BROKEN]]
        more = [f"and {len(broken) - _BROKEN} more"] if len(broken) > _BROKEN else []
        super().__init__("the run is not trustworthy: " + "; ".join([*listed, *more]))


PLAY_AGAIN = "play the run again, and report this sentence if it happens twice"
BUSY = "this machine may be too busy: close other programs and play the run again"


class FederateError(RunError):
    """A federate died or hung, and the run ended.

    Args:
        name: the federate.
        what: what happened to it.
        last_words: the last lines that it wrote.
        remedy: what the user can do.
    """

    def __init__(self, name: str, what: str, last_words: str = "", remedy: str = PLAY_AGAIN) -> None:
        self.name, self.what, self.remedy = name, what, remedy
        words = f"its last words: {last_words.strip()}" if last_words.strip() else "it wrote nothing"
        super().__init__(f"{name} {what}, so the run was ended; {words}; {remedy}")


class UnforeseenError(ColdaisleError):
    """An error that nobody foresaw, so it is a fault of coldaisle (exit 70, ``EX_SOFTWARE`` of sysexits.h).

    Args:
        what: what happened, and where.
        log: file with the whole traceback; ``None`` when it could not be written.
    """

    exit_code = 70

    def __init__(self, what: str, log: Path | None) -> None:
        report = f"and the file {log}, which holds the traceback" if log else "and the command"
        fault = "nobody foresaw this error, so please report it with this sentence"
        super().__init__(f"{plain(what, _PLACE)}: {fault} {report}")


def notes(error: BaseException) -> list[str]:
    """Return the sentences that callers added to an error, such as where results are kept."""
    return list(getattr(error, "__notes__", ()))
