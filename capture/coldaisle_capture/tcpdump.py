"""A tcpdump process: its start, its supervision and its counts."""

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

from coldaisle_contracts.clock import DAY_S
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.lifeline import die_with_parent, is_stopped
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard

ROTATE_MB = 64
"""Size at which tcpdump begins the next file, in MB."""
SNAPSHOT = 1600
"""Greatest length of a captured frame, in bytes. Frames of the test network have at most 1,514, since offloads are off; a longer one is
cut, which :func:`~coldaisle_capture.retime.records` refuses."""
PLACE_KIB = 2
"""Size of a frame's place in the kernel's ring, in KiB: libpcap puts two places of this length into a page."""
BURST = 12_000
"""Frames that may wait while tcpdump does not run. In a day of the default week no 3 s held more than 3,174 on two busy cores, and budgets
bound floods; so even a machine four times as fast may stop tcpdump for 3 s."""
FEW = 1_000
"""Least number of places, because a flood may be played within a moment."""
PER_READING = 8
"""Greatest number of frames per reading: the message, the PUBACK, their ACKs, and a share of connections, NTP and ARP."""
FILTER = "arp or ip"
"""Capture filter: the test network carries ARP and IPv4 only."""
SETTLE_S = 0.2
"""Time for which tcpdump runs on after the last packet, in s."""
GLANCE_S, SAME = 0.02, 10
"""Time between two requests for tcpdump's counts, in s, and the number of equal counts in a row after which tcpdump has written all:
the kernel counts dropped frames as received, so the two counts may never be equal."""
END_S = 15.0
"""Longest time to wait for tcpdump's end or answer, in s."""
STOPPED_S = 20.0
"""Longest time for which tcpdump may be stopped, in s; the timekeeper waits 22 s for the capture."""
_REFUSED = {os.strerror(number): number for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
"""The message of tcpdump when the disk takes no more data, with its errno."""


class CaptureError(RunError):
    """tcpdump failed, or lost packets."""


@dataclass(frozen=True)
class Tally:
    """The counts that tcpdump reports at its end.

    Attributes:
        captured: packets written.
        dropped: packets the kernel or the interface dropped.
    """

    captured: int
    dropped: int


def places(plan: Plan, shard: Shard) -> int:
    """Return the number of frames that the ring has to hold: all of the shard, or a burst."""
    readings = plan.readings_on(shard.days)
    seconds = sum(len(plan.day_slots(day)) for day in shard.days) * plan.scenario.interval_s
    messages = round(seconds * sum(companion.per_second for companion in plan.companions.values()))
    heard = (readings + messages) * (1 + len(plan.companions))  # each companion may hear them all
    budget = sum(episode.packets for episode in plan.episodes_on(shard.days))
    background = plan.scenario.site.background
    others = background.frames(len(shard.days) * DAY_S) if background else 0
    return min(BURST, max(FEW, PER_READING * heard + budget + others))


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
            f"--interface={interface}",
            "-n",
            "--immediate-mode",
            "--packet-buffered",
            "--time-stamp-precision=nano",
            "--relinquish-privileges=root",
            f"--snapshot-length={SNAPSHOT}",
            f"--buffer-size={room * PLACE_KIB}",
            f"-C{ROTATE_MB}",
            f"-w{first}",
            FILTER,
        ]
        begin = partial(die_with_parent, os.getpid())
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=begin)  # noqa: S603, PLW1509 - our own arguments; this process has one thread
        self._moved = time.monotonic()
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        self._stderr, output = self._process.stderr, ""
        while "listening on" not in output:
            line = self._stderr.readline()
            output += line
            if not line:
                self._process.wait()
                raise CaptureError(f"tcpdump did not start: {output.strip()}")

    def check(self) -> None:
        """Check that tcpdump runs.

        Raises:
            CaptureError: if it ended, or stayed stopped.
            OSError: if it ended because the disk takes no more data.
        """
        if (code := self._process.poll()) is not None:
            raise self._failure(f"ended with exit code {code} before the run did", self._stderr.read())
        if not is_stopped(self._process.pid):
            self._moved = time.monotonic()
        elif time.monotonic() - self._moved > STOPPED_S:
            self._process.kill()
            raise CaptureError(f"tcpdump was stopped for {STOPPED_S:g} s: make the run again")

    def stop(self) -> Tally:
        """End the capture and return its tally.

        Raises:
            CaptureError: if tcpdump does not end, or does not report what it dropped.
            OSError: if the disk takes no more data.
        """
        time.sleep(SETTLE_S)
        output = self._catch_up()
        self._process.send_signal(signal.SIGINT)
        try:
            _, rest_of_output = self._process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired as error:
            self._process.kill()
            raise CaptureError(f"tcpdump did not end within {END_S:g} s: make the run again") from error
        output += rest_of_output
        captured = re.search(r"(\d+) packets? captured", output)
        drops = re.findall(r"(\d+) packets? dropped by", output)
        if captured is None or not drops:
            raise self._failure("did not report its drops", output)
        return Tally(int(captured[1]), sum(map(int, drops)))

    def _catch_up(self) -> str:
        """Wait until tcpdump has written every frame in the ring: at SIGINT it would leave them there without counting them.

        At SIGUSR1 it reports the packets that it has captured and that the kernel has received for it (tcpdump(1)).

        Returns:
            Its other output: the reason if it ended.

        Raises:
            CaptureError: if it does not answer.
        """
        before, same, other = -1, 0, ""
        while same < SAME:
            self._process.send_signal(signal.SIGUSR1)
            if not select.select([self._stderr], [], [], END_S)[0]:
                self._process.kill()
                raise CaptureError(f"tcpdump did not answer within {END_S:g} s: make the run again")
            counts = re.search(
                r"(\d+) packets? captured, (\d+) packets? received", line := self._stderr.readline()
            )
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

    def _failure(self, fault: str, output: str) -> Exception:
        """Return the error for a fault of tcpdump; where its output shows that the disk takes no more data, an error of the disk."""
        for words, number in _REFUSED.items():
            too_large = number == errno.EFBIG and self._process.poll() == -signal.SIGXFSZ
            if words in output or too_large:
                return OSError(number, words, str(self.first))
        return CaptureError(f"tcpdump {fault}: {' '.join(output.split())}")

    def files(self) -> list[Path]:
        """Return the files written, oldest first."""
        rotated = self.first.parent.glob(f"{self.first.name}[0-9]*")
        return [self.first, *sorted(rotated, key=lambda path: int(path.name.removeprefix(self.first.name)))]
