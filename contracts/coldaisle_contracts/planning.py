"""Planning: a scenario and its seed turned into the plan; pure."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.draws import Placed, claims, draw
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Act, Episode, Operation, Plan, reading_ns, seed_for
from coldaisle_contracts.scenario import EpisodeSpec, Scenario
from coldaisle_contracts.taxonomy import KINDS

LEAD = 20_000_000
"""The attacker wakes so long before a reading, ns: longer than the timekeeper's lookahead, so it is ready first."""
TRAIL = 60_000_000
"""An episode ends so long after its last frame, ns: the delayed ACK (40 ms) still belongs to it."""
COPY_SPACING = 2_000_000
"""Copies for several sensors follow one another at this distance, ns."""
BURST_GAP = (8_000_000, 30_000_000)
"""The copies of a burst follow one another at this distance, ns, where the scenario names none."""
MOST_DRAWN = 5
"""Copies of a reading in a burst drawn by seed, at most."""
ROOM_S = 3.0
"""The last copy of a reading comes so long before the next one, s."""


def build_plan(scenario: Scenario, place: str = "scenario") -> Plan:
    """Turn a scenario into its plan.

    Args:
        scenario: what the run is meant to be.
        place: what to call the scenario in an error, usually its file.

    Raises:
        InputError: for an episode outside the run, one too early in its day, or two that overlap.
    """
    start = scenario.start
    start_ns = int(start.timestamp()) * SECOND
    specs = [
        _named(scenario, spec, f"{place}: key episodes.{index}")
        for index, spec in enumerate(scenario.episodes)
    ]
    _refuse_overlap(scenario, specs, place)
    for slot, spec in draw(scenario, specs, place):
        _refuse_silence(scenario, spec, f"{place}: key drawn")
        specs.append((slot, spec))
    specs.sort(key=lambda pair: (pair[0], pair[1].unit))
    episodes = tuple(
        _episode(scenario, start_ns, f"e{number:02d}", slot, spec)
        for number, (slot, spec) in enumerate(specs, 1)
    )
    offset = start.utcoffset()
    assert offset is not None  # noqa: S101 - an aware datetime has one
    return Plan(
        scenario=scenario, start_ns=start_ns, utc_offset_s=int(offset.total_seconds()), episodes=episodes
    )


def _named(scenario: Scenario, spec: EpisodeSpec, place: str) -> Placed:
    per_day, interval = scenario.slots_per_day, scenario.interval_s
    clock = datetime.combine(scenario.first_day, spec.start)
    in_day = -(-(clock.hour * 3600 + clock.minute * 60 + clock.second) // int(interval))
    slot = (spec.day - 1) * per_day + in_day
    if slot >= scenario.slots:
        raise InputError(
            f"{place}.day and .start",
            f"lies outside the run of {scenario.duration_h:g} h",
            f"{spec.day}, {spec.start}",
        )
    if in_day < 2:  # noqa: PLR2004 - one slot connects, one gets on the path
        remedy = f"start at {int(2 * interval) // 60:02d} minutes past midnight or later: the path is taken one slot before"
        raise InputError(f"{place}.start", remedy, str(spec.start))
    if slot + spec.readings > min((spec.day) * per_day, scenario.slots):
        raise InputError(
            f"{place}.readings",
            "ends after its day or the run: make it shorter or start earlier",
            spec.readings,
        )
    if spec.unit not in scenario.units:
        raise InputError(f"{place}.unit", f"does not run: use one of {', '.join(scenario.units)}", spec.unit)
    _refuse_silence(scenario, spec, place)
    _refuse_crowd(scenario, spec, place)
    return slot, spec


def _refuse_silence(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse a removal so long that the broker would drop the client: MQTT 3.1 allows 1.5 keepalives of silence."""
    longest = int(1.5 * scenario.keepalive_s / scenario.interval_s) - 1
    if spec.kind == "removal" and spec.readings > longest:
        remedy = f"silent for longer than the broker's patience: at most {longest} readings, or a longer keepalive_s"
        raise InputError(f"{place}.readings", remedy, spec.readings)


def _refuse_crowd(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse copies that would not all come before the next reading."""
    count = round(spec.size if spec.size is not None else MOST_DRAWN)
    room = scenario.interval_s - ROOM_S - 1
    if spec.gap_s is not None and (count - 1) * spec.gap_s > room:
        remedy = f"{count} copies so far apart do not fit before the next reading: at most {room / (count - 1):.3g} s"
        raise InputError(f"{place}.gap_s", remedy, spec.gap_s)


def _refuse_overlap(scenario: Scenario, specs: list[Placed], place: str) -> None:
    claimed: dict[tuple[str, int], int] = {}
    for index, (slot, spec) in enumerate(specs):
        for claim in claims(slot, spec):
            if claim in claimed:
                remedy = f"overlaps episodes.{claimed[claim]} on {spec.unit}: leave two intervals of {scenario.interval_s:g} s between"
                raise InputError(f"{place}: key episodes.{index}.start", remedy, str(spec.start))
            claimed[claim] = index


def _episode(scenario: Scenario, start_ns: int, name: str, onset: int, spec: EpisodeSpec) -> Episode:
    rng = random.Random(seed_for(scenario.seed, f"episode/{spec.unit}/{onset}"))  # noqa: S311
    variant = spec.variant or rng.choice(KINDS[spec.kind].variants)

    def at(slot: int) -> int:
        return reading_ns(scenario, start_ns, slot, spec.unit)

    acts = tuple(_acts(scenario, spec, variant, onset, at, rng))
    last = max([at(onset + spec.readings - 1), *(copy for act in acts for copy in act.copies_ns)])
    return Episode(
        id=name,
        kind=spec.kind,
        variant=variant,
        unit=spec.unit,
        onset=onset,
        readings=spec.readings,
        sensors=spec.sensors,
        approach_ns=at(onset - 1) - LEAD,
        begin_ns=at(onset) - LEAD,
        end_ns=last + TRAIL,
        acts=acts,
    )


def _acts(
    scenario: Scenario,
    spec: EpisodeSpec,
    variant: str,
    onset: int,
    at: Callable[[int], int],
    rng: random.Random,
) -> Iterator[Act]:
    """Yield what the attacker does to which reading."""
    if spec.kind == "interception":
        return
    size = spec.size if spec.size is not None else _size(variant, rng)
    for index in range(spec.readings):
        slot = onset + index
        times = _copies(scenario, spec, at(slot), round(size), rng) if spec.kind == "duplication" else ()
        for place, sensor in enumerate(spec.sensors):
            if spec.kind == "removal":
                yield Act(slot=slot, sensor=sensor, operation="swallow")
            elif spec.kind == "duplication":
                copies = tuple(time + place * COPY_SPACING for time in times)
                yield Act(slot=slot, sensor=sensor, operation="copy", copies_ns=copies)
            elif variant in ("shift", "drift"):
                grown = size if variant == "shift" else size * (index + 1) / spec.readings
                yield Act(slot=slot, sensor=sensor, operation="shift", amount=round(grown, 2))
            else:
                scaled = variant == "scale"
                operation: Operation = "scale" if scaled else "freeze"
                yield Act(slot=slot, sensor=sensor, operation=operation, amount=size if scaled else 0.0)


def _size(variant: str, rng: random.Random) -> float:
    """Draw how strong an episode is: °C, factor or copies, from barely visible to blatant."""
    sign = rng.choice((-1, 1))
    if variant in ("shift", "drift"):
        return round(sign * rng.uniform(0.5, 4.0), 2)
    if variant == "scale":
        return round(1 + sign * rng.uniform(0.04, 0.25), 3)
    return {"once": 1, "burst": rng.randint(2, MOST_DRAWN)}.get(variant, 0)


def _copies(
    scenario: Scenario, spec: EpisodeSpec, reading: int, count: int, rng: random.Random
) -> tuple[int, ...]:
    """Draw when copies of a reading come before the next one, ns since the epoch."""
    gaps = [rng.randint(*BURST_GAP) for _ in range(count - 1)]
    if spec.gap_s is not None:
        gaps = [round(spec.gap_s * SECOND)] * (count - 1)
    first = rng.randint(SECOND, round((scenario.interval_s - ROOM_S) * SECOND) - sum(gaps))
    return tuple(itertools.accumulate(gaps, initial=reading + first))
