"""Adding an episode to the plan of a run that is being played: a pure function of plan, wish and time."""

import random
from collections.abc import Mapping
from datetime import time
from typing import Any

from coldaisle_contracts.draws import lead
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Episode, Plan, seed_for
from coldaisle_contracts.planning import PlaceError, build_plan, left_out
from coldaisle_contracts.scenario import EpisodeSpec

COMMAND = "inject"
"""Place of a wish in an error."""


def add(plan: Plan, wish: Mapping[str, Any], day: int, from_ns: int) -> tuple[Plan, Episode]:
    """Return a plan with one more episode, and that episode: at the first start from which it is apart from all others.

    Args:
        plan: the plan.
        wish: the keys of the episode as in a scenario, without ``day`` and ``start``.
        day: the day, from 0.
        from_ns: virtual time before which its actor cannot begin to prepare, in ns.

    Raises:
        InputError: if a key is not valid, the run leaves the kind out, or no start is left on the day.
    """
    without, wish = left_out(plan), _with_variant(plan, wish)
    for slot in plan.day_slots(day):
        if plan.reading_ns(slot, plan.scenario.units[0]) < from_ns:
            continue
        spec = EpisodeSpec.check({**wish, "day": day + 1, "start": _start(plan, slot)}, COMMAND)
        if spec.kind in without:
            raise InputError(f"{COMMAND}: key kind", "this run leaves it out: name another kind", spec.kind)
        added = (*plan.scenario.added, spec)
        scenario = plan.scenario.model_copy(update={"added": added})
        try:
            fresh = build_plan(scenario, COMMAND, frozenset(without))
        except PlaceError:
            continue
        name = f"a{len(added):02d}"
        (episode,) = (episode for episode in fresh.episodes if episode.id == name)
        if episode.approach_ns >= from_ns:
            return fresh, episode
    remedy = f"no room is left for it before the end of day {day + 1}: give fewer readings, or another unit"
    raise InputError(f"{COMMAND}: key kind", remedy, wish["kind"])


def _with_variant(plan: Plan, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an episode with a variant: where none is named, one of those with the shortest preparation, drawn by seed.

    While the variant is open, room would have to be kept for the longest preparation: for a replay, a dozen slots.
    """
    spec = EpisodeSpec.check({**wish, "day": 1, "start": time()}, COMMAND)
    if spec.variant is not None:
        return dict(wish)
    able = [
        name
        for name in spec.row.variants
        if spec.intensity is None or any(row.drawn for row in spec.rows(name))
    ]
    shortest = min(lead(spec, name) for name in able)
    rng = random.Random(seed_for(plan.scenario.seed, f"added/{len(plan.scenario.added)}"))  # noqa: S311 - a simulation
    return {**wish, "variant": rng.choice([name for name in able if lead(spec, name) == shortest])}


def _start(plan: Plan, slot: int) -> time:
    """Return the local time of day of a slot, in whole seconds: the first slot from then on is this one."""
    seconds = int(slot % plan.scenario.slots_per_day * plan.scenario.interval_s)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
