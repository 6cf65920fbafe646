"""The base class of the anomalies that a unit plays itself, and the lookup of the class that plays a kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from coldaisle_contracts.plan import Episode
from coldaisle_contracts.players import player_of
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.connections import Cause, Connections, Firmware
from coldaisle_sensors.interface import Cable
from coldaisle_sensors.notes import Notes
from coldaisle_sensors.reporting import Reading, Reporter
from coldaisle_sensors.timesync import TimeSync


@dataclass(frozen=True)
class Gear:
    """The parts of a unit that an anomaly can use.

    Attributes:
        firmware: the unit's normal firmware.
        connections: its connections.
        timesync: the correction of its clock.
        cable: its cable.
        notes: the lines of its own episodes in its journal.
        reporter: publishes its readings.
        values: temperatures of its sensors by slot, in °C, as they are without any anomaly.
    """

    firmware: Firmware
    connections: Connections
    timesync: TimeSync
    cable: Cable
    notes: Notes
    reporter: Reporter
    values: Sequence[Sequence[float]]


class Played:
    """Base class of anomalies: it journals begin and end, covers no reading and changes no value.

    Every module in ``anomalies/`` has a subclass ``Anomaly``.

    Attributes:
        episode: the episode played.
        gear: the parts of the unit.
        cause: the cause that it gives for closing or opening a connection.
        acts: its acts, by slot and sensor.
        sensors: the sensors whose readings are taken under it; all of the unit's unless the kind picks some.
    """

    def __init__(self, episode: Episode, gear: Gear) -> None:
        self.episode, self.gear = episode, gear
        self.cause = Cause(episode.kind, episode.id)
        self.acts = {(act.slot, act.sensor): act for act in episode.acts}
        self.sensors = episode.sensors

    def script(self) -> Script:
        """Begin, act, end."""
        yield at(self.episode.begin_ns)
        self.gear.notes.phase(self.episode, "begin")
        yield from self.play()
        yield at(self.episode.end_ns)
        self.gear.notes.phase(self.episode, "end")

    def play(self) -> Script:
        """Play the acts at their times; by itself there are none."""
        yield from ()

    def covers(self, slot: int) -> bool:
        """Tell whether the reading that the unit takes now is under the anomaly."""
        del slot
        return False

    def sensed(self, slot: int, celsius: Sequence[float]) -> Sequence[float]:
        """Return the temperatures of the four sensors under the anomaly, in °C, from those without it."""
        del slot
        return celsius

    def reported(self, taken: Sequence[Reading]) -> Sequence[Reading]:
        """Return which of the readings that the unit has just taken it reports now; all by itself."""
        return taken


def anomaly_for(episode: Episode, gear: Gear) -> Played:
    """Return the anomaly that plays an episode: ``anomalies/<kind>.py``, or the module of another package.

    Raises:
        InputError: if that module cannot be used.
    """
    anomaly: Played = player_of(episode.row)(episode, gear)
    return anomaly
