"""The end of a program by Ctrl-C, by a closed terminal or by a service manager."""

import os
import signal
import subprocess
import sys

import pytest

from coldaisle_testbed.interrupts import Interrupted, heard

PROGRAM = """
import os, signal, sys
from coldaisle_testbed import __main__ as entry
def command():
    try:
        os.kill(os.getpid(), int(sys.argv[1]))
        signal.pause()
    except BaseException as error:
        os.kill(os.getpid(), int(sys.argv[1]))
        error.add_note("2 of 3 shards lie in x")
        raise
entry._command = command
entry.main()
"""


@pytest.mark.parametrize(
    ("number", "ignored"),
    [
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, True),
        (signal.SIGTERM, True),
    ],
)
def test_every_way_of_ending_is_one_sentence(number: signal.Signals, ignored: bool) -> None:
    """The exit code is 128 plus the signal's number, one line names what was kept, and a second signal does not stop the clean-up.

    A signal that was ignored at the start, as Ctrl-C is for a background job, still ends the program.
    """

    def begin() -> None:
        signal.signal(
            number, signal.SIG_IGN if ignored else signal.SIG_DFL
        )  # independent of how the tests were started

    command = [sys.executable, "-c", PROGRAM, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=begin)
    assert done.returncode == 128 + number
    assert done.stderr == (
        f"coldaisle: interrupted by {number.name}; nothing was left running; 2 of 3 shards lie in x\n"
    )


def test_nohup_is_respected_and_everything_is_as_before() -> None:
    """An ignored hang-up signal stays ignored, and after the block the previous handlers are restored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heard():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        old = signal.getsignal(signal.SIGTERM)
        with pytest.raises(Interrupted), heard():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is old
    finally:
        signal.signal(signal.SIGHUP, before)
