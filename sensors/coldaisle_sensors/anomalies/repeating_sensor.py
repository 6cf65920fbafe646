"""Repeating sensor: its readings are published again, each copy with a message id of its own."""

from collections.abc import Sequence

from coldaisle_contracts.plan import Episode
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Gear
from coldaisle_sensors.faults import Fault
from coldaisle_sensors.reporting import Reading


class Anomaly(Fault):
    """A unit that reports readings of some sensors more than once; the copies alone are the anomaly, as in a duplication."""

    def __init__(self, episode: Episode, gear: Gear) -> None:
        super().__init__(episode, gear)
        self.sensors = ()
        self._taken: dict[tuple[int, int], Reading] = {}

    def reported(self, taken: Sequence[Reading]) -> Sequence[Reading]:
        """Remember the readings, and return all of them."""
        self._taken |= {(reading.slot, reading.sensor): reading for reading in taken}
        return taken

    def play(self) -> Script:
        """Publish the copies in the order of their times."""
        due = sorted(
            (at_ns, place, number)
            for place, act in self.acts.items()
            for number, at_ns in enumerate(act.times_ns, 1)
        )
        for at_ns, place, number in due:
            yield at(at_ns)
            self._copy(place, number)

    def _copy(self, place: tuple[int, int], number: int) -> None:
        reading, value = self._taken[place], self._taken[place].value
        self.gear.connections.take_in()
        (delivery,) = self.gear.reporter.publish([reading])
        self.gear.notes.act(
            self.episode, self.acts[place], before=value, after=value, copy=number, delivery=delivery
        )
