"""The acts of an episode: operations, times and amounts, a pure function of the episode's seed."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Act, reading_ns
from coldaisle_contracts.rhythms import Rhythm
from coldaisle_contracts.scenario import BROKER, EpisodeSpec, Scenario
from coldaisle_contracts.taxonomy import Pace

COPY_SPACING = 2_000_000
"""Time between the copies for two sensors, in ns."""
BURST_GAP = (8_000_000, 30_000_000)
"""Least and greatest time between two copies of a burst, in ns, where the scenario names none."""
QUIET_S = 3.0
"""Time before a reading in which no act begins, in s."""
LEAD = 20_000_000
"""Time before a reading at which the attacker wakes, in ns. It exceeds the timekeeper's lookahead, so the attacker is ready first."""
SWAP_NS = 100_000_000
"""Time from the next reading to the release of the one that it overtakes, in ns."""
HIDDEN_S = (0.0002, 0.0007)
"""Least and greatest delay that the jitter of a unit's waking hides, in s."""
EACH_S, PACE = 0.005, 1e7
"""Time that a malformed packet takes with its connection, in s (half of that on 2 cores), and the rate of its bytes, in bytes/s."""
NEUTRAL = 20.0
"""Centre of forged values that name no sensor, in °C: the median of the supply air."""


@dataclass(frozen=True)
class Draft:
    """An episode while it is planned.

    Attributes:
        scenario: its scenario.
        start_ns: local midnight of the first day, in ns since the epoch.
        spec: its entry in the scenario.
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
        """Return the time at which the unit takes its readings of a slot, in ns; for the broker the first unit's."""
        unit = self.spec.unit or self.scenario.units[0]
        return reading_ns(self.scenario, self.start_ns, slot, unit)

    @property
    def rhythm(self) -> Rhythm:
        """When the unit takes its readings."""
        return self.scenario.rhythm_of(self.spec.unit)

    @property
    def slots(self) -> range:
        """The slots of the readings for which it lasts."""
        return self.rhythm.slots(self.rhythm.span(self.onset, self.spec.readings))

    @property
    def sensors(self) -> tuple[int, ...]:
        """The sensors attacked: none where the target is the broker, all where the unit itself plays the episode."""
        return () if self.spec.target == BROKER else self.spec.sensors

    @property
    def span_s(self) -> float:
        """Duration of an act, in s."""
        return span_s(self.spec.kind, self.parameters)

    def between(self, slot: int, share: tuple[float, float] = (0.0, 1.0)) -> int:
        """Return a random time between the reading of a slot and the next slot, in ns, early enough for an act to end.

        Args:
            slot: the slot.
            share: the part of that interval to draw from.
        """
        room = self.scenario.least_s(self.spec.unit) - QUIET_S - 1 - self.span_s
        return self.at(slot) + round((1 + self.rng.uniform(*share) * max(0.0, room)) * SECOND)


def effort_s(kind: str, parameters: dict[str, float]) -> float:
    """Return for how long an act of a kind works without a pause, in s: virtual time cannot skip that."""
    if kind == "malformed":
        return parameters["count"] * (EACH_S + parameters.get("size", 0.0) / PACE)
    return parameters["count"] / parameters["rate"] if "rate" in parameters else 0.0


def span_s(kind: str, parameters: dict[str, float]) -> float:
    """Return the duration of an act of a kind, in s."""
    patience = 1.5 * parameters["keepalive_s"] + 2 if kind == "slow-denial" else 0.0
    waits = parameters.get("hold_s", 0.0) + parameters.get("outage_s", 0.0)
    return effort_s(kind, parameters) + patience + waits


def strength(spec: EpisodeSpec, variant: str, rng: random.Random) -> tuple[float | None, dict[str, float]]:
    """Return the intensity of an episode and all its parameters: those that the scenario names, and those that follow from the intensity.

    A variant without parameters has no intensity.
    """
    drawn, sign = rng.random(), rng.choice((-1, 1))
    intensity = drawn if spec.intensity is None else spec.intensity
    values = {row.name: row.at(intensity, sign) for row in spec.rows(variant) if row.drawn}
    return round(intensity, 4) if values else None, values | spec.named


def acts_of(draft: Draft) -> tuple[Act, ...]:
    """Return the acts of an episode in the pace of its kind."""
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
        operation, amount = _edit_of_reading(draft, index)
        yield Act(slot=slot, sensor=sensor, operation=operation, amount=amount)


def _edit_of_reading(draft: Draft, index: int) -> tuple[str, float]:
    """Return operation and amount for the reading at an index of the episode.

    The operation is the edit of the kind, or the variant where that says how a value changes, on the path or in the sensor itself; the
    amount is the variant's first parameter. Drift and noise are shifts with another amount for each reading.
    """
    parameters = draft.parameters
    match draft.variant:
        case "shift":
            return "shift", round(parameters["size"], 2)
        case "drift":
            return "shift", round(parameters["size"] * (index + 1) / draft.spec.readings, 2)
        case "noise":
            return "shift", round(draft.rng.gauss(0, parameters["spread"]), 2)
        case variant:
            edit = draft.spec.row.edit
            amounts = (parameters[row.name] for row in draft.spec.rows(variant) if row.name in parameters)
            return variant if edit in ("", "modify") else edit, next(amounts, 0.0)


def _copies(draft: Draft) -> Iterator[Act]:
    count = round(draft.parameters.get("count", 1))
    for slot in draft.slots:
        gaps = [draft.rng.randint(*BURST_GAP) for _ in range(count - 1)]
        if "gap_s" in draft.parameters:
            gaps = [round(draft.parameters["gap_s"] * SECOND)] * (count - 1)
        room = round((draft.scenario.least_s(draft.spec.unit) - QUIET_S) * SECOND) - sum(gaps)
        times = list(itertools.accumulate(gaps, initial=draft.at(slot) + draft.rng.randint(SECOND, room)))
        for place, sensor in enumerate(draft.sensors):
            moved = tuple(time + place * COPY_SPACING for time in times)
            yield Act(slot=slot, sensor=sensor, operation="copy", times_ns=moved)


def _holds(draft: Draft) -> Iterator[Act]:
    for index, slot, sensor in _each(draft):
        if draft.spec.kind == "reordering":
            if index % 2 or index + 1 == draft.spec.readings:
                continue
            release = draft.at(slot + draft.rhythm.every) + SWAP_NS
        else:
            delay = draft.rng.uniform(*HIDDEN_S) if draft.spec.stealth else draft.parameters["delay_s"]
            release = draft.at(slot) + round(delay * SECOND)
        yield Act(
            slot=slot, sensor=sensor, operation="hold", times_ns=(release + COPY_SPACING * (sensor - 1),)
        )


def _queries(draft: Draft) -> Iterator[Act]:
    for slot in draft.slots:
        if draft.rhythm.is_nth(slot, draft.scenario.ntp_every):
            yield Act(slot=slot, sensor=0, operation="shift-clock", amount=draft.parameters["size"])


def _slots(draft: Draft) -> Iterator[Act]:
    kind = draft.spec.kind
    if draft.spec.row.actor == "unit":
        for index, slot in enumerate(draft.slots):
            warmed = draft.parameters.get("size", 0.0) * (1 - 0.5 ** (index + 1))
            yield Act(slot=slot, sensor=0, operation=kind, amount=round(warmed, 2))
        return
    for _, slot, sensor in _each(draft):
        due = draft.between(slot)
        if draft.spec.stealth:
            due = draft.at(slot) + round(draft.rng.uniform(*HIDDEN_S) * SECOND) + SECOND
        yield Act(slot=slot, sensor=sensor, operation=kind, amount=_forged(draft, sensor), times_ns=(due,))


def _forged(draft: Draft, sensor: int) -> float:
    """Return a forged value, in °C."""
    site, unit, size = draft.scenario.site, draft.spec.unit, draft.parameters.get("size", 0.0)
    if not sensor or unit is None:
        return round(NEUTRAL + size, 2) if size else 0.0
    median = site.units[unit].medians[sensor - 1]
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


def _bounds(draft: Draft) -> Iterator[Act]:
    bounds = (draft.onset, draft.at(draft.onset) - LEAD), (draft.slots[-1], draft.between(draft.slots[-1]))
    for (slot, due), sensor in itertools.product(bounds, draft.sensors):
        yield Act(slot=slot, sensor=sensor, operation=draft.spec.kind, times_ns=(due,))


def _before(draft: Draft) -> Iterator[Act]:
    for _, slot, sensor in _each(draft):
        due = draft.at(slot) - LEAD
        yield Act(slot=slot, sensor=sensor, operation=draft.spec.kind, times_ns=(due,))


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
    "bounds": _bounds,
    "before": _before,
    "outage": _outage,
}
