"""Dropping sensor: readings that are never taken, so that there is nothing to publish."""

from collections.abc import Sequence

from coldaisle_sensors.faults import Fault
from coldaisle_sensors.reporting import Reading


class Anomaly(Fault):
    """A sensor that is silent while its connection stays up."""

    def reported(self, taken: Sequence[Reading]) -> Sequence[Reading]:
        """Return the readings of the sensors that are not silent."""
        return [reading for reading in taken if not self._drops(reading)]

    def _drops(self, reading: Reading) -> bool:
        act = self.acts.get((reading.slot, reading.sensor))
        if act is not None:
            self.gear.notes.act(self.episode, act)
        return act is not None
