"""Unforeseen errors: one sentence with the place and the file in use, and a log with the traceback."""

import errno
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from coldaisle_contracts import unforeseen
from coldaisle_contracts.errors import InputError, UnforeseenError
from coldaisle_contracts.plan import Plan


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for the logs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def caught(do: Callable[[], object]) -> Exception:
    """Return the exception that a call raises."""
    try:
        do()
    except Exception as error:  # noqa: BLE001 - any of them
        return error
    raise AssertionError("nothing was raised")


def test_it_says_what_where_and_on_which_file(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence has the exception's type, our function, file and line, the path in use, and the log with the traceback."""

    def broken(*_: object) -> str:
        raise KeyError("odd\nkey")

    monkeypatch.setattr("coldaisle_contracts.plan.read_text", broken)
    converted = unforeseen.as_known(caught(lambda: Plan.load(logs / "plan.json")))
    assert converted.exit_code == 70
    match = re.fullmatch(
        r"KeyError \('odd\\nkey'\) in Plan\.load \(plan\.py, line \d+\), working on (\S+): nobody foresaw this error, "
        r"so please report it with this sentence and the file (\S+), which holds the traceback",
        str(converted),
    )
    assert match is not None
    assert match[1] == str(logs / "plan.json")
    assert "Traceback (most recent call last)" in Path(match[2]).read_text()
    assert Path(match[2]).parent == logs


def test_a_log_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence is printed even if no log can be written."""
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/none")
    converted = unforeseen.as_known(caught(lambda: 1 // 0))
    assert isinstance(converted, UnforeseenError)
    assert str(converted).endswith("report it with this sentence and the command")


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (MemoryError(), "memory: it ran out"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory: it ran out"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/proc/a.pcap"),
            "/proc/a.pcap: it cannot be written, because the disk at /proc is full: free some space there",
        ),
        (
            OSError(errno.EFBIG, "File too large", "/a"),
            "/a: it cannot be written, because no file here may be",
        ),
        (PermissionError(errno.EACCES, "Permission denied", b"a.pcap"), "a.pcap: you may not use it"),
        (
            OSError(errno.EIO, "Input/output error", "a.pcap"),
            "a.pcap: it cannot be used (Input/output error)",
        ),
        (InputError("a", "b"), "a: b"),
    ],
)
def test_what_the_machine_refuses_is_bad_input(error: Exception, output: str) -> None:
    """A lack of memory, disk space or permission is a sentence with the file, has exit code 2, and writes no log."""
    converted = unforeseen.as_known(error)
    assert str(converted).startswith(output)
    assert converted.exit_code == 2


def test_a_file_that_the_system_does_not_name(logs: Path) -> None:
    """The error of a full disk has no file name, so the sentence takes the path that our function used."""

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coldaisle_contracts.plan.read_text", full)
        converted = unforeseen.as_known(caught(lambda: Plan.load(logs / "plan.json")))
    assert str(converted).startswith(f"{logs / 'plan.json'}: it cannot be written, because the disk at /")


def test_threads_and_clean_up_say_a_sentence_too(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An exception in a thread or during clean-up prints a sentence, not a traceback."""
    before = threading.excepthook, sys.unraisablehook
    try:
        unforeseen.run(lambda: None)
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    finally:
        threading.excepthook, sys.unraisablehook = before
    output = capsys.readouterr().err
    assert output.startswith("coldaisle: ZeroDivisionError")
    assert "Traceback" not in output
    assert len(list(logs.glob("coldaisle-error-*.log"))) == 1


PROGRAM = """
import sys
from coldaisle_contracts import unforeseen
unforeseen.run(lambda: {})
"""


@pytest.mark.parametrize(
    ("body", "code", "output"),
    [
        ("print('x' * 100_000)", 141, ""),
        ("1 // 0", 70, "coldaisle: ZeroDivisionError"),
        ("sys.exit(5)", 5, ""),
    ],
)
def test_a_program_whose_reader_has_gone(tmp_path: Path, body: str, code: int, output: str) -> None:
    """A program that writes into a closed pipe ends silently with the shell's exit code; other exit codes do not change."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body)], stdout=write, stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    os.close(write)
    assert done.returncode == code
    assert done.stderr.startswith(output)
    assert done.stderr.count("\n") == bool(output)


def test_output_on_a_full_disk(tmp_path: Path) -> None:
    """If the disk fills during the last output, the program prints a sentence and ends with exit code 2."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format("print('x')")], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 2
    output = "coldaisle: a file or device: it cannot be written, because its disk is full: free some space there and try again\n"
    assert done.stderr == output
