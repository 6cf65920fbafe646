"""The base class of companions: a device publishes, listens, or both, day by day in the time of the run.

A device of your own is a class ``Device`` in a module of its own, and a row that names the module (docs/extending.md). This one publishes
how often it has counted, at the interval of its group::

    class Device(BaseDevice):
        def begin(self) -> None:
            self.count = 0

        def on_time(self, number: int) -> None:
            self.count += 1
            self.publish(str(self.count).encode())

Rules that every device keeps: it draws random numbers from :attr:`BaseDevice.rng` alone; what it publishes follows from
:attr:`BaseDevice.due_ns` and not from the clock, whose time is never twice the same; a day does not depend on the days before, because each day may be played in a testbed of its own; and it does not sleep.
"""

import random
from dataclasses import dataclass

from coldaisle_contracts.clock import SECOND, Clock, Federate
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.devices import Value
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.message_times import message_times_ns
from coldaisle_contracts.plan import Plan, seed_for
from coldaisle_contracts.records import Records
from coldaisle_sensors.agenda import Agenda, Due, Script, at
from coldaisle_sensors.devices.attention import Attention
from coldaisle_sensors.devices.message import Message, Will
from coldaisle_sensors.devices.session import Session

_LISTENS = SECOND // 2
"""Time for which a device that subscribed stays when others disconnect, in ns: it hears their last messages."""


@dataclass(frozen=True)
class Context:
    """What a companion is given.

    Attributes:
        companion: the device: its name, client id, topic, times, dialect and parameters.
        plan: the plan of the run.
        federate: its membership of the federation.
        journal: its journal.
        broker: the broker's IPv4 address and TCP port.
    """

    companion: Companion
    plan: Plan
    federate: Federate
    journal: Journal
    broker: tuple[str, int]


class BaseDevice:
    """Base of devices: it connects after midnight, acts at its times and on what it hears, and disconnects at the next midnight.

    A subclass overrides what it needs of :meth:`begin`, :meth:`on_time`, :meth:`on_message`, :meth:`end`, :meth:`script`,
    :meth:`subscriptions` and :meth:`will`. None of them is called while the device is not connected.

    Attributes:
        companion: the device as the site describes it.
        plan: the plan of the run.
        clock: virtual time.
        day: the day that is played, from 0.
        due_ns: time at which the message of :meth:`on_time` is due, in ns since the epoch. The clock shows a little more, and never twice
            the same, so what is published follows from this time.
        rng: random numbers of this day, seeded by the scenario's seed, the device's name and the day.
        agenda: the scripts of this day; a device may add more of them at any time.
    """

    rng: random.Random
    agenda: Agenda

    def __init__(self, context: Context) -> None:
        self.companion, self.plan = context.companion, context.plan
        self.clock: Clock = Attention(context.federate, self._hear, self._descriptor)
        self.day = self.due_ns = 0
        self._context = context
        self._session: Session | None = None

    # -- what a subclass overrides --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Act when the device has just connected on a day; by itself nothing."""

    def on_time(self, number: int) -> None:
        """Act when a message is due, by the interval, phase and jitter of its group.

        Args:
            number: number of the message on this day, from 0.
        """

    def on_message(self, message: Message) -> None:
        """Act on a message that came by a subscription; it may publish, or add a script to the agenda."""

    def end(self) -> None:
        """Act just before the device disconnects at the end of a day; by itself nothing."""

    def subscriptions(self) -> list[tuple[str, int]]:
        """Return the patterns of the topics to subscribe to when a day begins, each with its greatest quality of service."""
        return []

    def will(self) -> Will | None:
        """Return the message that the broker publishes if the device is lost; by itself none. It is asked for before each connection."""
        return None

    def lasting(self) -> bool:
        """Return whether the broker keeps the session of the device while it is away (MQTT 3.1.1, 3.1.2.4); by itself it does not."""
        return False

    def script(self) -> Script:
        """Do what the device does on a day: yield the time of each next step (``yield at(ns)``), then act.

        By itself it calls :meth:`on_time` at each time of :func:`~coldaisle_contracts.message_times.message_times_ns`. A script that has not
        ended when the device disconnects is not continued.
        """
        for number, at_ns in enumerate(message_times_ns(self.plan, self.companion, self.day)):
            yield at(at_ns)
            self.due_ns = at_ns
            self.on_time(number)

    # -- what a subclass calls ------------------------------------------------------------------------------------

    def publish(
        self, payload: bytes, topic: str = "", *, qos: int | None = None, retain: bool | None = None
    ) -> None:
        """Publish a message and journal it; it returns when the message is sent (QoS 0) or acknowledged (QoS 1 and 2).

        Args:
            payload: its payload.
            topic: its topic; by default that of the device.
            qos: its quality of service; by default that of the group.
            retain: whether the broker keeps it; by default as the group says.

        Raises:
            LostError: if the broker does not answer.
        """
        companion = self.companion
        qos = companion.qos if qos is None else qos
        retain = companion.retain if retain is None else retain
        self._connection.publish(topic or companion.topic, payload, qos, retain=retain)

    def leave(self) -> None:
        """Disconnect for a while; until :meth:`come_back` the device hears nothing, and may not publish."""
        self._hear()
        self._connection.close("absence")

    def come_back(self) -> None:
        """Connect again after :meth:`leave`; with a lasting session the broker then delivers what it has kept."""
        self._connection.open("absence")

    def unsubscribe(self) -> None:
        """Take back all subscriptions."""
        self._connection.unsubscribe()

    def parameter(self, name: str) -> Value:
        """Return a parameter of the device: the value of its group, or the default of its kind."""
        return self.companion.parameters[name]

    def number(self, name: str) -> float:
        """Return a parameter that is a number."""
        value = self.parameter(name)
        assert not isinstance(value, tuple)  # noqa: S101 - records are no number
        return float(value)

    def records(self, name: str) -> Records:
        """Return a parameter that holds recorded values."""
        value = self.parameter(name)
        assert isinstance(value, tuple)  # noqa: S101 - the site was checked
        return value

    # -- a day ----------------------------------------------------------------------------------------------------

    def run_day(self, day: int) -> None:
        """Play one day (from 0): connect, play the script, disconnect after midnight."""
        self.day, name = day, self.companion.name
        self.rng = random.Random(seed_for(self.plan.scenario.seed, f"device/{name}/{day}"))  # noqa: S311 - a simulation, not a secret
        self.agenda = Agenda(self.clock)
        self.agenda.add(self._routine())
        self.agenda.play()

    def _routine(self) -> Script:
        name = self.companion.name
        yield at(self.plan.connect_ns(self.day, name))
        journal, broker = self._context.journal, self._context.broker
        self._session = Session(
            self.companion, self.clock, journal, broker, self.will, lasting=self.lasting()
        )
        self._session.open()
        for pattern, qos in self.subscriptions():
            self._session.subscribe(pattern, qos)
        self.begin()
        self.agenda.add(self.script())
        self.agenda.add(self._alive(self._session))
        stays_ns = _LISTENS if self.subscriptions() else 0
        yield at(self.plan.disconnect_ns(self.day, name) + stays_ns)
        self._hear()
        self.end()
        self._session.close()
        self._session = None
        self.agenda.clear()

    def _alive(self, session: Session) -> Script:
        """Send a PINGREQ whenever nothing was sent for the length of the keepalive (MQTT 3.1.1, 3.1.2.10)."""
        keepalive_ns = self.companion.keepalive_s * SECOND
        while True:
            yield Due(lambda: session.sent_ns + keepalive_ns)
            if session.is_away:
                session.sent_ns = self.clock.now_ns()  # the next keepalive is due after it has come back
            elif self.clock.now_ns() >= session.sent_ns + keepalive_ns:
                session.ping()

    @property
    def _connection(self) -> Session:
        assert self._session is not None  # noqa: S101 - subclasses act while it is connected
        return self._session

    def _hear(self) -> bool:
        """Take in what the connection has brought, and return whether there were messages."""
        if self._session is None or self._session.is_away:
            return False
        self._session.read()
        heard = self._session.take()
        for message in heard:
            self.on_message(message)
        if heard:
            self._context.journal.flush()
        return bool(heard)

    def _descriptor(self) -> int:
        sock = self._session.socket if self._session else None
        return sock.fileno() if sock else -1
