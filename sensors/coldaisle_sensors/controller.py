"""The controller's loop: wake, query the time, read four sensors, report, sleep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from coldaisle_contracts.clock import Clock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.message_times import cycle_ns
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.topics import SENSORS, encode_value
from coldaisle_sensors.agenda import Agenda, Due, Script, at
from coldaisle_sensors.catalogue import Gear, Played, anomaly_for
from coldaisle_sensors.command_link import CommandLinkMaker
from coldaisle_sensors.connections import START, Connections, Firmware, LinkMaker
from coldaisle_sensors.governed import Governed
from coldaisle_sensors.interface import Cable
from coldaisle_sensors.notes import Notes
from coldaisle_sensors.reporting import Reading, Reporter
from coldaisle_sensors.timesync import TimeSync


@dataclass(frozen=True)
class Controller:
    """One InRow unit on the network.

    Attributes:
        unit: its name in the plan.
        plan: the plan of the run.
        values: temperatures of the four sensors by slot, in °C, from the unit's model.
        clock: true time; the unit's own clock may have jumped, which ``timesync`` records.
        timesync: the correction of the unit's clock.
        journal: the unit's journal.
        make_link: makes the connection of a sensor.
        cable: its cable.
        changes: follows the plan; ``None`` where nobody can add an episode to it.
        make_command_link: makes the connection for commands of a unit that a controller governs.
    """

    unit: str
    plan: Plan
    values: Sequence[Sequence[float]]
    clock: Clock
    timesync: TimeSync
    journal: Journal
    make_link: LinkMaker
    cable: Cable
    changes: PlanChanges | None = None
    make_command_link: CommandLinkMaker | None = None

    def run_day(self, day: int) -> None:
        """Play one day (from 0) with its anomalies: connect, report every slot, disconnect after midnight."""
        agenda = Agenda(self.clock)
        governed, make_commands = self._governed()
        connections = Connections(
            self.plan.units[self.unit],
            self.clock,
            self.journal,
            self.make_link,
            agenda.meanwhile,
            make_commands,
        )
        notes = Notes(self.clock, self.journal)
        firmware = Firmware(self.plan.scenario.keepalive_of(self.unit))
        reporter = Reporter(self.clock, self.journal, connections, self.plan.units[self.unit])
        gear = Gear(firmware, connections, self.timesync, self.cable, notes, reporter, self.values)
        anomalies = list[Played]()
        days, changes = range(day, day + 1), self.changes

        def take_on(episodes: Iterable[Episode]) -> None:
            for episode in episodes:
                if episode.row.actor == "unit" and episode.unit == self.unit:
                    anomalies.append(anomaly_for(episode, gear))
                    agenda.add(anomalies[-1].script())

        agenda.add(self._routine(day, gear, anomalies, governed))
        if governed:
            agenda.add(self._listening(day, connections, governed))
        take_on((changes.plan if changes else self.plan).episodes_on(days))
        agenda.play((lambda: take_on(changes.look(days))) if changes else None)

    def _governed(self) -> tuple[Governed | None, LinkMaker | None]:
        """Return what follows the set points of a day, and what makes the connection that brings them; nothing where no controller governs."""
        loop = self.plan.loops.get(self.unit)
        if loop is None or self.make_command_link is None:
            return None, None
        governed = Governed(
            loop,
            lambda: (self.changes.plan if self.changes else self.plan).episodes,
            self.clock,
            self.journal,
        )
        return governed, partial(self.make_command_link, topic=loop.topic, on_message=governed.on_message)

    def _listening(self, day: int, connections: Connections, governed: Governed) -> Script:
        """Take in the command of each slot when it comes."""
        for slot in self.plan.day_slots(day):
            yield at(cycle_ns(self.plan, slot))
            before = governed.commands
            connections.hear(lambda: governed.commands > before)  # noqa: B023 - called before the next slot

    def _routine(
        self, day: int, gear: Gear, anomalies: Sequence[Played], governed: Governed | None
    ) -> Script:
        yield at(self.plan.connect_ns(day, self.unit))
        gear.connections.open(START, gear.firmware)
        rhythm = self.plan.units[self.unit].rhythm
        for slot in self.plan.slots_of(self.unit, day):
            yield Due(partial(self._wakes_ns, self.plan.reading_ns(slot, self.unit)))
            under = next((anomaly for anomaly in anomalies if anomaly.covers(slot)), None)
            gear.connections.take_in()
            if rhythm.is_nth(slot, self.plan.scenario.ntp_every):
                self.timesync.query(slot)
            gear.reporter.report(self._taken(slot, under, governed))
        yield at(self.plan.disconnect_ns(day, self.unit))
        gear.connections.close()

    def _wakes_ns(self, due_ns: int) -> int:
        """Return the true time at which the unit's own clock shows that a reading is due, in ns."""
        return due_ns - self.timesync.ahead_ns

    def _taken(self, slot: int, under: Played | None, governed: Governed | None) -> Sequence[Reading]:
        """Take the readings of a slot, perhaps under an anomaly or set points, and return those to report now."""
        taken_ns, stamp_ns, synced = self.clock.now_ns(), self.timesync.stamp_ns(), self.timesync.synced
        celsius = under.sensed(slot, self.values[slot]) if under else self.values[slot]
        if governed:
            governed.wake(slot)
        readings = [
            Reading(
                sensor,
                slot,
                taken_ns,
                stamp_ns,
                synced,
                governed.measured(slot, sensor, value) if governed else encode_value(value).decode("ascii"),
                _cause(sensor, under),
            )
            for sensor, value in zip(SENSORS, celsius, strict=True)
        ]
        return under.reported(readings) if under else readings


def _cause(sensor: int, under: Played | None) -> str:
    """Return the episode under which a sensor's reading is taken, empty for none."""
    return under.episode.id if under and sensor in under.sensors else ""
