"""The catalogue: what an anomaly that a unit plays itself is, and where each kind is found."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coldaisle_contracts.plan import Episode
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.connections import Cause, Connections, Firmware
from coldaisle_sensors.interface import Cable
from coldaisle_sensors.notes import Notes
from coldaisle_sensors.timesync import TimeSync


@dataclass(frozen=True)
class Gear:
    """What of a unit an anomaly can lay hands on.

    Attributes:
        firmware: what the unit runs when all is well.
        connections: its connections.
        timesync: its clock's correction.
        cable: its cable.
        notes: its journal.
    """

    firmware: Firmware
    connections: Connections
    timesync: TimeSync
    cable: Cable
    notes: Notes


class Anomaly(Protocol):
    """One anomaly; every module in ``anomalies/`` has one, called ``Anomaly``.

    Attributes:
        episode: the episode it plays.
    """

    episode: Episode

    def __init__(self, episode: Episode, gear: Gear) -> None:
        """Take an episode of the plan, and what it is played with."""

    def script(self) -> Script:
        """Play the episode, from begin to end."""

    def covers(self, slot: int) -> bool:
        """Tell whether the reading the unit wakes for now is taken under it."""

    def sensed(self, slot: int, celsius: Sequence[float]) -> Sequence[float]:
        """Return what the four sensors see, °C, of what they would see without it; asked where it covers."""


class Played:
    """An anomaly that brackets its acts in the journal, covers nothing and changes no value.

    Attributes:
        episode: the episode played.
        gear: what it is played with.
        cause: what it gives as the cause of a connection closed or opened.
    """

    def __init__(self, episode: Episode, gear: Gear) -> None:
        self.episode, self.gear = episode, gear
        self.cause = Cause(episode.kind, episode.id)

    def script(self) -> Script:
        """Begin, act, end."""
        yield at(self.episode.begin_ns)
        self.gear.notes.phase(self.episode, "begin")
        yield from self.play()
        yield at(self.episode.end_ns)
        self.gear.notes.phase(self.episode, "end")

    def play(self) -> Script:
        """Do what is due at times of its own; nothing by itself."""
        yield from ()

    def covers(self, slot: int) -> bool:
        """Tell whether a reading is taken under it."""
        del slot
        return False

    def sensed(self, slot: int, celsius: Sequence[float]) -> Sequence[float]:
        """Return what the sensors see."""
        del slot
        return celsius


def anomaly_for(episode: Episode, gear: Gear) -> Anomaly:
    """Return the anomaly that plays an episode: ``anomalies/<kind>.py``."""
    module = importlib.import_module(f"coldaisle_sensors.anomalies.{episode.row.module}")
    anomaly: Anomaly = module.Anomaly(episode, gear)
    return anomaly
