"""The four connections of a unit; each one that is opened or closed is journalled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coldaisle_contracts.clock import SECOND, Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.journal_lines import CERTIFICATE, FALLBACK, ConnectLine, DisconnectLine
from coldaisle_contracts.units import Unit
from coldaisle_sensors.link import RETRY_S, Link, drain, pump, settle


@dataclass(frozen=True)
class Firmware:
    """The settings of a unit's firmware for its connections.

    Attributes:
        keepalive_s: MQTT keepalive, in s.
        suffix: suffix of a sensor's client id on the wire.
    """

    keepalive_s: int
    suffix: str = ""


@dataclass(frozen=True)
class Cause:
    """The cause of opening or closing a connection.

    Attributes:
        reason: one word, such as ``start``, ``lost`` or the kind of an episode.
        episode: id of the unit's own episode that is the cause, empty for none.
    """

    reason: str
    episode: str = ""


_MOMENT_NS = 2 * SECOND
"""Longest time for which a unit waits for a command, in ns."""
START, LOST, END = Cause("start"), Cause("lost"), Cause("end")


class LinkMaker(Protocol):
    """Returns a sensor's connection without opening it."""

    def __call__(self, client: str, name: str, keepalive_s: int, on_open: Callable[[Link], None]) -> Link:
        """Return it; see :class:`Link` for the arguments."""


class Connections:
    """The connections of a unit on one day.

    Args:
        unit: the unit.
        clock: its clock.
        journal: its journal.
        make_link: returns the connection of a sensor.
        meanwhile: called while an answer is awaited, see :func:`settle`.
        make_commands: returns the connection for commands, which a unit that is governed has beside those of its sensors.

    Attributes:
        links: the connections in the order of the sensors, then the one for commands; none while the unit is off.
        because: cause for the next connection that is opened again.
    """

    def __init__(
        self,
        unit: Unit,
        clock: Clock,
        journal: Journal,
        make_link: LinkMaker,
        meanwhile: Callable[[], float],
        make_commands: LinkMaker | None = None,
    ) -> None:
        self._clock, self._journal, self._meanwhile = clock, journal, meanwhile
        self._makers = dict.fromkeys(unit.clients, make_link)
        if make_commands is not None:
            self._makers[unit.client(0)] = make_commands
        self._ports = dict.fromkeys(self._makers, 0)
        self.links: Sequence[Link] = ()
        self.because = LOST

    def open(self, cause: Cause, firmware: Firmware) -> None:
        """Connect all sensors as new clients, whose message ids start at 1."""
        self.because = cause
        self.links = [
            make_link(client, client + firmware.suffix, firmware.keepalive_s, self._on_open)
            for client, make_link in self._makers.items()
        ]
        self.take_in()
        self.because = LOST

    def drop(self, cause: Cause) -> None:
        """Close all connections without DISCONNECT, as a unit does that goes down."""
        self._note_closing(cause)
        for link in self.links:
            link.drop()
        self.links = ()

    def close(self) -> None:
        """Disconnect at the end of the day."""
        self._note_closing(END)
        for link in self.links:
            link.disconnect()
        self.links = ()

    def take_in(self) -> None:
        """Handle the data that came while the unit slept, and open closed connections before anything is sent."""
        drain(self.links)
        closed = [link for link in self.links if not link.connected]
        for link in closed:
            link.open()
        if closed:
            self.settle({})

    def hear(self, came: Callable[[], bool]) -> None:
        """Take in what comes until something did, for a moment; data that nobody reads would leave an ACK to a timer of the kernel."""
        until_ns = self._clock.now_ns() + _MOMENT_NS
        while self.links and self.links[-1].connected and not came() and self._clock.now_ns() < until_ns:
            pump(self.links, RETRY_S)

    def settle(self, waiting: dict[str, int]) -> None:
        """Block until every sensor is connected and has the acknowledgement that it waits for, see :func:`settle`."""
        settle(self.links, waiting, self._clock, self._meanwhile)

    def _note_closing(self, cause: Cause) -> None:
        drain(self.links)  # a connection that the broker closed is not closed again
        for link in self.links:
            if link.connected:
                now_ns = self._clock.now_ns()
                line = DisconnectLine(link.client, link.name, link.port, now_ns, cause.reason, cause.episode)
                self._journal.write(line)

    def _on_open(self, link: Link) -> None:
        cause, was, now_ns = self.because, self._ports[link.client], self._clock.now_ns()
        reason = FALLBACK if link.fallen_back else CERTIFICATE if link.distrusts else cause.reason
        line = ConnectLine(link.client, link.name, link.port, now_ns, reason, cause.episode, was)
        self._journal.write(line)
        self._ports[link.client] = link.port
