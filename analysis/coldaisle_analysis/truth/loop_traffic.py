"""The messages of closed loops: what a controller received in each cycle, what it sent, and what its unit got."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any

import pandas as pd

from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.features.packets import BYTES
from coldaisle_analysis.truth.consequences import EARLY, own_copies
from coldaisle_analysis.truth.evidence import Evidence
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import DAY
from coldaisle_contracts.control import RETURN_AIR
from coldaisle_contracts.journal import payload_digest
from coldaisle_contracts.loops import Loop, number

NOMINAL = -1
"""In place of a slot: no command has come since the start of the day."""


@dataclass
class Cycle:
    """What a controller had to go by in one cycle, and what became of its command to one unit.

    Attributes:
        slot: the slot of the cycle.
        used: the return air that it used, in 0.01 °C; ``None`` where no reading came.
        published: slot and return air of the newest reading that the unit itself had published since the cycle before; ``None`` for none.
        blamed: the attack that made the two differ, empty for none.
        in_force: slot of the command that was in force when the slot's readings were taken.
        set_point: the set point that was sent, as text.
        frames: frames with the command, by position.
    """

    slot: int
    used: int | None = None
    published: tuple[int, int] | None = None
    blamed: str = ""
    in_force: int = NOMINAL
    set_point: str = ""
    frames: list[int] = field(default_factory=list)


class Traffic:
    """The messages of a run's loops.

    Args:
        evidence: plan, journals and captures of the run.
        labels: labels of the frames so far.
        readings: the planned readings with the acts on them.
    """

    def __init__(self, evidence: Evidence, labels: pd.DataFrame, readings: pd.DataFrame) -> None:
        self._plan, self._evidence = evidence.plan, evidence
        attacks = {episode.id for episode in self._plan.episodes if not episode.row.benign}
        touched = readings[(readings["sensor"] == RETURN_AIR) & (readings["fate"] != "delivered")]
        touched = touched[touched["episode"].isin(attacks)]
        self._acted = touched.set_index(["unit", "slot"])["episode"].to_dict()
        self._passages = _captured(evidence, labels)

    def cycles(self, loop: Loop, day: int) -> list[Cycle]:
        """Return the cycles of a loop on a day, one for each command that was sent."""
        passed = partial(_chosen, self._passages, self._plan.day_ns(day), "time_ns")
        commands = passed(topic=loop.topic, target=BROKER.ip, source=loop.controller.host.ip)
        rows, ends = commands["row"].tolist(), self._ends(loop, day)
        cycles = [
            Cycle(slot, set_point=text, frames=[row])
            for slot, text, row, _ in zip(
                self._plan.day_slots(day), commands["payload"].tolist(), rows, ends, strict=False
            )
        ]
        for row in passed(topic=loop.topic, target=loop.unit.host.ip)["row"].tolist():
            if place := bisect_right(rows[: len(cycles)], row):
                cycles[place - 1].frames.append(row)
        self._put_in_force(loop, day, cycles, commands[: len(cycles)])
        self._hear(loop, day, cycles, ends)
        return cycles

    def _ends(self, loop: Loop, day: int) -> list[int]:
        """Return the time at which each cycle of a controller began to send commands, in ns."""
        lines = _chosen(
            self._evidence.published, self._plan.day_ns(day), "sent_ns", host=loop.controller.name
        )
        lines = lines.assign(cycle=lines.groupby("topic").cumcount())
        return lines.groupby("cycle")["sent_ns"].min().tolist()

    def _put_in_force(self, loop: Loop, day: int, cycles: Sequence[Cycle], commands: pd.DataFrame) -> None:
        """Find the command that was in force when the readings of each slot were taken."""
        lines = _chosen(
            self._evidence.received, self._plan.day_ns(day), "at_ns", host=loop.unit.name, topic=loop.topic
        )
        heard_ns, digests = lines["at_ns"].tolist(), lines["digest"].tolist()
        of_unit = self._evidence.readings["host"] == loop.unit.name
        readings = self._evidence.readings[of_unit].drop_duplicates("slot")
        taken_ns_of = dict(zip(readings["slot"].tolist(), readings["taken_ns"].tolist(), strict=True))
        newest = _Newest(commands)
        for cycle in cycles:
            at_ns = taken_ns_of.get(cycle.slot, self._plan.reading_ns(cycle.slot, loop.unit.name))
            if place := bisect_right(heard_ns, at_ns):
                command = newest.before(digests[place - 1], heard_ns[place - 1])
                cycle.in_force = NOMINAL if command is None else cycles[command].slot

    def _hear(self, loop: Loop, day: int, cycles: Sequence[Cycle], ends: Sequence[int]) -> None:
        """Find what the controller used in each cycle, and what the unit itself had published."""
        start_ns = self._plan.day_ns(day)
        lines = _chosen(
            self._evidence.received, start_ns, "at_ns", host=loop.controller.name, topic=loop.source
        )
        uploads = _chosen(self._passages, start_ns, "time_ns", topic=loop.source, target=BROKER.ip)
        newest, payloads, attacks = _Newest(uploads), uploads["payload"].tolist(), uploads["episode"].tolist()
        places = (
            (newest.before(digest, at_ns), at_ns)
            for digest, at_ns in zip(lines["digest"], lines["at_ns"], strict=True)
        )
        heard = [
            (at_ns, celsius, attacks[place])
            for place, at_ns in places
            if place is not None and (celsius := loop.return_air(payloads[place])) is not None
        ]
        publications = self._published(loop, start_ns)
        begin = start_ns
        for cycle, end in zip(cycles, ends, strict=False):
            _, cycle.used, attack = _last(heard, begin, end) or (0, None, "")
            of_unit = _last(publications, begin, end)
            cycle.published = of_unit and of_unit[1:]
            if cycle.used != (cycle.published[1] if cycle.published else None):
                acted = self._acted.get((loop.unit.name, cycle.published[0]), "") if cycle.published else ""
                cycle.blamed = acted or attack
            begin = end

    def _published(self, loop: Loop, start_ns: int) -> list[tuple[int, int, int]]:
        """Return time, slot and return air of what a unit published on a day, in order of time."""
        client = loop.unit.client(RETURN_AIR)
        lines = _chosen(self._evidence.readings, start_ns, "sent_ns", host=loop.unit.name, client=client)
        copies = _chosen(
            own_copies(self._evidence), start_ns, "at_ns", unit=loop.unit.name, sensor=RETURN_AIR
        )
        every = [*lines[["sent_ns", "slot", "value"]].itertuples(index=False, name=None)]
        every += copies[["at_ns", "slot", "after"]].itertuples(index=False, name=None)
        return sorted(
            (at_ns, slot, celsius) for at_ns, slot, text in every if (celsius := number(text)) is not None
        )


def _captured(evidence: Evidence, labels: pd.DataFrame) -> pd.DataFrame:
    """Return every captured PUBLISH on the topics of loops: row, time_ns, source, target, topic, payload, digest and episode.

    The episode is that of an attack to which the frame belongs, empty for none.
    """
    packets, messages = evidence.trace.packets, evidence.trace.messages
    topics = {topic for loop in evidence.plan.loops.values() for topic in (loop.source, loop.topic)}
    chosen = messages[(messages["msgtype"] == PUBLISH).to_numpy(bool, na_value=False)]
    chosen = chosen[chosen["topic"].isin(topics).to_numpy(bool)]
    rows = chosen["row"].to_numpy()
    ends, truth = packets.iloc[rows], labels.iloc[rows]
    payloads = chosen["payload"].astype("object").fillna("").tolist()
    table = pd.DataFrame(
        {
            "row": rows,
            "time_ns": chosen["time_ns"].to_numpy(),
            "source": ends["ip_src"].astype("str").to_numpy(),
            "target": ends["ip_dst"].astype("str").to_numpy(),
            "topic": chosen["topic"].astype("str").to_numpy(),
            "payload": payloads,
            "digest": [payload_digest(payload.encode(BYTES)) for payload in payloads],
            "episode": truth["episode"].where(truth["label"] == 1).fillna("").to_numpy(),
        }
    )
    return table.sort_values("row", kind="stable", ignore_index=True)


class _Newest:
    """Finds, for a message that was received, the newest one with its payload that had been published before.

    Args:
        published: the messages published, in order.
    """

    def __init__(self, published: pd.DataFrame) -> None:
        self._of: dict[str, tuple[list[int], list[int]]] = {}
        pairs = zip(published["digest"].tolist(), published["time_ns"].tolist(), strict=True)
        for place, (digest, time_ns) in enumerate(pairs):
            times, places = self._of.setdefault(digest, ([], []))
            times.append(time_ns)
            places.append(place)

    def before(self, digest: str, at_ns: int) -> int | None:
        """Return its place among those published, ``None`` for none."""
        times, places = self._of.get(digest, ([], []))
        count = bisect_right(times, at_ns + EARLY)
        return places[count - 1] if count else None


def _last(events: Sequence[Any], begin: int, end: int) -> Any:
    """Return the last event after ``begin`` and up to ``end``, ``None`` for none; the first member of each is its time."""
    place = bisect_right(events, end, key=itemgetter(0))
    return events[place - 1] if place and events[place - 1][0] > begin else None


def _chosen(table: pd.DataFrame, start_ns: int, time: str, **values: object) -> pd.DataFrame:
    """Return the rows of a day whose columns have these values."""
    mask = table[time].ge(start_ns) & table[time].lt(start_ns + DAY)
    for name, value in values.items():
        mask &= table[name] == value
    return table[mask]
