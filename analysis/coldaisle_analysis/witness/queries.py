"""NTP: every captured request is a query that a unit or workstation recorded, and every answer has its request."""

from collections import defaultdict
from collections.abc import Iterator

from coldaisle_analysis.witness.frames import Frame
from coldaisle_analysis.witness.journals import EARLY_NS, Journals
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import SECOND

_PATIENCE_NS = 3 * SECOND
"""Longest time from a query's line to its frame, in ns: a unit waits 2 s for an answer."""
_OUT_NS = 30 * SECOND
"""The longest time that a network needs to work again after a cable was plugged in, in ns."""


class Queries:
    """Follows the NTP exchanges of units and workstations through a shard's capture.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._lines = {
            unit: [line for line in lines if line["event"] == "time"]
            for unit, lines in (journals.of_units(shard) | journals.of_stations(shard)).items()
        }
        self._outages = {unit: journals.outages(unit) for unit in self._lines}
        stations = {host.ip: host.name for host in journals.plan.workstations.values()}
        self._names = journals.unit_names | stations
        self._open: dict[str, list[int]] = defaultdict(list)

    def explain(self, frame: Frame) -> Iterator[str]:
        """Yield the reason to doubt an NTP request or answer, if there is one."""
        if frame.target == BROKER.ip:
            unit = self._names[frame.source]
            lines = self._lines.get(unit, [])
            for line in lines:
                if line["at_ns"] - EARLY_NS <= frame.at_ns <= line["at_ns"] + _PATIENCE_NS:
                    lines.remove(line)
                    self._open[unit].append(frame.sport)
                    return
            yield f"is an NTP request that {unit} did not record"
        elif frame.dport in self._open[unit := self._names[frame.target]]:
            self._open[unit].remove(frame.dport)
        else:
            yield f"is an NTP answer to {unit}, which sent no request"

    def close(self) -> Iterator[Doubt]:
        """Yield the queries that the capture does not show, except failed ones of a unit whose cable is out."""
        for unit, lines in self._lines.items():
            for line in lines:
                out = any(
                    start - _PATIENCE_NS <= line["at_ns"] <= stop + _OUT_NS
                    for start, stop in self._outages[unit]
                )
                if "failed" not in line or not out:
                    missing = f"has an NTP query at {line['at_ns']} ns that is not in the capture"
                    yield Doubt(f"journal/{unit}.jsonl", missing)
