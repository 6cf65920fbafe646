"""Virtual time: the clock, and the protocol for requesting a time advance.

``virtual = wall + offset``. The offset stands in a small file that libfaketime and :func:`read_offset`
read; only the timekeeper replaces it. A federate requests a time advance and blocks until it is granted
(IEEE 1516, HLA time management). Messages are JSON objects, one per line, over a Unix socket.
"""

import json
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coldaisle_contracts.errors import FederateError

SECOND = 1_000_000_000
"""Nanoseconds in a second."""
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
"""The same of an hour and of a day."""
DAY_S, WEEK_S = 86_400.0, 604_800.0
"""Seconds in a day and in a week."""

SOCKET = "timekeeper.sock"
OFFSET = "offset"
END = 2**62
"""The last virtual time: an advance to it is granted when the run is over."""


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        ValueError: if there is no such zone, or the text cannot be the name of one: zoneinfo would import packages by the parts of a name
            with dots.
    """
    if not re.fullmatch(r"[A-Za-z0-9_+/-]{1,60}", name):
        raise ValueError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error


def offset_text(offset_ns: int) -> str:
    """Return an offset as libfaketime reads it: ``+SECONDS.FRACTIONs``."""
    sign, size = ("-", -offset_ns) if offset_ns < 0 else ("+", offset_ns)
    return f"{sign}{size // SECOND}.{size % SECOND:09d}s"


def read_offset(path: Path) -> int:
    """Return the offset in force, in ns, from a file with the text of :func:`offset_text`."""
    file = os.open(path, os.O_RDONLY)  # read for every relayed frame: pathlib takes five times as long
    try:
        text = os.read(file, 64).decode("ascii").strip().rstrip("s")
    finally:
        os.close(file)
    whole, _, fraction = text[1:].partition(".")
    size = int(whole) * SECOND + int(fraction.ljust(9, "0")[:9] or "0")
    return -size if text[0] == "-" else size


class Clock(Protocol):
    """The clock of a program."""

    def now_ns(self) -> int:
        """Return the virtual time, in ns since the epoch."""

    def advance(self, to_ns: int) -> None:
        """Block until virtual time reaches ``to_ns``."""


class ManualClock:
    """A clock for tests that stands still until it is advanced."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now = now_ns

    def now_ns(self) -> int:
        """Return the time of the last advance."""
        return self._now

    def advance(self, to_ns: int) -> None:
        """Move to the time at once."""
        self._now = max(self._now, to_ns)


class Federate:
    """A program's membership of the federation: the client of the timekeeper.

    The process runs under libfaketime, so ``time.time_ns()`` is virtual.

    Args:
        folder: folder of the timekeeper's socket and the offset file.
        name: the federate's name in the plan.

    Raises:
        FederateError: if there is no timekeeper.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._offset = folder / OFFSET
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.connect(str(folder / SOCKET))
        except (ConnectionError, FileNotFoundError) as error:
            raise FederateError("timekeeper", "ended the run") from error
        self._buffer = b""
        self._send(join=name)

    def now_ns(self) -> int:
        """Return the virtual time, in ns since the epoch."""
        return time.time_ns()

    def wall_ns(self) -> int:
        """Return the wall time, in ns since the epoch: the kernel's own time, which it stamps frames with."""
        return self.now_ns() - read_offset(self._offset)

    def request(self, to_ns: int) -> None:
        """Request a time advance without waiting; a later request replaces an earlier one."""
        self._send(advance=to_ns)

    def granted(self) -> int:
        """Block for the timekeeper's answer and return the virtual time that it grants, in ns.

        Raises:
            FederateError: if the timekeeper ended the run.
        """
        while b"\n" not in self._buffer:
            data = b""
            with suppress(ConnectionError):
                data = self.socket.recv(4096)
            if not data:
                raise FederateError("timekeeper", "ended the run")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return int(json.loads(line)["grant"])

    def withdraw(self) -> None:
        """Withdraw a request because there is work left. A grant that is already on its way still comes."""
        self._send(withdraw=self.name)

    def stir(self) -> None:
        """Report that frames just passed, so that the timekeeper does not advance time while they are under way."""
        self._send(stir=self.name)

    def advance(self, to_ns: int) -> None:
        """Block until virtual time reaches ``to_ns``."""
        self.request(to_ns)
        self.granted()

    def leave(self) -> None:
        """Leave the federation and close the connection."""
        self._send(leave=self.name)
        self.socket.close()

    def _send(self, **message: object) -> None:
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except ConnectionError as error:
            raise FederateError("timekeeper", "ended the run") from error
