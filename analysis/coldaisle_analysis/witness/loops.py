"""Closed loops, followed a second time: which commands and readings would be others without attacks.

Nothing is shared with :mod:`coldaisle_analysis.truth.loops` but the control law and the response of a unit, which are vocabulary. The
witness reads the commands and readings out of the raw captures itself, and plays every day of a loop event by event in two worlds: this
one, and one without attacks, in which the controller hears what the unit published.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from coldaisle_analysis.witness import payloads
from coldaisle_analysis.witness.frames import Frame
from coldaisle_analysis.witness.journals import EARLY_NS, Journals, Line
from coldaisle_analysis.witness.loop_worlds import Worlds
from coldaisle_analysis.witness.streams import Publish, Streams
from coldaisle_analysis.witness.verdict import Doubt, Verdict
from coldaisle_contracts.addressing import BROKER
from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.control import RETURN_AIR
from coldaisle_contracts.journal import payload_digest
from coldaisle_contracts.loops import Loop, number
from coldaisle_contracts.stuck import frozen_at

_GOT, _TAKEN, _SENT, _HEARD, _CYCLE = range(5)
"""Events of a loop, in the order in which they count where they come at one time."""
_CHANGES = ("modify", "swallow", "hold")
"""Operations after which the broker does not have a reading, or not in time, or not as it was sent."""
_LATE_NS = SECOND
"""Largest time by which a segment with a reading may seem to follow its acknowledgement, in ns."""
Found = tuple[int, str] | Doubt
"""Place and episode of a frame that would be another one without attacks, or something that cannot be explained."""
_Event = tuple[int, int, Any]
"""Time in ns, sort and content of an event."""


class Loops:
    """Follows the loops of a shard: it is shown every frame, and decides at the end.

    Args:
        journals: the plan and the journals.
        shard: name of the shard.
    """

    def __init__(self, journals: Journals, shard: str) -> None:
        self._journals, self._shard, self._plan = journals, shard, journals.plan
        self._loops = journals.plan.loops
        topics = {topic for loop in self._loops.values() for topic in (loop.source, loop.topic)}
        self._streams = Streams(topics)
        self._attacks = {name for name, episode in journals.episodes.items() if not episode.row.benign}
        self._published: dict[str, list[Publish]] = defaultdict(list)
        self._segments: dict[str, list[tuple[int, Frame]]] = defaultdict(list)
        self._readings: dict[tuple[str, int, str], list[Line]] = defaultdict(list)
        for name in self._loops:
            for line in [*journals.units[shard, name], *journals.copies(shard, name)]:
                if line["event"] == "reading":
                    self._readings[name, line["slot"], line["client"].partition("-")[0]].append(line)

    def see(self, place: int, frame: Frame) -> None:
        """Take in a frame, by its place among the frames of the shard."""
        if not self._loops:
            return
        for publish in self._streams.read(place, frame):
            self._published[publish.topic].append(publish)
        if frame.payload and frame.target == BROKER.ip:
            self._segments[frame.source].append((place, frame))

    def decide(self, verdicts: list[tuple[Verdict, ...]]) -> Iterator[Found]:
        """Yield what attacks changed, and what cannot be explained.

        Args:
            verdicts: the verdicts on all frames so far.
        """
        for loop in self._loops.values():
            for day in range(self._plan.scenario.days):
                commands = [
                    publish
                    for publish in self._on(loop.topic, day)
                    if (publish.source, publish.target) == (loop.controller.host.ip, BROKER.ip)
                ]
                events = [*self._of_unit(loop, day, commands), *self._of_controller(loop, day, verdicts)]
                yield from self._played(loop, day, sorted(events, key=itemgetter(0, 1)), commands)

    def _played(self, loop: Loop, day: int, events: list[_Event], commands: list[Publish]) -> Iterator[Found]:
        """Play the events of a loop on a day."""
        worlds = Worlds(loop, frozen_at(self._plan.episodes, loop.unit.name))
        slots = self._plan.day_slots(day)
        for _, event, content in events:
            if event == _GOT:
                worlds.get(slots[content])
            elif event == _TAKEN:
                for sensor in worlds.take(content):
                    yield from self._carrying(loop, content, sensor, worlds.blamed)
            elif event == _SENT:
                worlds.send(*content)
            elif event == _HEARD:
                worlds.hear(*content)
            elif content < min(len(slots), len(commands)) and worlds.command(
                slots[content], _celsius(commands[content])
            ):
                yield from self._passed_on(loop, day, commands, content, worlds.blamed)
        if len(commands) != len(slots):
            yield Doubt(
                f"the commands to {loop.unit.name}",
                f"are {len(commands)} on day {day + 1}, for {len(slots)} slots",
            )
        yield from (Doubt(f"journal/{loop.controller.name}.jsonl", reason) for reason in worlds.doubts)

    def _of_unit(self, loop: Loop, day: int, commands: list[Publish]) -> Iterator[_Event]:
        """Yield what a unit got, took and sent on a day."""
        name, newest = loop.unit.name, _Newest(commands)
        taken_ns = {slot: self._plan.reading_ns(slot, name) for slot in self._plan.day_slots(day)}
        changed = {
            line["slot"]: line["episode"]
            for line in self._journals.attacker[self._shard]
            if self._changes(line, name)
        }
        for line in self._lines(
            [*self._journals.units[self._shard, name], *self._journals.copies(self._shard, name)], day
        ):
            if line["event"] == "received" and line["topic"] == loop.topic:
                if (place := newest.before(line)) is not None:
                    yield line["at_ns"], _GOT, place
            elif line["event"] == "reading":
                taken_ns[line["slot"]] = line.get("taken_ns", taken_ns.get(line["slot"], 0))
                value = number(line["value"])
                if line["client"] == loop.unit.client(RETURN_AIR) and value is not None:
                    yield line["sent_ns"], _SENT, (line["slot"], value, changed.get(line["slot"], ""))
        yield from ((at_ns, _TAKEN, slot) for slot, at_ns in taken_ns.items())

    def _changes(self, line: Line, unit: str) -> bool:
        """Tell whether a line is an attack's act on the return air of a unit, after which the broker does not have it as it was sent."""
        of_unit = line["event"] == "act" and (line["unit"], line["sensor"]) == (unit, RETURN_AIR)
        return of_unit and line["operation"] in _CHANGES and line["episode"] in self._attacks

    def _of_controller(self, loop: Loop, day: int, verdicts: list[tuple[Verdict, ...]]) -> Iterator[_Event]:
        """Yield what a controller heard of a unit on a day, and the times of its cycles."""
        uploads = [publish for publish in self._on(loop.source, day) if publish.target == BROKER.ip]
        newest, begun, counts = _Newest(uploads), dict[int, int](), Counter[str]()
        for line in self._lines(self._journals.companions[self._shard, loop.controller.name], day):
            if line["event"] == "message":
                at = counts[line["topic"]]
                begun[at] = min(line["sent_ns"], begun.get(at, line["sent_ns"]))
                counts[line["topic"]] += 1
            elif line["event"] == "received" and line["topic"] == loop.source:
                place = newest.before(line)
                value = None if place is None else loop.return_air(uploads[place].payload.decode("latin-1"))
                if place is not None and value is not None:
                    able = verdicts[uploads[place].place]
                    attack = able[0].episode if len(able) == 1 and able[0].label else ""
                    yield line["at_ns"], _HEARD, (value, attack)
        yield from ((at_ns, _CYCLE, at) for at, at_ns in begun.items())

    def _passed_on(
        self, loop: Loop, day: int, commands: list[Publish], at: int, episode: str
    ) -> Iterator[Found]:
        """Yield the frames with a command: on its way to the broker, and from there to the unit."""
        yield commands[at].place, episode
        places = [command.place for command in commands]
        for publish in self._on(loop.topic, day):
            if publish.target == loop.unit.host.ip and bisect_right(places, publish.place) == at + 1:
                yield publish.place, episode

    def _carrying(self, loop: Loop, slot: int, sensor: int, episode: str) -> Iterator[Found]:
        """Yield the frames with a reading."""
        client, segments = loop.unit.client(sensor), self._segments[loop.unit.host.ip]
        for line in self._readings[loop.unit.name, slot, client]:
            begin = bisect_left(segments, line["sent_ns"] - EARLY_NS, key=_time)
            end = bisect_right(segments, line["acked_ns"] + _LATE_NS, key=_time)
            for place, frame in segments[begin:end]:
                here = frame.sport == line["port"] or line["attempts"] > 1
                if here and payloads.is_end_of(frame.payload, loop.unit, line):
                    yield place, episode

    def _on(self, topic: str, day: int) -> list[Publish]:
        start_ns = self._plan.day_ns(day)
        return [publish for publish in self._published[topic] if start_ns <= publish.at_ns < start_ns + DAY]

    def _lines(self, lines: list[Line], day: int) -> list[Line]:
        """Return the lines of a day."""
        start_ns = self._plan.day_ns(day)
        times = ((line, line.get("at_ns") or line.get("sent_ns") or 0) for line in lines)
        return [line for line, at_ns in times if start_ns <= at_ns < start_ns + DAY]


class _Newest:
    """Finds, for a message that was received, the newest one with its payload that had been published before."""

    def __init__(self, published: list[Publish]) -> None:
        self._times: dict[str, list[int]] = defaultdict(list)
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, publish in enumerate(published):
            digest = payload_digest(publish.payload)
            self._times[digest].append(publish.at_ns)
            self._places[digest].append(place)

    def before(self, line: Line) -> int | None:
        """Return its place among those published, ``None`` for none."""
        count = bisect_right(self._times[line["digest"]], line["at_ns"] + EARLY_NS)
        return self._places[line["digest"]][count - 1] if count else None


def _celsius(command: Publish) -> int | None:
    return number(command.payload.decode("latin-1"))


def _time(segment: tuple[int, Frame]) -> int:
    return segment[1].at_ns
