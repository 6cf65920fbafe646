"""What the journals of a run say so far, put in order of episodes, sensors and shards."""

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from coldaisle_contracts.topics import base_id, sensor_of

Sensor = tuple[str, int]
"""A unit and the number of one of its sensors."""


class Deed(NamedTuple):
    """An act as it was played.

    Attributes:
        at_ns: virtual time.
        episode: id of the episode.
        unit: unit attacked, or ``broker``.
        slot: slot of the reading; -1 for none.
        sensor: number of the sensor; 0 for none.
        operation: what was done.
        before: value as it was sent; ``None`` where the act concerns no reading.
        after: value that the broker got; ``None`` where it got none.
    """

    at_ns: int
    episode: str
    unit: str
    slot: int
    sensor: int
    operation: str
    before: str | None
    after: str | None


class Times:
    """Virtual times of events, in ns, in order within a shard."""

    def __init__(self) -> None:
        self._ns = array("q")

    def add(self, at_ns: int) -> None:
        """Add a time; one that is earlier than the last is put in its place."""
        if self._ns and at_ns < self._ns[-1]:
            self._ns.insert(bisect_right(self._ns, at_ns), at_ns)
        else:
            self._ns.append(at_ns)

    def until(self, at_ns: int) -> int:
        """Return how many are not later."""
        return bisect_right(self._ns, at_ns)

    @property
    def first(self) -> int | None:
        """The first one."""
        return self._ns[0] if self._ns else None


@dataclass
class Pace:
    """The timeline of a shard: wall times and offsets, in ns, as the timekeeper wrote them."""

    walls: "array[int]" = field(default_factory=lambda: array("q"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))

    def virtual_ns(self, wall_ns: int | None = None) -> int:
        """Return the virtual time at a wall time, by default at the last line."""
        place = len(self.walls) - 1
        if wall_ns is not None:
            place = max(0, bisect_right(self.walls, wall_ns) - 1)
        return (self.walls[place] if wall_ns is None else wall_ns) + self.offsets[place]

    def wall_at(self, virtual_ns: int) -> int:
        """Return the wall time of the first line at which virtual time has reached an instant."""
        reached = range(len(self.walls))
        place = bisect_left(reached, virtual_ns, key=lambda row: self.walls[row] + self.offsets[row])
        return self.walls[min(place, len(self.walls) - 1)]


class Record:
    """What the lines of the journals say; lines of one file come in their order, files in any.

    Attributes:
        phases: virtual time of each phase, by episode.
        deeds: every act.
        frames: times of the anomalous frames that pass the capture, by episode.
        sent: the value of each reading by slot, by sensor.
        names: client ids on the wire, by unit.
        paces: timeline by shard.
        captured: packets and drops of sealed captures, by path.
        odd: number of lines that lack what such a line has.
    """

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, int]] = defaultdict(dict)
        self.deeds: list[Deed] = []
        self.frames: dict[str, Times] = defaultdict(Times)
        self.sent: dict[Sensor, dict[int, float]] = defaultdict(dict)
        self.names: dict[str, set[str]] = defaultdict(set)
        self.paces: dict[str, Pace] = defaultdict(Pace)
        self.captured: dict[str, tuple[str, int, int]] = {}
        self.odd = 0

    def add(self, unit: str, lines: list[dict[str, Any]]) -> None:
        """Take in new lines of the journal of a unit or another program."""
        for line in lines:
            try:
                self._take(unit, line)
            except (KeyError, TypeError, ValueError, OverflowError):
                self.odd += 1

    def _take(self, unit: str, line: dict[str, Any]) -> None:
        match line["event"]:
            case "frame":
                if line["anomalous"] and line["side"] == "broker":
                    self.frames[line["episode"]].add(line["at_ns"])
            case "reading":
                self.sent[unit, sensor_of(base_id(line["client"]))][line["slot"]] = float(line["value"])
            case "act":
                self.deeds.append(
                    Deed(
                        *(
                            line[key]
                            for key in (
                                "at_ns",
                                "episode",
                                "unit",
                                "slot",
                                "sensor",
                                "operation",
                                "before",
                                "after",
                            )
                        )
                    )
                )
            case "episode":
                self.phases[line["episode"]].setdefault(line["phase"], int(line["at_ns"]))
            case "offset":
                pace = self.paces[line["shard"]]
                pace.walls.append(line["wall_ns"])
                pace.offsets.append(line["offset_ns"])
            case "sealed":
                self.captured[line["file"]] = line["shard"], int(line["packets"]), int(line["kernel_drops"])
            case "connect":
                self.names[unit].add(str(line["name"]))
            case _:
                pass

    def received(self, until_ns: int) -> Iterator[tuple[Sensor, int, float | None]]:
        """Yield the readings that the broker got otherwise than they were sent: sensor, slot, value; ``None`` where it got none."""
        for deed in self.deeds:
            if deed.before is None or deed.slot < 0 or not deed.sensor or deed.at_ns > until_ns:
                continue
            try:
                yield (deed.unit, deed.sensor), deed.slot, None if deed.after is None else float(deed.after)
            except ValueError:
                continue
