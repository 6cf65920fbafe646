"""The one place where an error nobody foresaw becomes a sentence; every program ends through it, none with a traceback."""

import errno
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType, TracebackType

from coldaisle_contracts.errors import ColdaisleError, InputError, UnforeseenError, notes, plain

LOG = ("coldaisle-error-", ".log")
"""How the name of a log file begins and ends; it lies in the system's temporary folder."""
_SIGPIPE = 128 + 13
"""What a shell says of a program that a broken pipe ended."""
_MEMORY = "ran out: close other programs, or give the command less to do at once"
FULL = {
    errno.ENOSPC: "cannot be written, because {disk} is full: free some space there and try again",
    errno.EDQUOT: "cannot be written, because your quota of {disk} is used up: free some space there and try again",
    errno.EFBIG: "cannot be written, because no file here may be that large: raise `ulimit -f` and try again",
}
"""What is wrong, and the remedy, where a disk takes no more, by the number of the system's error."""
_REMEDIES = {
    errno.ENOENT: "is not there: name one that is",
    errno.EACCES: "is not open to you: change its owner or permissions, or name another",
    errno.EPERM: "is not open to you: change its owner or permissions, or name another",
    errno.EEXIST: "is there already: name another",
    errno.EISDIR: "is a folder: name a file",
    errno.ENOTDIR: "is no folder: name one",
    errno.EROFS: "lies on a disk that is read-only: name another",
    errno.ENAMETOOLONG: "has too long a name: shorten it",
    errno.ELOOP: "is a link that leads in a circle: name the file itself",
    errno.EMFILE: "cannot be opened, because too many files are open: raise `ulimit -n`",
    errno.ENFILE: "cannot be opened, because too many files are open on this machine",
    errno.ENOEXEC: "is no program of this machine: install it again",
}
"""What is wrong with a file or folder, and the remedy, by the number of the system's error."""


def as_known(error: BaseException) -> ColdaisleError:
    """Return any error as one that knows its sentence and exit code.

    What the machine refuses (a file, room on the disk, memory) is bad input; what is left nobody foresaw, and its traceback goes into
    a log file that the sentence names.
    """
    known = _known(error)
    known.__notes__ = notes(error)
    return known


def _known(error: BaseException) -> ColdaisleError:
    if isinstance(error, ColdaisleError):
        return error
    if isinstance(error, MemoryError):
        return InputError("memory", _MEMORY)
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return refused(error, error.filename or _at_hand(error.__traceback__))
    return UnforeseenError(_what(error), _logged(error))


def refused(error: OSError, place: str | bytes | Path | None) -> InputError:
    """Return what the machine refused as a sentence on a file or folder; of a disk that takes no more it names the disk."""
    named, number = os.fsdecode(place or "a file or device"), error.errno or 0
    if number == errno.ENOMEM:
        return InputError("memory", _MEMORY)
    if number in FULL:
        disk = _disk_of(Path(named)) if place else "its disk"
        return InputError(named, FULL[number].format(disk=disk))
    otherwise = f"cannot be used ({error.strerror or type(error).__name__}): name another"
    return InputError(named, _REMEDIES.get(number, otherwise))


def _disk_of(file: Path) -> str:
    """Return in words where the disk that holds a file is mounted."""
    return f"the disk at {next((folder for folder in file.absolute().parents if folder.is_mount()), '/')}"


def run(main: Callable[[], None]) -> None:
    """Run a program; however it fails, its last words are one sentence, and its exit code says what kind of failure it was."""
    threading.excepthook = lambda failed: _mention(failed.exc_value)
    sys.unraisablehook = lambda failed: _mention(failed.exc_value)
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read our output has gone, as in `coldaisle runs | head`
        _write_no_more()
        sys.exit(_SIGPIPE)
    except Exception as error:  # noqa: BLE001 - the one place for every error
        known = as_known(error)
        for line in (str(known), *notes(known)):
            sys.stderr.write(f"coldaisle: {plain(line)}\n")
        _write_no_more()
        sys.exit(known.exit_code)


def _write_no_more() -> None:
    """Write what may be left for standard output nowhere, where it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mention(error: BaseException | None) -> None:
    if isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
        sys.stderr.write(f"coldaisle: {as_known(error)}\n")


def _what(error: BaseException) -> str:
    """Return what happened, in which function, and on which file."""
    said = plain(str(error), 200)
    name = type(error).__name__ + (f" ({said})" if said else "")
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
    """Return the file the innermost of our functions had at hand: the first path among what it was given, and of its callers."""
    frames = [frame for frame, _ in traceback.walk_tb(trace) if _is_ours(frame.f_code)]
    return next((path for frame in reversed(frames) for path in _paths(frame)), None)


def _paths(frame: FrameType) -> list[Path]:
    return [value for value in frame.f_locals.values() if isinstance(value, Path)]


def _logged(error: BaseException) -> Path | None:
    """Write the traceback and how it came about into a new file; ``None`` where that is refused."""
    lines = traceback.format_exception(error)
    told = f"{' '.join(map(plain, sys.argv))}\nPython {sys.version}\n\n{''.join(lines)}"
    with suppress(OSError):
        file, name = tempfile.mkstemp(prefix=LOG[0], suffix=LOG[1], text=True)
        with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(told)
        return Path(name)
    return None
