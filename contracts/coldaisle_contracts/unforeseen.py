"""The last handler of every program: it turns any error into one sentence, so that no program ends with a traceback."""

import errno
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, TracebackType

from coldaisle_contracts.errors import ColdaisleError, InputError, UnforeseenError, notes, plain

LOG = ("coldaisle-error-", ".log")
"""Begin and end of the name of a log file in the system's temporary folder."""
_SIGPIPE = 128 + 13
"""Exit code by which a shell reports a program that a broken pipe ended."""
_MEMORY = "it ran out: close other programs, or give the command less to do at once"
FULL = {
    errno.ENOSPC: "it cannot be written, because {disk} is full: free some space there and try again",
    errno.EDQUOT: "it cannot be written, because your quota of {disk} is used up: free some space there and try again",
    errno.EFBIG: "it cannot be written, because no file here may be that large: raise `ulimit -f` and try again",
}
"""Fault and remedy where a disk takes no more data, by errno."""
_PERMISSION = "you may not use it: change its owner or permissions, or name another"
_REMEDIES = {
    errno.ENOENT: "it does not exist: name one that does",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EEXIST: "it exists already: name another",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOTDIR: "it is not a folder: name one",
    errno.EROFS: "it lies on a read-only disk: name another place",
    errno.ENAMETOOLONG: "its name is too long: shorten it",
    errno.ELOOP: "it is a link that leads back to itself: name the file",
    errno.EMFILE: "it cannot be opened, because too many files are open: raise `ulimit -n`",
    errno.ENFILE: "it cannot be opened, because this machine has too many open files: close other programs",
    errno.ENOEXEC: "it is not a program for this machine: install it again",
}
"""Fault of a file or folder and its remedy, by errno."""


def as_known(error: BaseException) -> ColdaisleError:
    """Return any error as one that has a sentence and an exit code.

    A refusal by the machine (a file, space on the disk, memory) is bad input. The traceback of any other error, which nobody foresaw,
    goes into a log file that the sentence names.
    """
    converted = _converted(error)
    converted.__notes__ = notes(error)
    return converted


def _converted(error: BaseException) -> ColdaisleError:
    if isinstance(error, ColdaisleError):
        return error
    if isinstance(error, MemoryError):
        return InputError("memory", _MEMORY)
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return refused(error, error.filename or _at_hand(error.__traceback__))
    return UnforeseenError(_what(error), _logged(error))


def refused(error: OSError, place: str | bytes | Path | None) -> InputError:
    """Return an error of the system as a sentence on a file or folder, or on the disk where that takes no more data."""
    named, number = os.fsdecode(place or "a file or device"), error.errno or 0
    if number == errno.ENOMEM:
        return InputError("memory", _MEMORY)
    if number in FULL:
        disk = _disk_of(Path(named)) if place else "its disk"
        return InputError(named, FULL[number].format(disk=disk))
    otherwise = f"it cannot be used ({error.strerror or type(error).__name__}): name another"
    return InputError(named, _REMEDIES.get(number, otherwise))


def _disk_of(file: Path) -> str:
    """Return a phrase that names the disk of a file by its mount point."""
    return f"the disk at {next((folder for folder in file.absolute().parents if folder.is_mount()), '/')}"


def run(main: Callable[[], None]) -> None:
    """Run a program; any failure ends with one sentence, and with an exit code for the kind of failure."""
    threading.excepthook = lambda failed: _mention(failed.exc_value)
    sys.unraisablehook = lambda failed: _mention(failed.exc_value)
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has ended, as in `coldaisle runs | head`
        _write_no_more()
        sys.exit(_SIGPIPE)
    except Exception as error:  # noqa: BLE001 - the one place for every error
        converted = as_known(error)
        for line in (str(converted), *notes(converted)):
            sys.stderr.write(f"coldaisle: {plain(line)}\n")
        _write_no_more()
        sys.exit(converted.exit_code)


def _write_no_more() -> None:
    """Flush standard output, and discard the rest where it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mention(error: BaseException | None) -> None:
    if isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
        sys.stderr.write(f"coldaisle: {as_known(error)}\n")


def _what(error: BaseException) -> str:
    """Return a description of an error with its function and file."""
    message = plain(str(error), 200)
    name = type(error).__name__ + (f" ({message})" if message else "")
    ours = [frame for frame in traceback.walk_tb(error.__traceback__) if _is_ours(frame[0].f_code)]
    if not ours:
        return name
    frame, line = ours[-1]
    place = f"{name} in {frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}, line {line})"
    file = _at_hand(error.__traceback__)
    return f"{place}, working on {file}" if file else place


def _is_ours(code: CodeType) -> bool:
    return any(part.startswith("coldaisle_") for part in Path(code.co_filename).parts)


def _at_hand(trace: TracebackType | None) -> Path | None:
    """Return the first path among the local variables of the innermost of our functions, or else of its callers."""
    frames = [frame for frame, _ in traceback.walk_tb(trace) if _is_ours(frame.f_code)]
    values = (value for frame in reversed(frames) for value in frame.f_locals.values())
    return next((value for value in values if isinstance(value, Path)), None)


def _logged(error: BaseException) -> Path | None:
    """Write the traceback and the command line into a new file; return ``None`` where that is refused."""
    lines = traceback.format_exception(error)
    report = f"{' '.join(map(plain, sys.argv))}\nPython {sys.version}\n\n{''.join(lines)}"
    with suppress(OSError):
        file, name = tempfile.mkstemp(prefix=LOG[0], suffix=LOG[1], text=True)
        with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(report)
        return Path(name)
    return None
