"""The plan of a scenario: a pure function of the scenario and its seed."""

import math
import random
from collections.abc import Iterable
from datetime import datetime

from coldaisle_contracts.acts import LEAD, Draft, acts_of, effort_s, strength
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.demands import imitated, playable, refuse_unplayable
from coldaisle_contracts.draws import Placed, claims, draw, lead, needed, plays
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.interval_limits import clipped, patience_s, refuse_overlong, refuse_short_interval
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Act, Episode, Plan, begins, seed_for
from coldaisle_contracts.scenario import EpisodeSpec, Scenario
from coldaisle_contracts.site_parameters import few
from coldaisle_contracts.topics import SENSORS

TRAIL = 60_000_000
"""Time from the last frame of an episode to its end, in ns: the delayed ACK (40 ms) still belongs to it."""
OVERHEAD = 200
"""Frames that any episode may take beside its acts, for repeated ARP claims and for restoring the caches."""
HANDSHAKE = (1, 1, 2)
"""Number by which the frames of an act are multiplied, by quality of service: a delivery of QoS 2 takes a handshake of four messages."""
PER_SLOT, PER_SENSOR = 80, 5
"""Frames that a subscriber may take to acknowledge the messages of a slot: of a few sensors in all, of many for each."""
PER_MESSAGE, MARGIN = 3, 20
"""Most messages of a companion in a slot: a multiple of their mean and some more, because events come by chance and the broker keeps some."""


class PlaceError(InputError):
    """An episode cannot lie where it is; elsewhere in the run it may."""


def build_plan(scenario: Scenario, place: str = "scenario", without: frozenset[str] = frozenset()) -> Plan:
    """Turn a scenario into its plan.

    Args:
        scenario: the scenario.
        place: name of the scenario in an error, usually its file.
        without: kinds that this machine cannot play; their episodes are left out.

    Raises:
        InputError: for an episode outside the run, one too early in its day, or two that overlap.
    """
    begin, steps = begins(scenario), _steps(scenario)
    episodes = tuple(
        _episode(scenario, begin["start_ns"], name, slot, spec).model_copy(
            update=steps.get((spec.target, slot), {})
        )
        for name, (slot, spec) in _laid_out(scenario, place)
        if spec.kind not in without
    )
    plan = Plan(scenario=scenario, episodes=episodes, **begin)
    _refuse_strangers(plan, place)
    return plan


def _laid_out(scenario: Scenario, place: str) -> list[tuple[str, Placed]]:
    """Return every episode with its id, in order of time; added ones change neither ids nor choices of the others."""
    by_key = _named(scenario, _keys_named(scenario), place)
    named = list(by_key.values())
    _refuse_overlap(scenario, by_key, place)
    drawn = draw(scenario, named, place)
    for _, spec in drawn:
        _refuse_silence(scenario, spec, f"{place}: key drawn")
        refuse_short_interval(scenario, spec.kind, f"{place}: key drawn.kinds")
    planned = sorted([*named, *drawn], key=_time)
    width = max(2, len(str(len(planned))))
    laid_out = {f"e{number:0{width}d}": placed for number, placed in enumerate(planned, 1)}
    added = _named(scenario, _keys_added(scenario), place)
    _refuse_overlap(scenario, laid_out | added, place)
    laid_out |= {f"a{number:02d}": placed for number, placed in enumerate(added.values(), 1)}
    return sorted(laid_out.items(), key=lambda pair: _time(pair[1]))


def _time(placed: Placed) -> tuple[int, str]:
    return placed[0], placed[1].target


def left_out(plan: Plan) -> tuple[str, ...]:
    """Return the kinds of a plan's scenario that it leaves out, because a machine could not play them."""
    every = {episode.kind for episode in build_plan(plan.scenario).episodes}
    return tuple(sorted(every - {episode.kind for episode in plan.episodes}))


def without_episodes(plan: Plan, names: Iterable[str]) -> Plan:
    """Return a plan without some of its episodes; ids, times and random choices of all others stay as they are.

    One thing can change beside: a host that a left-out episode would have unplugged may get misdirected frames, see
    :meth:`~coldaisle_contracts.plan.Plan.bystanders`.

    Args:
        plan: the plan.
        names: ids of the episodes to leave out.

    Raises:
        InputError: if the plan has no such episode.
    """
    known, left_out = {episode.id for episode in plan.episodes}, set(names)
    if unknown := sorted(left_out - known):
        remedy = f"the run has no such episode: name one of {', '.join(sorted(known)) or 'a run that has episodes'}"
        raise InputError("--episode", remedy, unknown[0])
    kept = tuple(episode for episode in plan.episodes if episode.id not in left_out)
    return plan.model_copy(update={"episodes": kept})


def planned_again(manifest: Manifest, place: str) -> Plan:
    """Return the plan of a run, made from the scenario in its manifest.

    Args:
        manifest: the run's manifest.
        place: name of the manifest in an error, usually its file.

    Raises:
        InputError: if the manifest holds no scenario, or this version makes another plan of it.
    """
    if manifest.definition is None:
        raise InputError(place, "it is of an old version and holds no scenario: name the run's folder")
    scenario = Scenario.check(manifest.definition, f"{place}: definition")
    plan = build_plan(scenario, f"{place}: definition", frozenset(manifest.left_out))
    if plan.digest() != manifest.plan_digest:
        remedy = f"this version makes another plan of its scenario: use {manifest.made_by}"
        raise InputError(f"{place}: key plan_digest", remedy, manifest.plan_digest)
    return plan


def _keys_named(scenario: Scenario) -> dict[str, EpisodeSpec]:
    """Return the episodes that a scenario names, and the steps of its chains, each with its key."""
    steps = {
        f"chains.{number}.steps.{index}": spec
        for number, chain in enumerate(scenario.chains)
        for index, spec in enumerate(chain.steps)
    }
    return {f"episodes.{index}": spec for index, spec in enumerate(scenario.episodes)} | steps


def _keys_added(scenario: Scenario) -> dict[str, EpisodeSpec]:
    return {f"added.{index}": spec for index, spec in enumerate(scenario.added)}


def _named(scenario: Scenario, specs: dict[str, EpisodeSpec], place: str) -> dict[str, Placed]:
    """Return the first slot of each of the episodes that a scenario names, by key."""
    return {key: _checked(scenario, spec, f"{place}: key {key}") for key, spec in specs.items()}


def _steps(scenario: Scenario) -> dict[tuple[str, int], dict[str, str | int]]:
    """Return chain and step of each episode of a chain; target and first slot tell any two episodes apart."""
    return {
        (spec.target, _first_slot(scenario, spec)): {"chain": chain.name, "step": number}
        for chain in scenario.chains
        for number, spec in enumerate(chain.steps, 1)
    }


def _first_slot(scenario: Scenario, spec: EpisodeSpec) -> int:
    """Return the first slot at or after the start of an episode in which its unit reports."""
    clock = datetime.combine(scenario.first_day, spec.start)
    in_day = math.ceil((clock.hour * 3600 + clock.minute * 60 + clock.second) / scenario.interval_s)
    return scenario.rhythm_of(spec.unit).next((spec.day - 1) * scenario.slots_per_day + in_day)


def _checked(scenario: Scenario, spec: EpisodeSpec, place: str) -> Placed:
    per_day, interval = scenario.slots_per_day, scenario.interval_s
    slot = _first_slot(scenario, spec)
    in_day = slot - (spec.day - 1) * per_day
    if slot >= scenario.slots:
        remedy = f"it lies outside of the run of {scenario.duration_h:g} h: start earlier"
        raise InputError(f"{place}.day and .start", remedy, f"{spec.day}, {spec.start}")
    before, every = lead(spec), scenario.rhythm_of(spec.unit).every
    earliest = (1 + before) * every  # the unit connects and reports once, then the path is taken
    if in_day < earliest:
        minutes, slots = int(earliest * interval) // 60, "slots" if before * every > 1 else "slot"
        remedy = f"start at {minutes:02d} minutes past midnight or later, because the path is taken {before * every} {slots} before"
        raise PlaceError(f"{place}.start", remedy, str(spec.start))
    if needed(scenario, slot, spec).stop - 1 > min(spec.day * per_day, scenario.slots):
        remedy = "the episode would end after its day or after the run: make it shorter, or start earlier"
        raise PlaceError(f"{place}.readings", remedy, spec.readings)
    if spec.unit in scenario.site.companions:
        kind = scenario.site.companions[spec.unit].kind
        remedy = f"it is a {kind}, and only units have readings to attack: use {few(scenario.units)}"
        raise InputError(f"{place}.unit", remedy, spec.unit)
    if spec.unit is not None and spec.unit not in scenario.units:
        remedy = f"this unit does not run: use {few(scenario.units)}"
        raise InputError(f"{place}.unit", remedy, spec.unit)
    refuse_unplayable(scenario, spec, place)
    _refuse_silence(scenario, spec, place)
    refuse_short_interval(scenario, spec.kind, f"{place}.kind")
    refuse_overlong(scenario, spec, place)
    _refuse_idleness(scenario, slot, spec, place)
    return slot, spec


def _refuse_silence(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse a removal that is so long that the broker would drop the client: MQTT 3.1 allows 1.5 keepalives of silence."""
    longest = int(patience_s(scenario, spec.unit) / scenario.interval_of(spec.unit)) - 1
    if spec.row.edit == "swallow" and spec.readings > longest:
        remedy = (
            f"give at most {longest}, or a longer keepalive_s, because the broker disconnects a silent client"
        )
        raise InputError(f"{place}.readings", remedy, spec.readings)


def _refuse_idleness(scenario: Scenario, slot: int, spec: EpisodeSpec, place: str) -> None:
    """Refuse an episode without any act."""
    if not plays(scenario, slot, spec):
        query = f"an NTP query, and one comes every {scenario.ntp_every} readings: give more readings"
        need = "2 readings or more, which change places" if spec.kind == "reordering" else query
        raise PlaceError(f"{place}.readings", f"{spec.kind} needs {need}", spec.readings)


def _refuse_overlap(scenario: Scenario, laid_out: dict[str, Placed], place: str) -> None:
    """Refuse episodes on one target that are too close; each comes with its key or its id."""
    claimed: dict[tuple[str, int], str] = {}
    for name, (slot, spec) in laid_out.items():
        for claim in claims(scenario, slot, spec):
            if claim in claimed:
                other = f"{claimed[claim]} on {spec.target}"
                apart_s = scenario.rhythm_of(spec.unit).every * scenario.interval_s
                remedy = f"it overlaps {other}: leave two intervals of {apart_s:g} s between them"
                raise PlaceError(f"{place}: key {name}.start", remedy, str(spec.start))
            claimed[claim] = name


def _refuse_strangers(plan: Plan, place: str) -> None:
    """Refuse to misdirect frames to a host that is not on the network all the time."""
    for key, spec in (_keys_named(plan.scenario) | _keys_added(plan.scenario)).items():
        number = spec.named.get("value")
        if spec.variant != "eth.dst" or number is None:
            continue
        numbers = sorted(host.number for host in plan.bystanders(spec.target))
        if number not in numbers:
            remedy = f"name the number of another host that stays on the network: {few(map(str, numbers))}"
            raise InputError(f"{place}: key {key}.value", remedy, number)


def _episode(scenario: Scenario, start_ns: int, name: str, onset: int, spec: EpisodeSpec) -> Episode:
    seed = seed_for(scenario.seed, f"episode/{spec.target}/{onset}")
    rng = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    variant = spec.variant or rng.choice(playable(scenario, spec.kind, spec.unit))
    intensity, parameters = strength(spec, variant, rng)
    parameters = clipped(scenario, spec, parameters)
    draft = Draft(scenario, start_ns, spec, variant, onset, parameters, rng)
    acts = acts_of(draft)
    approach_ns, begin_ns, end_ns = _phases(draft, acts)
    count = parameters.get("count", 0.0)
    row, sensors = spec.row, draft.sensors
    handshake = HANDSHAKE[scenario.site.units[imitated(scenario, spec.unit)].dialect.qos]
    reporting = len(SENSORS) * len(scenario.units) + _of_companions(scenario)
    return Episode(
        id=name,
        kind=spec.kind,
        variant=variant,
        unit=spec.target,
        onset=onset,
        readings=spec.readings,
        sensors=sensors,
        parameters=parameters,
        intensity=intensity,
        stealth=spec.stealth,
        normal={sensor: scenario.site.normal(spec.target, sensor) for sensor in sensors},
        seed=seed,
        packets=OVERHEAD
        + round(len(acts) * (handshake * row.frames + row.frames_each * count))
        + (0 if sensors else max(PER_SLOT, PER_SENSOR * reporting) * spec.readings),
        cost_s=round(len(acts) * (row.cost_s + effort_s(spec.kind, parameters)), 2),
        approach_ns=approach_ns,
        begin_ns=begin_ns,
        end_ns=end_ns,
        acts=acts,
    )


def _of_companions(scenario: Scenario) -> int:
    """Return the most messages that all companions publish in a slot."""
    companions = scenario.site.companions.values()
    return sum(
        math.ceil(PER_MESSAGE * companion.per_second * scenario.interval_s) + MARGIN
        for companion in companions
    )


def _phases(draft: Draft, acts: tuple[Act, ...]) -> tuple[int, int, int]:
    """Return the times at which an episode starts to approach, begins and ends, in ns."""
    times = [time for act in acts for time in act.times_ns]
    row, last = draft.spec.row, draft.at(draft.slots[-1])
    if row.on_path:
        before = lead(draft.spec, draft.variant, draft.parameters) * draft.rhythm.every
        approach = draft.at(draft.onset - before) - LEAD
        stay = max(
            TRAIL, round(row.cost_s * SECOND)
        )  # frames that follow from the last act are still to pass
        return approach, draft.at(draft.onset) - LEAD, max([last, *times]) + stay
    onset = draft.at(draft.onset)
    first = (onset if row.on_readings else min(times, default=onset)) - LEAD
    least = last if row.on_readings or row.pace == "slots" else first
    end = max([least, *times]) + round(draft.span_s * SECOND) + TRAIL
    return first, first, end
