"""Faults of chosen sensors: the base classes of anomalies that concern some readings of a unit and leave the others alone."""

from collections.abc import Sequence

from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import SENSORS
from coldaisle_sensors.catalogue import Played


class Fault(Played):
    """Base class of faults: it covers the slots of its acts and changes nothing."""

    def covers(self, slot: int) -> bool:
        """Tell whether an act concerns a reading of the slot."""
        return any(slot == of_act for of_act, _ in self.acts)


class Wrong(Fault):
    """Base class of faults whose readings have a wrong value: by itself the amount of the act is added."""

    def sensed(self, slot: int, celsius: Sequence[float]) -> Sequence[float]:
        """Return the temperatures that the sensors measure, in °C: those of faulty sensors are wrong."""
        return [self._measured(slot, sensor, value) for sensor, value in zip(SENSORS, celsius, strict=True)]

    def wrong(self, act: Act, celsius: float) -> float:
        """Return what a faulty sensor measures, in °C, where the temperature is ``celsius``."""
        return celsius + act.amount

    def _measured(self, slot: int, sensor: int, celsius: float) -> float:
        act = self.acts.get((slot, sensor))
        if act is None:
            return celsius
        self.gear.notes.act(self.episode, act)
        return self.wrong(act, celsius)
