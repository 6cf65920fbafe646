"""A controller: it subscribes to the return air of units, and sends each a set point for its supply air in every slot."""

from coldaisle_contracts.control import as_text
from coldaisle_contracts.message_times import cycle_ns
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.devices.base import BaseDevice, Context
from coldaisle_sensors.devices.message import Message


class Device(BaseDevice):
    """Governs units by the law of :mod:`coldaisle_contracts.control`; each day starts from the nominal set points.

    The topic names the unit, so of several readings that came since the last cycle the newest one counts, whoever sent it.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        loops = self.plan.loops.values()
        self._loops = {loop.source: loop for loop in loops if loop.controller.name == self.companion.name}

    def subscriptions(self) -> list[tuple[str, int]]:
        """Return the topics of the return air."""
        return [(topic, self.companion.qos) for topic in self._loops]

    def begin(self) -> None:
        """Forget the day before."""
        self._states = {topic: loop.law.start() for topic, loop in self._loops.items()}
        self._newest: dict[str, int] = {}

    def on_message(self, message: Message) -> None:
        """Remember a reading; what is no number of °C is ignored, and what the broker kept from before the day as well."""
        value = self._loops[message.topic].return_air(message.payload.decode("latin-1"))
        if value is not None and not message.retained:
            self._newest[message.topic] = value

    def script(self) -> Script:
        """Send one command to each unit in every slot."""
        for slot in self.plan.day_slots(self.day):
            yield at(cycle_ns(self.plan, slot))
            came, self._newest = self._newest, {}
            for topic, loop in self._loops.items():
                self._states[topic] = loop.law.next(self._states[topic], came.get(topic))
            for topic, loop in self._loops.items():
                self.publish(as_text(self._states[topic].set_point).encode("ascii"), loop.topic)
