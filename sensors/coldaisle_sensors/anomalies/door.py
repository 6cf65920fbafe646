"""Door: an open door warms the air that a unit draws in, and with it the other temperatures."""

from collections.abc import Sequence

from coldaisle_contracts.plan import Episode
from coldaisle_contracts.topics import SENSORS
from coldaisle_sensors.catalogue import Gear, Played

SHARES = {1: 0.0, 2: 0.3, 3: 0.4, 4: 1.0}
"""Part of the return air's warming at each sensor: coolant out and supply air follow it, coolant in does not."""


class Anomaly(Played):
    """One door that is open for some readings."""

    def __init__(self, episode: Episode, gear: Gear) -> None:
        super().__init__(episode, gear)
        self._acts = {act.slot: act for act in episode.acts}

    def covers(self, slot: int) -> bool:
        """Tell whether the door is open."""
        return slot in self._acts

    def sensed(self, slot: int, celsius: Sequence[float]) -> Sequence[float]:
        """Return the temperatures with the warming of the slot, in °C."""
        act = self._acts[slot]
        self.gear.notes.act(self.episode, act)
        return [value + SHARES[sensor] * act.amount for sensor, value in zip(SENSORS, celsius, strict=True)]
