"""tcpdump: its command line and its life."""

import errno
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.lifeline import die_with_parent, is_stopped
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.topics import SENSORS

ROTATE_MB = 64
"""A capture file is followed by another at this size, MB."""
SNAPSHOT = 1600
"""Bytes kept of a frame. The test network carries 1,514, for offloads are off; a longer one is cut, which :func:`records` refuses."""
PLACE_KIB = 2
"""What a frame takes in the kernel's ring: libpcap puts two places for frames of this length into a page, KiB."""
BURST = 12_000
"""Frames that may wait while tcpdump is kept from its work. In a week's day no 3 s held more than 3,174 on two busy cores, and
floods are bounded by their budgets; so a machine four times as fast may stop it for 3 s."""
FEW = 1_000
"""Places there are at least: floods may be played in no time at all."""
PER_READING = 8
"""Frames a reading takes at most: the message, its acknowledgement, theirs, and its share of connections, time and ARP."""
FILTER = "arp or ip"
"""The test network is IPv4 alone."""
SETTLE_S = 0.2
"""How long tcpdump is left running after the last packet, s."""
GLANCE_S, SAME = 0.02, 10
"""Time between two looks at how far tcpdump is, s; so many looks in a row that find the same are an end, dropped frames being received."""
END_S = 15.0
"""tcpdump has to end so soon after it is asked to, s."""
STOPPED_S = 20.0
"""tcpdump may stand still for so long, stopped by somebody, s: the timekeeper waits 22 s for the capture."""
_REFUSED = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
"""What tcpdump says when the disk takes no more, and the number of the error."""


class CaptureError(ColdaisleError):
    """tcpdump did not start or said nothing of what it dropped."""

    exit_code = 3


@dataclass(frozen=True)
class Tally:
    """What tcpdump says at its end.

    Attributes:
        captured: packets written.
        dropped: packets the kernel or the interface dropped.
    """

    captured: int
    dropped: int


def places(plan: Plan, shard: Shard) -> int:
    """Return how many frames have to find room in the ring: all that a shard can have, or a burst."""
    readings = sum(len(plan.day_slots(day)) for day in shard.days) * len(plan.scenario.units) * len(SENSORS)
    budget = sum(episode.packets for episode in plan.episodes_on(shard.days))
    return min(BURST, max(FEW, PER_READING * readings + budget))


class Tcpdump:
    """A running tcpdump with nanosecond stamps that rotates by size.

    Args:
        interface: the interface to capture on.
        first: the first file; the next ones get a number appended.
        room: frames that may wait in the kernel's ring, see :func:`places`.

    Raises:
        CaptureError: if tcpdump does not start listening.
    """

    def __init__(self, interface: str, first: Path, room: int = BURST) -> None:
        self.first = first
        command = [
            "tcpdump",
            "-i",
            interface,
            "-n",
            "--immediate-mode",
            "-U",
            "--time-stamp-precision=nano",
            "-Z",
            "root",
            "-s",
            str(SNAPSHOT),
            "-B",
            str(room * PLACE_KIB),
            "-C",
            str(ROTATE_MB),
            "-w",
            str(first),
            FILTER,
        ]
        begin = partial(die_with_parent, os.getpid())
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=begin)  # noqa: S603, PLW1509 - our own arguments; this process has one thread
        self._moved = time.monotonic()
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        said = ""
        while "listening on" not in said:
            line = self._process.stderr.readline()
            said += line
            if not line:
                self._process.wait()
                raise CaptureError(f"tcpdump did not start: {said.strip()}")

    def check(self) -> None:
        """See that tcpdump runs.

        Raises:
            CaptureError: if it ended, or was stopped and did not go on.
            OSError: if it ended because the disk takes no more.
        """
        if (code := self._process.poll()) is not None:
            assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
            raise self._failure(
                f"ended with exit code {code} before the run did", self._process.stderr.read()
            )
        if not is_stopped(self._process.pid):
            self._moved = time.monotonic()
        elif time.monotonic() - self._moved > STOPPED_S:
            self._process.kill()
            raise CaptureError(f"tcpdump was stopped for {STOPPED_S:g} s")

    def stop(self) -> Tally:
        """End the capture and return its tally.

        Raises:
            CaptureError: if tcpdump does not end, or does not report what it dropped.
            OSError: if the disk takes no more.
        """
        time.sleep(SETTLE_S)
        heard = self._catch_up()
        self._process.send_signal(signal.SIGINT)
        try:
            _, said = self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired as error:
            self._process.kill()
            raise CaptureError(f"tcpdump did not end within {END_S:g} s") from error
        said = heard + said
        captured = re.search(r"(\d+) packets? captured", said)
        drops = re.findall(r"(\d+) packets? dropped by", said)
        if captured is None or not drops:
            raise self._failure("did not report its drops", said)
        return Tally(int(captured[1]), sum(map(int, drops)))

    def _catch_up(self) -> str:
        """Wait until tcpdump has written every frame that waits in the ring: at SIGINT it leaves them there, and counts them nowhere.

        It says at SIGUSR1 what it has captured and what the kernel has received for it (tcpdump(1)).

        Returns:
            What else it said: why it ended, if it did.

        Raises:
            CaptureError: if it does not answer.
        """
        said, before, same, other = self._process.stderr, -1, 0, ""
        assert said is not None  # noqa: S101 - a pipe was asked for
        while same < SAME:
            self._process.send_signal(signal.SIGUSR1)
            if not select.select([said], [], [], END_S)[0]:
                self._process.kill()
                raise CaptureError(f"tcpdump did not answer within {END_S:g} s")
            counts = re.search(r"(\d+) packets? captured, (\d+) packets? received", line := said.readline())
            if not line:
                break  # it has ended
            if counts is None:
                other += line
                continue
            captured, received = int(counts[1]), int(counts[2])
            if captured >= received:
                break
            before, same = captured, same + 1 if captured == before else 0
            time.sleep(GLANCE_S)
        return other

    def _failure(self, what: str, said: str) -> Exception:
        """Return why tcpdump failed, given what it said: a disk that takes no more is the disk's fault."""
        for words, number in _REFUSED.items():
            too_large = number == errno.EFBIG and self._process.poll() == -signal.SIGXFSZ
            if words in said or too_large:
                return OSError(number, words, str(self.first))
        return CaptureError(f"tcpdump {what}: {' '.join(said.split())}")

    def files(self) -> list[Path]:
        """Return the files written, oldest first."""
        rotated = self.first.parent.glob(f"{self.first.name}[0-9]*")
        return [self.first, *sorted(rotated, key=lambda path: int(path.name.removeprefix(self.first.name)))]
