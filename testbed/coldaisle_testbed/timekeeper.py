"""The timekeeper: grants time advances when every federate waits and the network is still."""

import json
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coldaisle_contracts.clock import END, OFFSET, SECOND, SOCKET, SharedOffset, offset_text
from coldaisle_contracts.errors import BUSY, FederateError
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import OffsetLine
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_testbed.rest import REST_NS, UNKNOWN, Network, Rest

VERDICT = "verdict.json"
"""File that a timekeeper in a container writes at its end: the federate that failed and how, or nothing."""
LOOKAHEAD_NS = 10_000_000
"""Lookahead, in ns: federates whose times differ by less may act at once; later ones wait until they have finished."""
PATIENCE_S = 22.0
"""A federate that does not request a time advance within this time has hung, in s."""
CHECK_S = 0.2
"""Interval between two checks of all programs, in s."""
STARTUP_S = 60.0
"""Time in which all federates have to join, in s."""
FEW = 6
"""Federates for which these times suffice on a busy machine: four units, the injector and the capture."""
PATIENCE_EACH_S, STARTUP_EACH_S = 0.5, 5.0
"""What each further federate adds to them, in s. On two busy processors, 64 containers started within 130 s and kept others waiting for 22 s as they ended."""
CAPTURE = "capture"
"""The federate that learns of the end when all others have left: on a busy machine the attacker still relays frames until then."""
HEADROOM_NS = 600 * SECOND
"""Time by which virtual time starts before the first midnight, in ns, because the start takes real time."""


@dataclass
class _Seat:
    """Connection of one federate."""

    connection: socket.socket
    name: str = "a federate"
    asks: int | None = None
    heard: float = field(default_factory=time.monotonic)
    buffer: bytes = b""


class Timekeeper:
    """The timekeeper of one shard: keeps the offset of virtual time and serves the federates.

    Args:
        folder: folder of the socket and the offset file; only the shard's programs may enter it.
        names: names of the expected federates.
        start_ns: virtual time at which the shard begins, ns since the epoch.
        timeline: journal of every offset.
        virtual: whether idle time is skipped.
        network: what is known of the network.
        supervise: called about every 0.2 s; raises when another part of the shard has failed.
    """

    def __init__(
        self,
        folder: Path,
        names: set[str],
        start_ns: int,
        timeline: Journal,
        *,
        virtual: bool = True,
        network: Network = UNKNOWN,
        supervise: Callable[[], None] = lambda: None,
    ) -> None:
        self._missing, self._timeline = set(names), timeline
        self._more = max(0, len(names) - FEW)
        self._virtual, self._rest, self._supervise = virtual, Rest(network), supervise
        self._seats: dict[socket.socket, _Seat] = {}
        self._born = self._checked = time.monotonic()
        self._offset_file, self._fresh = str(folder / OFFSET), str(folder / f"{OFFSET}.new")
        self._shared = SharedOffset(folder, makes=True)
        self._set_offset(start_ns - (HEADROOM_NS if virtual else 0) - time.time_ns())
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = folder / SOCKET
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        path.chmod(0o600)  # a process that can connect can end the run, or pose as a unit
        self._listener.listen(64)
        self._acting = 0

    def serve(self) -> None:
        """Serve until every federate has left.

        Raises:
            FederateError: if one dies, hangs or never comes.
        """
        try:
            while self._missing or self._seats:
                wait_s = CHECK_S if self._missing or self._acting else self._grant()
                for sock in select.select([self._listener, *self._seats], [], [], wait_s)[0]:
                    self._hear(sock)
                self._check()
        finally:
            for seat in self._seats.values():
                seat.connection.close()
            self._listener.close()

    def _hear(self, sock: socket.socket) -> None:
        if sock is self._listener:
            connection, _ = self._listener.accept()
            self._seats[connection] = _Seat(connection)
            self._acting += 1
            return
        seat = self._seats[sock]
        try:
            data = sock.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            raise FederateError(seat.name, "died")
        *lines, seat.buffer = (seat.buffer + data).split(b"\n")
        for line in lines:
            self._obey(seat, json.loads(line))

    def _obey(self, seat: _Seat, message: dict[str, object]) -> None:
        if "stir" in message:
            self._rest.stir()
            return
        self._rest.ask()
        seat.heard = time.monotonic()
        match message:
            case {"advance": int(to_ns)}:
                self._note(seat, to_ns)
            case {"withdraw": _}:
                self._note(seat, None)
            case {"join": str(name)}:
                seat.name = name
                self._missing.discard(name)
            case {"leave": _}:
                self._note(seat, END)
                seat.connection.close()
                del self._seats[seat.connection]

    def _note(self, seat: _Seat, asks: int | None) -> None:
        """Note what a federate asks for, nothing while it acts; and how many act."""
        self._acting += (asks is None) - (seat.asks is None)
        seat.asks = asks

    def _grant(self) -> float:
        """Grant the time advances that are due, and return the time until the next can be due, in s."""
        earliest = min((seat.asks for seat in self._seats.values() if seat.asks is not None), default=END)
        now = time.time_ns() + self._offset
        ahead = earliest - now
        if ahead > 0:
            wait_s = ahead / SECOND
            if self._virtual or earliest == END:
                wait_s = min(wait_s, self._rest.wait_s(may_be_short=ahead > REST_NS and earliest < END))
            if wait_s > 0:
                return min(wait_s, CHECK_S)
            if earliest < END:
                self._set_offset(self._offset + ahead)
                now = earliest
        for seat in self._seats.values():
            is_over = earliest == END and (seat.name != CAPTURE or len(self._seats) == 1)
            if seat.asks is not None and (seat.asks <= min(now, earliest + LOOKAHEAD_NS) or is_over):
                self._note(seat, None)
                seat.heard = time.monotonic()
                with suppress(ConnectionError):
                    seat.connection.sendall(b'{"grant": %d}\n' % now)
        return CHECK_S

    def _set_offset(self, offset_ns: int) -> None:
        wall_ns = time.time_ns()
        with open(self._fresh, "wb", buffering=0) as file:  # noqa: PTH123 - at every jump
            file.write(offset_text(offset_ns).encode())
        os.replace(self._fresh, self._offset_file)  # noqa: PTH105 - at every jump
        self._shared.write(offset_ns)
        self._offset = offset_ns
        self._timeline.write(OffsetLine(wall_ns, offset_ns))
        self._timeline.flush()

    def _check(self) -> None:
        now = time.monotonic()
        if now - self._checked < CHECK_S:
            return
        self._checked = now
        self._supervise()
        startup_s, patience_s = (
            STARTUP_S + STARTUP_EACH_S * self._more,
            PATIENCE_S + PATIENCE_EACH_S * self._more,
        )
        if self._missing and now - self._born > startup_s:
            raise FederateError(
                ", ".join(sorted(self._missing)), f"did not start within {startup_s:g} s", remedy=BUSY
            )
        for seat in self._seats.values():
            if not self._missing and seat.asks is None and now - seat.heard > patience_s:
                raise FederateError(seat.name, f"gave no sign of life for {patience_s:g} s", remedy=BUSY)


def keeper_of(
    plan: Plan,
    shard: Shard,
    folder: Path,
    run: Path,
    supervise: Callable[[], None],
    network: Network = UNKNOWN,
) -> Timekeeper:
    """Return the timekeeper of a shard of a plan, which writes its timeline into the journals of a run.

    Args:
        plan: the plan.
        shard: the days to play.
        folder: see :class:`Timekeeper`.
        run: folder with the journals.
        supervise: see :class:`Timekeeper`.
        network: see :class:`Timekeeper`.
    """
    return Timekeeper(
        folder,
        shard_names(plan.devices),
        plan.day_ns(shard.days[0]) + SECOND,
        Journal(run / "journal" / "timeline.jsonl", str(shard)),
        virtual=plan.scenario.time == "virtual",
        network=network,
        supervise=supervise,
    )


def shard_names(devices: tuple[str, ...]) -> set[str]:
    """Return the federates of a shard: its units, companions and workstations, the injector and the capture."""
    return {*devices, "injector", CAPTURE}


def faketime_env(folder: Path, library: str) -> dict[str, str]:
    """Return the environment that puts a program into virtual time.

    Args:
        folder: the timekeeper's folder.
        library: path of ``libfaketime.so.1``.
    """
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(folder / OFFSET),
        "FAKETIME_NO_CACHE": "1",
    }
