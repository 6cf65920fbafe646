"""Virtual time: the clock, and the protocol for requesting a time advance.

``virtual = wall + offset``. The offset stands in a small file that libfaketime and :func:`read_offset`
read, and as a number in memory that the federates share; only the timekeeper changes it. A federate requests a time advance and blocks until it is granted
(IEEE 1516, HLA time management). Messages are JSON objects, one per line, over a Unix socket.
"""

import ctypes
import json
import mmap
import os
import re
import socket
import sys
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
OFFSET, SHARED = "offset", "offset.bin"
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
    text = path.read_text(encoding="ascii").strip().rstrip("s")
    whole, _, fraction = text[1:].partition(".")
    size = int(whole) * SECOND + int(fraction.ljust(9, "0")[:9] or "0")
    return -size if text[0] == "-" else size


class SharedOffset:
    """The offset in force as eight bytes in memory that the programs of a shard share: a file of text takes ten times as long to read.

    Args:
        folder: the timekeeper's folder.
        makes: whether this is the timekeeper, which makes the file and alone writes to it.
    """

    def __init__(self, folder: Path, *, makes: bool = False) -> None:
        path = folder / SHARED
        if makes:
            path.write_bytes(bytes(8))
            path.chmod(0o600)
        file = os.open(path, os.O_RDWR if makes else os.O_RDONLY)
        try:
            self._bytes = mmap.mmap(file, 8, access=mmap.ACCESS_WRITE if makes else mmap.ACCESS_READ)
        finally:
            os.close(file)

    def write(self, offset_ns: int) -> None:
        """Change the offset, in ns."""
        self._bytes[:] = offset_ns.to_bytes(8, sys.byteorder, signed=True)

    def read(self) -> int:
        """Return the offset, in ns."""
        while (number := self._bytes[:]) != self._bytes[:]:
            pass  # it was being written
        return int.from_bytes(number, sys.byteorder, signed=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class WallClock:
    """The kernel's time, with which it stamps frames, also in a program under libfaketime.

    libfaketime takes the place of functions that a program looks up by name. Here the name is looked up in the C library alone, and a
    call costs a tenth, because libfaketime opens the file of the offset each time.
    """

    def __init__(self) -> None:
        self._ask = ctypes.CDLL("libc.so.6").clock_gettime
        self._instant = _Timespec()
        self._answer = ctypes.byref(self._instant)

    def now_ns(self) -> int:
        """Return the time, in ns since the epoch."""
        self._ask(time.CLOCK_REALTIME, self._answer)
        return int(self._instant.seconds) * SECOND + int(self._instant.nanoseconds)


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

    Args:
        folder: folder of the timekeeper's socket and the offset file.
        name: the federate's name in the plan.

    Raises:
        FederateError: if there is no timekeeper.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._wall = WallClock()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.connect(str(folder / SOCKET))
        except (ConnectionError, FileNotFoundError) as error:
            raise FederateError(
                "timekeeper", "closed the connection", remedy="its own sentence says why"
            ) from error
        self._offset = SharedOffset(folder)
        self._buffer = b""
        self._send(join=name)

    def now_ns(self) -> int:
        """Return the virtual time, in ns since the epoch."""
        return self._wall.now_ns() + self._offset.read()

    def wall_ns(self) -> int:
        """Return the wall time, in ns since the epoch: the kernel's own time, which it stamps frames with."""
        return self._wall.now_ns()

    def both_ns(self) -> tuple[int, int]:
        """Return virtual and wall time of one instant, in ns since the epoch."""
        wall_ns = self._wall.now_ns()
        return wall_ns + self._offset.read(), wall_ns

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
                raise FederateError("timekeeper", "closed the connection", remedy="its own sentence says why")
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
            raise FederateError(
                "timekeeper", "closed the connection", remedy="its own sentence says why"
            ) from error
