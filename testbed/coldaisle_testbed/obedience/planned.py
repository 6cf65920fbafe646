"""What the row of a kind and the plan alone show."""

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from coldaisle_contracts.kind_rules import contradictions
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import EpisodeSpec
from coldaisle_contracts.taxonomy import Kind, Parameter
from coldaisle_testbed.obedience.layout import UNITS

Check = Callable[[Kind, Plan], Iterator[str]]
_MOST_FRAMES, _MOST_S = 20_000, 60
"""Greatest budget of an episode: frames, and real time in s."""


def episodes_of(kind: Kind, plan: Plan) -> list[Episode]:
    """Return the episodes of a kind."""
    return [episode for episode in plan.episodes if episode.kind == kind.name]


def its_row_agrees_with_itself(kind: Kind, _: Plan) -> Iterator[str]:
    """Yield what contradicts itself in the row."""
    yield from contradictions(kind)


def it_has_a_module(kind: Kind, _: Plan) -> Iterator[str]:
    """Yield a sentence where no module plays the kind."""
    try:
        exists = importlib.util.find_spec(kind.played_by) is not None
    except ImportError:
        exists = False
    if not exists:
        yield f"there is no module {kind.played_by}, which is to play it"


def every_variant_is_planned(kind: Kind, plan: Plan) -> Iterator[str]:
    """Yield the variants that the plan has no episode of."""
    missing = sorted(set(kind.variants) - {episode.variant for episode in episodes_of(kind, plan)})
    yield from (f"variant {variant} is not in the plan" for variant in missing)


def seeded_twice_it_does_the_same(kind: Kind, plan: Plan) -> Iterator[str]:
    """Yield the episodes whose plan is no function of the seed alone."""
    again = {episode.id: episode for episode in build_plan(plan.scenario).episodes}
    reseeded = plan.scenario.model_copy(update={"seed": plan.scenario.seed + 1})
    other = {episode.id: episode for episode in build_plan(reseeded).episodes}
    for episode in episodes_of(kind, plan):
        if again[episode.id] != episode:
            yield f"{episode.id}: planned again with the same seed it is another"
        if other[episode.id].seed == episode.seed:
            yield f"{episode.id}: another seed of the scenario gives it the same seed"


def its_acts_lie_within_the_episode(kind: Kind, plan: Plan) -> Iterator[str]:
    """Yield the acts that are planned outside of their episode or on another sensor, and budgets without a bound."""
    for episode in episodes_of(kind, plan):
        if not episode.approach_ns <= episode.begin_ns < episode.end_ns:
            yield f"{episode.id}: it does not approach before it begins and begin before it ends"
        for act in episode.acts:
            inside = act.slot in plan.span(episode)
            timely = all(episode.approach_ns <= at <= episode.end_ns for at in act.times_ns)
            if not inside or not timely or act.sensor not in (0, *episode.sensors):
                yield f"{episode.id}: {act} lies outside of the episode"
        if not 0 < episode.packets < _MOST_FRAMES or not 0 <= episode.cost_s < _MOST_S:
            yield f"{episode.id}: its budget of {episode.packets} frames and {episode.cost_s} s is too large"


def a_parameter_out_of_bounds_is_refused(kind: Kind, _: Plan) -> Iterator[str]:
    """Yield each value above the most or below the least of a parameter that a scenario may name all the same."""
    for row in kind.parameters:
        for value in (row.most * 1.01 + 1, row.least - abs(row.least) * 0.01 - 1):
            if f"give {row.least:g} to {row.most:g}" not in _refusal(kind, row, value):
                yield f"{row.name} = {value:g} is not refused with its bounds"


def _refusal(kind: Kind, row: Parameter, value: float) -> str:
    """Return the sentence that refuses a value, empty where it is taken."""
    spec: dict[str, Any] = {"kind": kind.name, "day": 1, "start": "01:00", "readings": 1, row.name: value}
    spec |= {"unit": UNITS[0]} if kind.target == "unit" else {}
    spec |= {"variant": row.variants[0]} if row.variants else {}
    try:
        EpisodeSpec.model_validate(spec)
    except ValidationError as error:
        return str(error)
    return ""


CHECKS: tuple[Check, ...] = (
    its_row_agrees_with_itself,
    it_has_a_module,
    every_variant_is_planned,
    seeded_twice_it_does_the_same,
    its_acts_lie_within_the_episode,
    a_parameter_out_of_bounds_is_refused,
)
"""All checks, in order."""
