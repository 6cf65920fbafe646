"""tcpdump: its command line and its life."""

import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts.errors import ColdaisleError

ROTATE_MB = 64
"""A capture file is followed by another at this size, MB."""
BUFFER_KIB = 8192
"""Size of the kernel's capture buffer, KiB."""
FILTER = "arp or ip"
"""The test network is IPv4 alone, but the host's end of a container's cable still solicits IPv6 routers."""
SETTLE_S = 0.2
"""How long tcpdump is left running after the last packet, s."""


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


class Tcpdump:
    """A running tcpdump with nanosecond stamps that rotates by size.

    Args:
        interface: the interface to capture on.
        first: the first file; the next ones get a number appended.

    Raises:
        CaptureError: if tcpdump does not start listening.
    """

    def __init__(self, interface: str, first: Path) -> None:
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
            "-B",
            str(BUFFER_KIB),
            "-C",
            str(ROTATE_MB),
            "-w",
            str(first),
            FILTER,
        ]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own arguments
        assert self._process.stderr is not None  # noqa: S101 - a pipe was asked for
        said = ""
        while "listening on" not in said:
            line = self._process.stderr.readline()
            said += line
            if not line:
                self._process.wait()
                raise CaptureError(f"tcpdump did not start: {said.strip()}")

    def poll(self) -> int | None:
        """Return tcpdump's exit code, ``None`` while it runs."""
        return self._process.poll()

    def stop(self) -> Tally:
        """End the capture and return its tally.

        Raises:
            CaptureError: if tcpdump does not report what it dropped.
        """
        time.sleep(SETTLE_S)
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=20)
        captured = re.search(r"(\d+) packets? captured", said)
        drops = re.findall(r"(\d+) packets? dropped by", said)
        if captured is None or not drops:
            raise CaptureError(f"tcpdump did not report its drops: {said.strip()}")
        return Tally(int(captured[1]), sum(map(int, drops)))

    def files(self) -> list[Path]:
        """Return the files written, oldest first."""
        rotated = self.first.parent.glob(f"{self.first.name}[0-9]*")
        return [self.first, *sorted(rotated, key=lambda path: int(path.name.removeprefix(self.first.name)))]
