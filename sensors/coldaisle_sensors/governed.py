"""The set points that a unit gets from a controller, and what they do to its temperatures."""

from collections.abc import Callable, Iterable

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.control import Response, as_text, hundredths
from coldaisle_contracts.journal import Journal, payload_digest
from coldaisle_contracts.journal_lines import ReceivedLine
from coldaisle_contracts.loops import Loop, number
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.stuck import frozen_at
from coldaisle_sensors.link import Link


class Governed:
    """A unit that follows set points on one day; it starts at the nominal one, and keeps the last one where none comes.

    Args:
        loop: the loop that it is part of.
        episodes: returns the episodes of the plan as it is now.
        clock: the unit's clock.
        journal: its journal.

    Attributes:
        commands: number of commands that came.
    """

    def __init__(
        self, loop: Loop, episodes: Callable[[], Iterable[Episode]], clock: Clock, journal: Journal
    ) -> None:
        self._loop, self._episodes, self._clock, self._journal = loop, episodes, clock, journal
        self._nominal = self._set_point = loop.law.nominal
        self._response = Response()
        self._added: dict[int, tuple[int, ...]] = {}
        self.commands = 0

    def on_message(self, link: Link, topic: str, payload: bytes, qos: int) -> None:
        """Take in a command; what is no number of °C changes nothing."""
        digest, size = payload_digest(payload), len(payload)
        line = ReceivedLine(link.client, link.name, link.port, topic, qos, digest, size, self._clock.now_ns())
        self._journal.write(line)
        self.commands += 1
        set_point = number(payload.decode("latin-1"))
        self._set_point = self._set_point if set_point is None else set_point

    def wake(self, slot: int) -> None:
        """Let the temperatures follow the set point until the readings of a slot are taken."""
        if self._added:  # a day starts at rest
            self._response = self._response.after(self._set_point - self._nominal, self._loop.interval_s)
        self._added[slot] = self._response.at_sensors(self._loop.ratio)

    def measured(self, slot: int, sensor: int, celsius: float) -> str:
        """Return what a sensor measures, as text, where it would measure ``celsius``, in °C, at the nominal set point."""
        of_slot = frozen_at(self._episodes(), self._loop.unit.name).get((slot, sensor), slot)
        return as_text(hundredths(celsius) + self._added[of_slot][sensor - 1])
