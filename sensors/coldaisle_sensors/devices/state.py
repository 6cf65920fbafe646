"""The base class of devices that report a state when it changes: a message with the state, retained, and one that says whether they are on."""

from collections.abc import Iterator

from coldaisle_contracts.clock import SECOND
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.devices.base import BaseDevice
from coldaisle_sensors.devices.message import Will

ON, OFF = b"online", b"offline"
"""Payloads of the message that says whether the device is on."""


class StateDevice(BaseDevice):
    """A device with a state: it says so when it connects and whenever the state changes, and leaves a will.

    Changes come by chance: their number in a day is that of a Poisson process, seeded by the scenario's seed, the device's name and the
    day. Every day begins in the state ``idle``.

    Attributes:
        idle, alert: payloads of the two states.
    """

    idle: bytes
    alert: bytes

    def events(self) -> Iterator[tuple[int, int]]:
        """Yield begin and end of each alert of the day, in ns since the epoch, in order of time and apart from each other."""
        end_ns, per_second = self.plan.end_ns(self.day), self.number("per_day") / 86_400
        begin_ns = self.plan.connect_ns(self.day, self.companion.name)
        while per_second:
            begin_ns += round(self.rng.expovariate(per_second) * SECOND) + SECOND
            until_ns = begin_ns + round(self.rng.expovariate(1 / self.number("lasts_s")) * SECOND) + SECOND
            if until_ns >= end_ns:
                return
            yield begin_ns, until_ns
            begin_ns = until_ns

    def begin(self) -> None:
        """Say that the device is on, and its state."""
        self.publish(ON, self._status)
        self.publish(self.idle)

    def script(self) -> Script:
        """Report each change of the state."""
        for begin_ns, end_ns in self.events():
            yield at(begin_ns)
            self.publish(self.alert)
            yield at(end_ns)
            self.publish(self.idle)

    def end(self) -> None:
        """Say that the device goes off; after a clean DISCONNECT the broker forgets the will."""
        self.publish(OFF, self._status)

    def will(self) -> Will:
        """Let the broker say that the device is off if it is lost."""
        return Will(self._status, OFF, self.companion.qos, retain=self.companion.retain)

    @property
    def _status(self) -> str:
        return f"{self.companion.topic}/status"
