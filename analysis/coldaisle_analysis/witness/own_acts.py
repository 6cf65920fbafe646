"""The acts of units: what a unit played itself is what the plan has, and its readings are recorded as these acts leave them."""

from collections import Counter
from collections.abc import Iterator

from coldaisle_analysis.witness.journals import Journals, Line
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act
from coldaisle_contracts.topics import SENSORS

_PROMPT_NS = 60 * SECOND
"""The longest time from an instant of the plan to what a unit does then, in ns, on a busy machine."""
_EARLY_NS = SECOND
"""Largest time by which a unit may seem to act before its time, in ns."""
Place = tuple[int, int]
"""Slot and sensor of a reading."""


def doubts(journals: Journals, unit: str, lines: list[Line]) -> Iterator[str]:
    """Yield the contradictions between a unit's own acts, its readings and the plan."""
    numbers = {client: sensor for sensor, client in enumerate(journals.plan.units[unit].clients, 1)}
    readings = {
        (line["slot"], numbers[line["client"]]): line
        for line in lines
        if line["event"] == "reading" and line["client"] in numbers
    }
    acts = [line for line in lines if line["event"] == "act"]
    slots = {slot for slot, _ in [*readings, *((line["slot"], 0) for line in acts)]}
    planned = [
        (episode.id, act)
        for episode in journals.plan.episodes
        if episode.row.actor == "unit" and episode.unit == unit
        for act in episode.acts
        if slots and min(slots) <= act.slot <= max(slots)
    ]
    yield from _played(planned, acts)
    by_operation = {
        name: {(act.slot, act.sensor): act for _, act in planned if act.operation == name}
        for name in ("swallow", "hold", "copy")
    }
    yield from _complete(slots, set(readings), set(by_operation["swallow"]))
    yield from _punctual(readings, by_operation["hold"])
    yield from _copied(readings, by_operation["copy"], acts)


def _played(planned: list[tuple[str, Act]], acts: list[Line]) -> Iterator[str]:
    """Check that each act of the plan is recorded once, and no other."""
    expected = Counter(
        (episode, act.slot, act.sensor, *part) for episode, act in planned for part in _parts(act)
    )
    names = ("episode", "slot", "sensor", "operation", "copy")
    recorded = Counter(tuple(line[name] for name in names) for line in acts)
    for fault, wrong in (
        ("does not say that it played", expected - recorded),
        ("says against the plan that it played", recorded - expected),
    ):
        for episode, slot, sensor, operation, copy in sorted(wrong)[:1]:
            number = f" {copy}" if copy else ""
            yield f"{fault} {operation}{number} of sensor {sensor} slot {slot} in {episode}"


def _parts(act: Act) -> list[tuple[str, int]]:
    """Return operation and number of the copy of every line that an act has."""
    match act.operation:
        case "copy":
            return [("copy", number) for number in range(1, len(act.times_ns) + 1)]
        case "hold":
            return [("hold", 0), ("release", 0)]
        case operation:
            return [(operation, 0)]


def _complete(slots: set[int], recorded: set[Place], silent: set[Place]) -> Iterator[str]:
    """Check that every reading is recorded, except those that a silent sensor did not take."""
    expected = {(slot, sensor) for slot in slots for sensor in SENSORS} - silent
    for fault, wrong in (
        ("has no reading where no act of its unit is the reason,", expected - recorded),
        ("has a reading that by the plan was never taken,", recorded - expected),
    ):
        for slot, sensor in sorted(wrong)[:1]:
            yield f"{fault} that of sensor {sensor} slot {slot}"


def _punctual(readings: dict[Place, Line], held: dict[Place, Act]) -> Iterator[str]:
    """Check that a reading is sent when it is taken, or when the plan says that its unit sends it."""
    for place, line in readings.items():
        due = held[place].times_ns[0] if place in held else line["taken_ns"]
        if not -_EARLY_NS <= line["sent_ns"] - due <= _PROMPT_NS:
            late_s = (line["sent_ns"] - due) / SECOND
            yield f"says that the reading of sensor {place[1]} slot {place[0]} was sent {late_s:.0f} s after its time"


def _copied(readings: dict[Place, Line], copied: dict[Place, Act], acts: list[Line]) -> Iterator[str]:
    """Check that a copy has the value of its reading, and is sent by the same sensor at its time."""
    for line in acts:
        place = line["slot"], line["sensor"]
        if line["operation"] != "copy" or place not in copied or place not in readings:
            continue  # no act of the plan, or no reading: both are found above
        value, times = readings[place]["value"], copied[place].times_ns
        if (line["client"], line["before"], line["after"]) != (readings[place]["name"], value, value):
            yield f"has a copy of sensor {place[1]} slot {place[0]} that is not its reading"
        due = dict(enumerate(times, 1)).get(line["copy"], 0)
        if not -_EARLY_NS <= line["at_ns"] - due <= _PROMPT_NS:
            yield f"says that copy {line['copy']} of sensor {place[1]} slot {place[0]} was not sent at its time"
