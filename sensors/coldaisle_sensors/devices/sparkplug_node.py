"""An edge node of Sparkplug B (Eclipse Sparkplug 3.0.0): the controller of a water circuit with a pump."""

from coldaisle_sensors.devices.base import BaseDevice
from coldaisle_sensors.devices.message import Message, Will
from coldaisle_sensors.sparkplug import Metric, commands, encoded

_REBIRTH = "Node Control/Rebirth"
"""Metric of a command that asks for a new birth."""
_SESSION = "bdSeq"
"""Metric that joins a death with its birth."""
_NUMBERS = 256
"""Numbers of sessions and of messages begin anew at it."""
_SLOW, _RPM_STEP, _SWITCHED = 0.2, 10, 0.01
"""How fast the flow goes back to its mean, steps of the speed, and how often the filter's lamp changes, each per message."""


class Device(BaseDevice):
    """Publishes its birth when it connects, then what has changed at every interval, and its death before it disconnects.

    Its messages carry the time of the scan in which their values were measured.
    """

    _number_of = (-1, 0)
    """Day and number of the newest session."""
    _born, _sequence = False, 0

    def will(self) -> Will:
        """Return the NDEATH of the connection that is about to be opened: a day's first session has the number of the day."""
        day, number = self._number_of
        if day != self.day:
            self._number_of = self.day, self.day % _NUMBERS
            self._scanned_ns = self.plan.connect_ns(self.day, self.companion.name)
        elif self._born:
            self._number_of = day, (number + 1) % _NUMBERS
        self._born = False
        return Will(self._topic("NDEATH"), self._death(), qos=1)

    def subscriptions(self) -> list[tuple[str, int]]:
        """Return the topic of commands to the node."""
        return [(self._topic("NCMD"), 1)]

    def begin(self) -> None:
        """Take first values, and publish the birth."""
        self._flow, self._rpm, self._clogged = self.number("flow"), round(self.number("rpm")), False
        self._birth()

    def on_time(self, number: int) -> None:
        """Scan, and publish what has changed; after a connection was lost, a birth with all of it."""
        del number
        self._scanned_ns = self.due_ns
        before = self._metrics()
        mean = self.number("flow")
        self._flow = round(self._flow + _SLOW * (mean - self._flow) + self.rng.gauss(0, 0.02 * mean), 3)
        self._rpm += _RPM_STEP * self.rng.choice((-1, 0, 0, 1))
        self._clogged ^= self.rng.random() < _SWITCHED
        if not self._born:
            self._birth()
            return
        changed = [new for old, new in zip(before, self._metrics(), strict=True) if new != old]
        if changed:
            self._sequence = (self._sequence + 1) % _NUMBERS
            by_alias = [Metric("", metric.type, metric.value, metric.alias) for metric in changed]
            self.publish(self._encoded(by_alias, self._sequence), self._topic("NDATA"))

    def on_message(self, message: Message) -> None:
        """Publish the birth again when a command asks for it."""
        if message.topic == self._topic("NCMD") and commands(message.payload).get(_REBIRTH):
            self._birth()

    def end(self) -> None:
        """Publish the death, because the broker does not after a DISCONNECT."""
        self._scanned_ns = self.plan.disconnect_ns(self.day, self.companion.name)
        self.publish(self._death(), self._topic("NDEATH"), qos=1, retain=False)

    def _birth(self) -> None:
        self._sequence, self._born = 0, True
        rebirth = Metric(_REBIRTH, "Boolean", value=False)
        metrics = [Metric(_SESSION, "Int64", self._number_of[1]), rebirth, *self._metrics()]
        self.publish(self._encoded(metrics, 0), self._topic("NBIRTH"), retain=False)

    def _metrics(self) -> list[Metric]:
        return [
            Metric("Water/Flow", "Double", self._flow, 1),
            Metric("Pump/Speed", "Int32", self._rpm, 2),
            Metric("Filter/Clogged", "Boolean", self._clogged, 3),
        ]

    def _death(self) -> bytes:
        return self._encoded([Metric(_SESSION, "Int64", self._number_of[1])], None)

    def _encoded(self, metrics: list[Metric], seq: int | None) -> bytes:
        return encoded(self._scanned_ns // 1_000_000, metrics, seq)

    def _topic(self, message: str) -> str:
        """Return the topic of a type of message; that of the group is the one of its data."""
        namespace, group, _, node = self.companion.topic.split("/")
        return f"{namespace}/{group}/{message}/{node}"
