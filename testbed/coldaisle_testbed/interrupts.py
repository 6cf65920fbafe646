"""Ctrl-C, a closed terminal and being told to end are the same thing: everything is put in order, and one sentence says so."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody ended the command (exit 128 and the signal's number); no ``Exception``, so that nothing takes it for a failure.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(f"interrupted by {signal.Signals(number).name}; nothing was left running")


@contextmanager
def heard() -> Iterator[None]:
    """Raise :class:`Interrupted` at the first of the signals within the block; more of them do not disturb the tidying up.

    Ctrl-C is heard where a shell had it ignored, as it does for jobs in the background: the daemons of a run do not ignore it. A
    closed terminal is not heard then, for so ``nohup`` asks.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    minded = [
        number for number in _SIGNALS if number != signal.SIGHUP or before[number] is not signal.SIG_IGN
    ]

    def end(number: int, _: FrameType | None) -> None:
        for signal_number in _SIGNALS:
            signal.signal(signal_number, signal.SIG_IGN)
        raise Interrupted(number)

    for number in minded:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in minded:
            signal.signal(number, before[number] or signal.SIG_DFL)
