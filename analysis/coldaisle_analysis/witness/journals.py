"""The plan and the journals of a run, read line by line.

This module shares nothing with :mod:`coldaisle_analysis.truth.evidence`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import read_journal
from coldaisle_contracts.plan import Episode, Plan

Line = dict[str, Any]
EARLY_NS = 10_000_000
"""Largest time by which a frame may seem to precede its line, in ns: the error of virtual time."""
COPIED_NS = 10 * SECOND
"""The longest time for which a unit may send the same copy of a reading again, in ns."""
WAITED = ("speak", "answer")
"""Acts whose ARP lines are written later than the frames passed: once their purpose is known."""


@dataclass
class Journals:
    """The plan of a run and the journals of its programs, by shard.

    Attributes:
        plan: the plan.
        units: the lines of each unit, by shard and unit.
        stations: the lines of each workstation, likewise.
        companions: the lines of each companion, by shard and companion.
        attacker: the lines of the attacker, by shard, each with ``line``, its number in the journal.
        sealed: the ``sealed`` lines, by shard, in the order of the files.
    """

    plan: Plan
    units: dict[tuple[str, str], list[Line]] = field(default_factory=lambda: defaultdict(list))
    stations: dict[tuple[str, str], list[Line]] = field(default_factory=lambda: defaultdict(list))
    companions: dict[tuple[str, str], list[Line]] = field(default_factory=lambda: defaultdict(list))
    attacker: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    sealed: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def open(cls, run: Path) -> "Journals":
        """Read plan and journals.

        Raises:
            InputError: if a file is missing or malformed.
        """
        journals = cls(Plan.load(run / "plan.json"))
        journal = run / "journal"
        for unit in journals.plan.scenario.units:
            for line in read_journal(journal / f"{unit}.jsonl"):
                journals.units[line["shard"], unit].append(line)
        for name in journals.plan.workstations:
            for line in read_journal(journal / f"{name}.jsonl"):
                journals.stations[line["shard"], name].append(line)
        for companion in journals.plan.companions:
            for line in read_journal(journal / f"{companion}.jsonl"):
                journals.companions[line["shard"], companion].append(line)
        if journals.plan.episodes:
            for number, line in enumerate(read_journal(journal / "injector.jsonl"), 1):
                journals.attacker[line["shard"]].append({**line, "line": number})
        journals._refuse_older(journal / "injector.jsonl")
        for line in sorted(read_journal(journal / "capture.jsonl"), key=lambda line: _numbers(line["raw"])):
            journals.sealed[line["shard"]].append(line)
        return journals

    def _refuse_older(self, path: Path) -> None:
        """Refuse the journal of an older coldaisle, which did not record the connections that an act opens.

        An episode whose acts name no client opens none: the attacker's kernel merely refuses what a scan is answered.
        """
        lines = [line for shard in self.attacker.values() for line in shard]
        spoke = {line["episode"] for line in lines if line["event"] == "frame" and line["act"] == "speak"}
        connected = any(
            line["event"] == "act" and line["client"] for line in lines if line["episode"] in spoke
        )
        if connected and not any(line["event"] == "open" for line in lines):
            raise InputError(
                path,
                "does not record which act opened a connection, because an older version made this run: play it again",
            )

    @property
    def unit_names(self) -> dict[str, str]:
        """The name of each unit, by address."""
        return {unit.host.ip: unit.name for unit in self.plan.units.values()}

    @property
    def shards(self) -> list[str]:
        """The shards, in order of their days."""
        return sorted(self.sealed, key=_numbers)

    @property
    def episodes(self) -> dict[str, Episode]:
        """The episodes of the plan by id."""
        return {episode.id: episode for episode in self.plan.episodes}

    def phases(self, shard: str) -> dict[tuple[str, str], int]:
        """Return the time at which each episode of a shard entered each phase, in ns, by episode and phase."""
        return {
            (line["episode"], line["phase"]): line["at_ns"]
            for line in chain(self.attacker[shard], *self.of_units(shard).values())
            if line["event"] == "episode"
        }

    def of_units(self, shard: str) -> dict[str, list[Line]]:
        """Return the lines of each unit in a shard."""
        return {unit: self.units[shard, unit] for unit in self.plan.scenario.units}

    def of_stations(self, shard: str) -> dict[str, list[Line]]:
        """Return the lines of each workstation in a shard."""
        return {name: self.stations[shard, name] for name in self.plan.workstations}

    def clients_of(self, unit: str) -> tuple[str, ...]:
        """Return the client ids of a unit: those of its sensors, and where a controller governs it that for commands."""
        loop = self.plan.loops.get(unit)
        return (*self.plan.units[unit].clients, *((loop.client,) if loop else ()))

    def of_companions(self, shard: str) -> dict[str, list[Line]]:
        """Return the lines of each companion in a shard."""
        return {companion: self.companions[shard, companion] for companion in self.plan.companions}

    def copies(self, shard: str, unit: str) -> list[Line]:
        """Return the copies of readings that a unit published in a shard, in the form of ``reading`` lines."""
        acts = [line for line in self.units[shard, unit] if line.get("operation") == "copy"]
        return [
            {
                **act,
                "event": "reading",
                "name": act["client"],
                "value": act["after"],
                "attempts": 1,
                "sent_ns": act["at_ns"],
                "acked_ns": act["at_ns"] + COPIED_NS,
            }
            for act in acts
            if act["after"] is not None
            and 0 <= act["mid"] < 1 << 16
            and act["client"] in self.plan.units[unit].clients
        ]

    def outages(self, unit: str) -> list[tuple[int, int]]:
        """Return begin and end of each planned outage of a unit's cable, in ns."""
        return [
            (act.times_ns[0], act.times_ns[1])
            for episode in self.plan.episodes
            if episode.kind == "cable" and episode.unit == unit
            for act in episode.acts
        ]


def _numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in the name of a shard or capture, so that day-10 follows day-9."""
    return tuple(int(part) for part in Path(name).stem.split("-") if part.isdigit())
