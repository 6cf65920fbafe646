"""Closed loops: the commands and readings that differ from what they would be without attacks.

Every loop is computed twice, with the law and the response of :mod:`coldaisle_contracts.control`: with the readings as the controller got
them, which has to give the commands in the capture, and with the readings as the unit would have sent them without attacks. Whatever
differs between the two, in hundredths of a °C, is a consequence of the attack that changed the controller's input last.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from coldaisle_analysis.truth.consequences import carrying, publications
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_analysis.truth.frames import truth
from coldaisle_analysis.truth.loop_traffic import NOMINAL, Cycle, Traffic
from coldaisle_contracts.control import RETURN_AIR, Response, as_text
from coldaisle_contracts.loops import Loop
from coldaisle_contracts.stuck import frozen_at
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import SENSORS, base_id

_PAIR = 2
"""Two courses of a loop: as it was, and as it would have been without attacks."""
_AT_REST: list[tuple[int, ...]] = [(0, 0, 0, 0)] * _PAIR
"""Both responses for a slot whose readings are still to be taken, which only an edited journal asks for."""


@dataclass
class Consequences:
    """The consequences of attacks on loops.

    Attributes:
        frames: episode of each frame with a command that differs, by the frame's position.
        readings: episode of each reading that differs, by its place in the table of readings.
        broken: sentences on commands that do not follow from the readings.
    """

    frames: dict[int, str] = field(default_factory=dict)
    readings: dict[int, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def in_frames(self, evidence: Evidence, connections: pd.DataFrame, readings: pd.DataFrame) -> pd.Series:
        """Return the episode of each frame with a command or a reading that differs, by the frame's position.

        Args:
            evidence: plan, journals and captures of the run.
            connections: frames of its devices' connections, see :func:`~coldaisle_analysis.truth.consequences.connections`.
            readings: the planned readings.
        """
        moved = readings.loc[list(self.readings), ["client_id", "slot"]]
        moved = moved.assign(episode=list(self.readings.values()))
        lines = publications(evidence).drop(columns="episode")
        lines = lines.assign(client_id=lines["name"].map(base_id)).merge(moved, on=["client_id", "slot"])
        episodes: pd.Series = pd.concat(
            [pd.Series(self.frames, dtype=object), carrying(evidence, connections, lines)]
        )
        return episodes

    def labelled(self, readings: pd.DataFrame, kind_of: dict[str, str]) -> pd.DataFrame:
        """Return readings in which those that were taken and differ are labelled, unless an attack touched them on their way as well."""
        able = (readings["label"] == 0) & (readings["journalled"] > 0)
        rows = [row for row in self.readings if able[row]]
        if not rows:
            return readings
        episodes = pd.Series([self.readings[row] for row in rows], rows, dtype=object)
        roles = pd.Series(Role.CONSEQUENCE.value, rows, dtype=object)
        table = truth(np.ones(len(rows), bool), episodes, roles, kind_of)
        readings = readings.astype(dict.fromkeys(("kind", "episode", "role"), object))
        readings.loc[rows, list(table)] = table
        return readings


def follow(evidence: Evidence, labels: pd.DataFrame, readings: pd.DataFrame) -> Consequences:
    """Return what attacks changed in the loops of a run.

    Args:
        evidence: plan, journals and captures of the run.
        labels: labels of the frames so far, see :class:`~coldaisle_analysis.truth.frames.Join`.
        readings: the planned readings with the acts on them, see :class:`~coldaisle_analysis.truth.readings.Account`.
    """
    consequences = Consequences()
    if not evidence.plan.loops:
        return consequences
    traffic = Traffic(evidence, labels, readings)
    for loop in evidence.plan.loops.values():
        places = readings[readings["unit"] == loop.unit.name]
        place = {key: row for row, *key_ in places[["sensor", "slot"]].itertuples() for key in [tuple(key_)]}
        for day in range(evidence.plan.scenario.days):
            course = Course(loop, frozen_at(evidence.plan.episodes, loop.unit.name))
            cycles = traffic.cycles(loop, day)
            for cycle in cycles:
                consequences.readings |= {
                    place[sensor, cycle.slot]: course.blamed for sensor in course.differing(cycle)
                }
                if course.commands(cycle):
                    consequences.frames |= dict.fromkeys(cycle.frames, course.blamed)
            consequences.broken += course.broken
            if len(cycles) != len(slots := evidence.plan.day_slots(day)):
                consequences.broken.append(
                    f"{loop.controller.name} sent {len(cycles)} commands to {loop.unit.name} on day {day + 1}, which has {len(slots)} slots"
                )
    return consequences


class Course:
    """A loop on one day, as it was and as it would have been.

    Attributes:
        blamed: the attack that changed the controller's input last; empty before any.
        broken: sentences on commands that do not follow from the readings.
    """

    def __init__(self, loop: Loop, frozen: dict[tuple[int, int], int]) -> None:
        self._loop, self._frozen, self._law = loop, frozen, loop.law
        self._states, self._responses = [self._law.start()] * _PAIR, [Response()] * _PAIR
        self._points = {NOMINAL: [self._law.nominal] * _PAIR}
        self._added: dict[int, list[tuple[int, ...]]] = {}
        self.blamed = ""
        self.broken: list[str] = []

    def differing(self, cycle: Cycle) -> Iterator[int]:
        """Take the readings of a cycle's slot, and yield the sensors that would have measured something else."""
        if self._added:
            pairs = zip(self._responses, self._points.get(cycle.in_force, self._points[NOMINAL]), strict=True)
            self._responses = [
                response.after(point - self._law.nominal, self._loop.interval_s) for response, point in pairs
            ]
        self._added[cycle.slot] = [response.at_sensors(self._loop.ratio) for response in self._responses]
        for sensor in SENSORS:
            real, free = self._response(cycle.slot, sensor)
            if real != free and self.blamed:
                yield sensor

    def commands(self, cycle: Cycle) -> bool:
        """Compute the command of a cycle, and tell whether without attacks it would have been another one."""
        self.blamed = cycle.blamed or self.blamed
        free_input = None
        if cycle.published is not None:
            slot, celsius = cycle.published
            real, free = self._response(slot, RETURN_AIR)
            free_input = celsius - real + free
        inputs = zip(self._states, (cycle.used, free_input), strict=True)
        self._states = [self._law.next(state, value) for state, value in inputs]
        self._points[cycle.slot] = [state.set_point for state in self._states]
        real, free = self._points[cycle.slot]
        where = f"the command of {self._loop.controller.name} to {self._loop.unit.name} in slot {cycle.slot}"
        if as_text(real) != cycle.set_point:
            self.broken.append(f"{where} is {cycle.set_point}, and what was received gives {as_text(real)}")
        if real != free and not self.blamed:
            self.broken.append(f"{where} does not follow from the readings, and no attack changed them")
        return real != free and bool(self.blamed)

    def _response(self, slot: int, sensor: int) -> list[int]:
        """Return what set points added to a reading, and what they would have added, in 0.01 °C."""
        of_slot = self._added.get(self._frozen.get((slot, sensor), slot), _AT_REST)
        return [added[sensor - 1] for added in of_slot]
