"""Ends by signal: Ctrl-C, a closed terminal and SIGTERM all lead to an orderly end and one sentence."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The command was ended by a signal (exit 128 plus its number); no ``Exception``, so that no handler takes it for a failure.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(f"interrupted by {signal.Signals(number).name}; nothing was left running")


@contextmanager
def heard() -> Iterator[None]:
    """Raise :class:`Interrupted` at the first signal within the block; later signals are ignored, so that the clean-up completes.

    After the block all are ignored to the end of the process: the work is done, and a late signal must not change its exit code.
    Ctrl-C is handled even where a shell has set it to be ignored, as for background jobs, because the daemons of a run do not ignore it.
    A closed terminal is ignored where it was ignored before, as ``nohup`` requires.
    """

    def end(number: int, _: FrameType | None) -> None:
        _ignore()
        raise Interrupted(number)

    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        _ignore()


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back until the block ends, for a fork in it.

    Python calls hooks around a fork, such as the one that takes the lock of ``logging``, and goes on when one of them raises. So a
    signal in such a moment would be lost, and the lock never given back. The child has to call :func:`hear_again`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hear_again() -> None:
    """Let signals reach this process, which was forked while they were held back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _ignore() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
