"""Acts: what is done in an episode, when and how strongly; drawn from its seed, pure."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act, reading_ns
from coldaisle_contracts.scenario import BROKER, EpisodeSpec, Scenario
from coldaisle_contracts.taxonomy import Pace

COPY_SPACING = 2_000_000
"""Copies for several sensors follow one another at this distance, ns."""
BURST_GAP = (8_000_000, 30_000_000)
"""The copies of a burst follow one another at this distance, ns, where the scenario names none."""
QUIET_S = 3.0
"""The last thing done between two readings comes so long before the next one, s."""
SWAP_NS = 100_000_000
"""A reading that changes places with the next one goes on so long after it, ns."""
HIDDEN_S = (0.0002, 0.0007)
"""Delay that stays inside the jitter of a unit's waking, s."""
EACH_S, PACE = 0.005, 1e7
"""A malformed packet takes so long, connection included, s, and more for its length, bytes/s; half of it on 2 cores."""
NEUTRAL = 20.0
"""What a forged value that names no sensor lies around, °C: the supply air's median."""


@dataclass(frozen=True)
class Draft:
    """An episode while it is planned.

    Attributes:
        scenario: its scenario.
        start_ns: local midnight of the first day, ns since the epoch.
        spec: what was asked for.
        variant: how it is played.
        onset: its first slot.
        parameters: its parameters, drawn ones included.
        rng: the episode's own generator.
    """

    scenario: Scenario
    start_ns: int
    spec: EpisodeSpec
    variant: str
    onset: int
    parameters: dict[str, float]
    rng: random.Random

    def at(self, slot: int) -> int:
        """Return when the unit takes its readings of a slot; for the broker, when the first unit's slot begins, ns."""
        unit = self.spec.unit or self.scenario.units[0]
        return reading_ns(self.scenario, self.start_ns, slot, unit)

    @property
    def slots(self) -> range:
        """The slots it lasts."""
        return range(self.onset, self.onset + self.spec.readings)

    @property
    def sensors(self) -> tuple[int, ...]:
        """The sensors attacked: none where the target is the broker, all where the unit itself plays."""
        return () if self.spec.target == BROKER else self.spec.sensors

    @property
    def span_s(self) -> float:
        """How long an act goes on, s."""
        return span_s(self.spec.kind, self.parameters)

    def between(self, slot: int, share: tuple[float, float] = (0.0, 1.0)) -> int:
        """Draw a time between a slot's reading and the next one, ns, at which an act still ends in time.

        Args:
            slot: the slot.
            share: the part of that time to draw from.
        """
        room = self.scenario.interval_s - QUIET_S - 1 - self.span_s
        return self.at(slot) + round((1 + self.rng.uniform(*share) * max(0.0, room)) * SECOND)


def effort_s(kind: str, parameters: dict[str, float]) -> float:
    """Return how long an act of a kind is busy without a pause, s: that takes real time."""
    if kind == "malformed":
        return parameters["count"] * (EACH_S + parameters.get("size", 0.0) / PACE)
    return parameters["count"] / parameters["rate"] if "rate" in parameters else 0.0


def span_s(kind: str, parameters: dict[str, float]) -> float:
    """Return how long an act of a kind goes on, s."""
    patience = 1.5 * parameters["keepalive_s"] + 2 if kind == "slow-denial" else 0.0
    waits = parameters.get("hold_s", 0.0) + parameters.get("outage_s", 0.0)
    return effort_s(kind, parameters) + patience + waits


def strength(spec: EpisodeSpec, variant: str, rng: random.Random) -> tuple[float | None, dict[str, float]]:
    """Return the intensity of an episode and all its parameters: named by the scenario, or what the intensity stands for.

    A variant without parameters has no intensity.
    """
    drawn, sign = rng.random(), rng.choice((-1, 1))
    intensity = drawn if spec.intensity is None else spec.intensity
    values = {row.name: row.at(intensity, sign) for row in spec.rows(variant) if row.drawn}
    return round(intensity, 4) if values else None, values | spec.named


def acts_of(draft: Draft) -> tuple[Act, ...]:
    """Return what is done in an episode, as its kind's pace lays it."""
    return tuple(_LAYERS[draft.spec.row.pace](draft))


def _each(draft: Draft) -> Iterator[tuple[int, int, int]]:
    """Yield index, slot and sensor of every reading attacked."""
    for index, slot in enumerate(draft.slots):
        for sensor in draft.sensors or (0,):
            yield index, slot, sensor


def _none(_: Draft) -> Iterator[Act]:
    return iter(())


def _readings(draft: Draft) -> Iterator[Act]:
    for index, slot, sensor in _each(draft):
        operation, amount = _done_to_a_reading(draft, index)
        yield Act(slot=slot, sensor=sensor, operation=operation, amount=amount)


def _done_to_a_reading(draft: Draft, index: int) -> tuple[str, float]:
    """Return operation and amount for the reading at an index of the episode.

    That is what the kind's row says: its edit, or the variant where that says how a value changes, and the variant's first
    parameter. Drift and noise are shifts, each reading by an amount of its own.
    """
    given = draft.parameters
    match draft.variant:
        case "shift":
            return "shift", round(given["size"], 2)
        case "drift":
            return "shift", round(given["size"] * (index + 1) / draft.spec.readings, 2)
        case "noise":
            return "shift", round(draft.rng.gauss(0, given["spread"]), 2)
        case variant:
            edit = draft.spec.row.edit
            amounts = (given[row.name] for row in draft.spec.rows(variant) if row.name in given)
            return variant if edit == "modify" else edit, next(amounts, 0.0)


def _copies(draft: Draft) -> Iterator[Act]:
    count = round(draft.parameters.get("count", 1))
    for slot in draft.slots:
        gaps = [draft.rng.randint(*BURST_GAP) for _ in range(count - 1)]
        if "gap_s" in draft.parameters:
            gaps = [round(draft.parameters["gap_s"] * SECOND)] * (count - 1)
        room = round((draft.scenario.interval_s - QUIET_S) * SECOND) - sum(gaps)
        times = list(itertools.accumulate(gaps, initial=draft.at(slot) + draft.rng.randint(SECOND, room)))
        for place, sensor in enumerate(draft.sensors):
            moved = tuple(time + place * COPY_SPACING for time in times)
            yield Act(slot=slot, sensor=sensor, operation="copy", times_ns=moved)


def _holds(draft: Draft) -> Iterator[Act]:
    for index, slot, sensor in _each(draft):
        if draft.spec.kind == "reordering":
            if index % 2 or index + 1 == draft.spec.readings:
                continue
            release = draft.at(slot + 1) + SWAP_NS
        else:
            delay = draft.rng.uniform(*HIDDEN_S) if draft.spec.stealth else draft.parameters["delay_s"]
            release = draft.at(slot) + round(delay * SECOND)
        yield Act(
            slot=slot, sensor=sensor, operation="hold", times_ns=(release + COPY_SPACING * (sensor - 1),)
        )


def _queries(draft: Draft) -> Iterator[Act]:
    for slot in draft.slots:
        if slot % draft.scenario.ntp_every == 0:
            yield Act(slot=slot, sensor=0, operation="shift-clock", amount=draft.parameters["size"])


def _slots(draft: Draft) -> Iterator[Act]:
    kind = draft.spec.kind
    if kind == "door":
        for index, slot in enumerate(draft.slots):
            warmed = draft.parameters["size"] * (1 - 0.5 ** (index + 1))
            yield Act(slot=slot, sensor=0, operation=kind, amount=round(warmed, 2))
        return
    for _, slot, sensor in _each(draft):
        due = draft.between(slot)
        if draft.spec.stealth:
            due = draft.at(slot) + round(draft.rng.uniform(*HIDDEN_S) * SECOND) + SECOND
        yield Act(slot=slot, sensor=sensor, operation=kind, amount=_forged(draft, sensor), times_ns=(due,))


def _forged(draft: Draft, sensor: int) -> float:
    """Return the value an attacker makes up, °C."""
    site, unit, size = draft.scenario.site, draft.spec.unit, draft.parameters.get("size", 0.0)
    if not sensor or unit is None:
        return round(NEUTRAL + size, 2) if size else 0.0
    median = site.medians[unit][sensor - 1]
    if draft.spec.stealth:
        least, most = site.normal(unit, sensor)
        return round(min(max(draft.rng.gauss(median, (most - least) / 6), least), most), 2)
    return round(median + size + draft.rng.gauss(0, site.noise[sensor - 1]), 2) if size else 0.0


def _once(draft: Draft) -> Iterator[Act]:
    count = draft.parameters.get("count", 0.0)
    due = (draft.between(draft.onset),)
    yield Act(slot=draft.onset, sensor=0, operation=draft.spec.kind, amount=count, times_ns=due)


def _ends(draft: Draft) -> Iterator[Act]:
    size = draft.parameters.get("size", 0.0)
    amount = round(NEUTRAL + size, 2) if draft.spec.kind == "retained-poisoning" else size
    first, last = draft.slots[0], draft.slots[-1]
    times = draft.between(first, (0.0, 0.4)), draft.between(last, (0.6, 1.0))
    for slot, operation, due in zip((first, last), ("start", "stop"), times, strict=True):
        yield Act(slot=slot, sensor=0, operation=operation, amount=amount, times_ns=(due,))


def _outage(draft: Draft) -> Iterator[Act]:
    half = round(draft.parameters["outage_s"] / 2 * SECOND)
    reading = draft.at(draft.onset)
    yield Act(
        slot=draft.onset, sensor=0, operation=draft.spec.kind, times_ns=(reading - half, reading + half)
    )


_LAYERS: dict[Pace, Callable[[Draft], Iterator[Act]]] = {
    "none": _none,
    "readings": _readings,
    "copies": _copies,
    "holds": _holds,
    "queries": _queries,
    "slots": _slots,
    "once": _once,
    "ends": _ends,
    "outage": _outage,
}
