"""The episodes that a scenario leaves to its seed: targets and times, a pure function of the seed."""

import itertools
import random
from collections.abc import Iterator
from typing import TypeVar

from coldaisle_contracts.demands import playable_anywhere, unmet
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS, KindName
from coldaisle_contracts.plan import seed_for
from coldaisle_contracts.scenario import EpisodeSpec, Scenario
from coldaisle_contracts.topics import SENSORS

MARGIN = 3
"""Readings of a unit between two episodes on it, and before the first of a day, for getting on the path."""

Placed = tuple[int, EpisodeSpec]
"""An episode and its first slot."""
T = TypeVar("T")


def lead(spec: EpisodeSpec, variant: str | None = None, parameters: dict[str, float] | None = None) -> int:
    """Return how many readings before its onset an episode gets on the path.

    A replay has to see first what it replays. Without variant and parameters this is the greatest number that the kind can need.
    """
    variant = variant or spec.variant
    lags = [row for row in spec.row.parameters if row.name == "lag" and (variant is None or row.of(variant))]
    values = parameters if parameters is not None else spec.named
    return max([1, *(int(values.get("lag", row.most)) for row in lags)])


def tail(scenario: Scenario, spec: EpisodeSpec) -> int:
    """Return how many readings an episode may reach beyond its last one; a forged clock stays wrong until the next query."""
    return max(spec.row.tail, scenario.ntp_every if spec.row.pace == "queries" else 0)


def needed(scenario: Scenario, slot: int, spec: EpisodeSpec, margin: int = 0) -> range:
    """Return the slots that an episode needs, from getting on the path to its tail, and those of some more readings on either side."""
    rhythm = scenario.rhythm_of(spec.unit)
    inside = rhythm.span(slot, spec.readings)
    before, behind = lead(spec) + margin, tail(scenario, spec) + margin
    return range(inside.start - before * rhythm.every, inside.stop + behind * rhythm.every)


def claims(scenario: Scenario, slot: int, spec: EpisodeSpec) -> set[tuple[str, int]]:
    """Return the (target, slot) pairs that an episode needs, including those for getting on the path."""
    return {(spec.target, claimed) for claimed in needed(scenario, slot, spec)}


def plays(scenario: Scenario, slot: int, spec: EpisodeSpec) -> bool:
    """Tell whether an episode would have any act: two readings that can change places, an NTP query to forge."""
    if spec.kind == "reordering":
        return spec.readings > 1
    if spec.row.pace == "queries":
        rhythm = scenario.rhythm_of(spec.unit)
        slots = rhythm.slots(rhythm.span(slot, spec.readings))
        return any(rhythm.is_nth(query, scenario.ntp_every) for query in slots)
    return True


def draw(scenario: Scenario, named: list[Placed], place: str) -> list[Placed]:
    """Draw episodes by seed: kinds in proportion, days and units in turn, hours spread.

    Args:
        scenario: the scenario.
        named: the episodes that it names, which the drawn ones avoid.
        place: name of the scenario in an error.

    Raises:
        InputError: if no day is left for them, or fewer fit than asked for.
    """
    drawn = scenario.drawn
    if not drawn.count:
        return []
    days = list(range(drawn.clean_days, scenario.days))
    if not days:
        remedy = f"give less than {scenario.days}, so that a day of the run is left for episodes"
        raise InputError(f"{place}: key drawn.clean_days", remedy, drawn.clean_days)
    rng = random.Random(seed_for(scenario.seed, "episodes"))  # noqa: S311 - a simulation, not a secret
    able = {kind: playable_anywhere(scenario, kind) for kind in drawn.kinds}
    weights = {kind: weight for kind, weight in drawn.kinds.items() if able[kind]}
    if not weights:
        raise InputError(
            f"{place}: key drawn.kinds", "no unit of the site can play these: name others", list(drawn.kinds)
        )
    kinds = _in_proportion(weights, drawn.count)  # kind by kind, so each day is dealt its share of each
    busy = {claim for slot, spec in named for claim in claims(scenario, slot, spec)}
    units, hours = _deck(list(scenario.units), rng), _deck(list(range(24)), rng)
    variants = {kind: _deck(list(able[kind]), rng) for kind in weights}
    placed: list[Placed] = []
    combinations: set[tuple[int, str, str, str]] = set()
    for number, kind in enumerate(kinds):
        variant, day = next(variants[kind]), days[number % len(days)]
        for hour in itertools.islice(hours, 400):
            unit = None if KINDS[kind].target == "broker" else next(units)
            slot, spec = _candidate(scenario, (kind, variant), unit, day, hour, rng)
            reach = {(spec.target, near) for near in needed(scenario, slot, spec, MARGIN - 1)}
            same = (hour, spec.target, kind, variant)
            if not reach & busy and same not in combinations and _fits(scenario, slot, spec):
                combinations.add(same)
                busy |= claims(scenario, slot, spec)
                placed.append((slot, spec))
                break
        else:
            remedy = f"only {number} episodes fit: ask for fewer or shorter ones"
            raise InputError(f"{place}: key drawn.count", remedy, drawn.count)
    return placed


def _in_proportion(weights: dict[KindName, float], count: int) -> list[KindName]:
    total, kinds, acc = sum(weights.values()), list[KindName](), 0.0
    for kind, weight in weights.items():
        acc += weight / total * count
        kinds += [kind] * (round(acc) - len(kinds))
    return kinds


def _deck(cards: list[T], rng: random.Random) -> Iterator[T]:
    """Yield the items in a random order, then all of them in another, and so on, so that each comes equally often."""
    while True:
        rng.shuffle(cards)
        yield from list(cards)


def _fits(scenario: Scenario, slot: int, spec: EpisodeSpec) -> bool:
    per_day = scenario.slots_per_day
    end = needed(scenario, slot, spec).stop - 1
    first = (MARGIN + lead(spec) - 1) * scenario.rhythm_of(spec.unit).every
    return (
        slot % per_day >= first
        and end <= min((slot // per_day + 1) * per_day, scenario.slots)
        and plays(scenario, slot, spec)
        and unmet(scenario, spec.kind, str(spec.variant), spec.unit) is None
    )


def _candidate(
    scenario: Scenario, what: tuple[KindName, str], unit: str | None, day: int, hour: int, rng: random.Random
) -> Placed:
    per_hour = max(1, round(3600 / scenario.interval_s))
    in_day = int(hour * 3600 / scenario.interval_s) + rng.randrange(per_hour)
    in_day = scenario.rhythm_of(unit).nearest(in_day, scenario.slots_per_day)
    clock, row = int(in_day * scenario.interval_s), KINDS[what[0]]
    readings = rng.randint(*scenario.drawn.readings)
    sensors = tuple(sorted(rng.sample(SENSORS, rng.randint(1, len(SENSORS)))))
    spec = EpisodeSpec.model_validate(
        {
            "kind": what[0],
            "variant": what[1],
            "unit": unit,
            "day": day + 1,
            "start": f"{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}",
            "readings": 1 if row.brief else readings,
            "stealth": scenario.drawn.stealth and row.stealth,
            **({"sensors": sensors} if row.picks_sensors else {}),
        }
    )
    return day * scenario.slots_per_day + in_day, spec
