"""Stuck sensor: it goes on with the value that it measured last before the episode."""

from coldaisle_contracts.plan import Act
from coldaisle_sensors.faults import Wrong


class Anomaly(Wrong):
    """A sensor that does not follow the temperature any more."""

    def wrong(self, act: Act, celsius: float) -> float:
        """Return the temperature of the reading before the episode, in °C."""
        del celsius
        before = self.episode.onset - self.gear.reporter.unit.rhythm.every
        return self.gear.values[before][act.sensor - 1]
