"""Late sensor: its readings are taken in time and published later."""

from collections.abc import Sequence

from coldaisle_contracts.plan import Act, Episode
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Gear
from coldaisle_sensors.faults import Fault
from coldaisle_sensors.reporting import Reading


class Anomaly(Fault):
    """A unit that keeps readings of some sensors for a while, and then publishes them with the time at which they were taken."""

    def __init__(self, episode: Episode, gear: Gear) -> None:
        super().__init__(episode, gear)
        self._held: dict[tuple[int, int], Reading] = {}

    def reported(self, taken: Sequence[Reading]) -> Sequence[Reading]:
        """Keep the readings that come late, and return the others."""
        return [reading for reading in taken if not self._holds(reading)]

    def play(self) -> Script:
        """Publish the readings that were kept, in the order of their times."""
        for act in sorted(self.acts.values(), key=lambda act: act.times_ns):
            yield at(act.times_ns[0])
            self._release(act)

    def _holds(self, reading: Reading) -> bool:
        act = self.acts.get((reading.slot, reading.sensor))
        if act is None:
            return False
        self.gear.notes.act(self.episode, act, before=reading.value)
        self._held[reading.slot, reading.sensor] = reading
        return True

    def _release(self, act: Act) -> None:
        reading = self._held.pop((act.slot, act.sensor))
        self.gear.connections.take_in()
        self.gear.notes.act(self.episode, act, operation="release", before=reading.value, after=reading.value)
        self.gear.reporter.report([reading])
