"""Signals: one that comes within the work ends it with a sentence, one that comes after it changes nothing."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, weakref
from coldaisle_testbed.interrupts import Interrupted, heard

def strike(number):
    os.kill(os.getpid(), number)

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup would have it ignored

class Late:
    pass

late = Late()
weakref.finalize(late, strike, {number}).atexit = {late}
try:
    with heard():
        if {within}:
            strike({number})
except Interrupted as ending:
    print(ending)
    strike({number})
    raise SystemExit(ending.exit_code)
strike({number})
print("the last line")
"""


def _played(number: int, *, within: bool, late: bool) -> tuple[int, str]:
    program = PROGRAM.format(number=int(number), within=within, late=late)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("late", [False, True])
def test_a_signal_after_the_work_changes_nothing(number: int, late: bool) -> None:
    """Neither a signal before the last line nor one while Python ends kills a command that has done its work."""
    assert _played(number, within=False, late=late) == (0, "the last line\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_within_the_work_ends_it_with_one_sentence(number: int) -> None:
    """The exit code is 128 plus the signal's number, also if the signal is sent again."""
    name = signal.Signals(number).name
    sentence = f"interrupted by {name}; nothing was left running\n"
    assert _played(number, within=True, late=False) == (128 + number, sentence)


FORK = """
import os, signal, sys
from coldaisle_testbed.interrupts import Interrupted, hear_again, heard, held_back

os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGTERM))
try:
    with heard():
        with held_back():
            child = os.fork()
            if not child:
                hear_again()
                os._exit(bool(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
        print("not reached")
except Interrupted as ending:
    print(ending, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_signal_in_the_middle_of_a_fork_is_not_lost() -> None:
    """A hook around a fork swallows what a handler raises, so the signal comes after the fork; the child hears signals again."""
    ended = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=False)
    assert ended.stdout == "interrupted by SIGTERM; nothing was left running 0\n"
