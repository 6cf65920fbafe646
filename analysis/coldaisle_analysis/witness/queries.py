"""NTP: every captured request is a query that a unit recorded, and every answer has its request."""

from collections import defaultdict
from collections.abc import Iterator

from coldaisle_analysis.witness.frames import Frame
from coldaisle_analysis.witness.journals import Journals, Line
from coldaisle_analysis.witness.verdict import Doubt
from coldaisle_contracts.addressing import BROKER, UNITS
from coldaisle_contracts.clock import SECOND

_EARLY_NS = 10_000_000
"""How much earlier than its line a frame may seem to be, in ns: the error of virtual time."""
_PATIENCE_NS = 3 * SECOND
"""Longest time from a query's line to its frame, in ns: a unit waits 2 s for an answer."""
_OUT_NS = 30 * SECOND
"""The longest time that a network needs to work again after a cable was plugged in, in ns."""
_NAMES = {unit.ip: unit.name for unit in UNITS.values()}


class Queries:
    """Follows the units' NTP exchanges through a shard's capture.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._lines: dict[str, list[Line]] = {
            unit: [line for line in journals.units[shard, unit] if line["event"] == "time"]
            for unit in journals.plan.scenario.units
        }
        self._outages = {unit: journals.outages(unit) for unit in self._lines}
        self._open: dict[str, list[int]] = defaultdict(list)

    def explain(self, frame: Frame) -> list[Doubt]:
        """Return the doubts about an NTP request or answer."""
        if frame.target == BROKER.ip:
            unit = _NAMES[frame.source]
            lines = self._lines.get(unit, [])
            for line in lines:
                if line["at_ns"] - _EARLY_NS <= frame.at_ns <= line["at_ns"] + _PATIENCE_NS:
                    lines.remove(line)
                    self._open[unit].append(frame.sport)
                    return []
            return [Doubt(frame.name, f"asks for the time, and {unit} recorded no such query")]
        unit = _NAMES[frame.target]
        if frame.dport in self._open[unit]:
            self._open[unit].remove(frame.dport)
            return []
        return [Doubt(frame.name, f"tells {unit} the time, which did not ask")]

    def close(self) -> Iterator[Doubt]:
        """Yield the queries that the capture does not show, except failed ones of a unit whose cable is out."""
        for unit, lines in self._lines.items():
            for line in lines:
                out = any(
                    start - _PATIENCE_NS <= line["at_ns"] <= stop + _OUT_NS
                    for start, stop in self._outages[unit]
                )
                if "failed" not in line or not out:
                    yield Doubt(
                        f"journal/{unit}.jsonl",
                        f"says that it asked for the time at {line['at_ns']} ns: the capture shows no such query",
                    )
