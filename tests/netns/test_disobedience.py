"""Each check of obedience finds what breaks its rule: a plan, a journal or a capture is changed, and a sentence comes."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.netns.catalogue import PLAN

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.taxonomy import Kind
from coldaisle_testbed.obedience import kept, planned, whole
from coldaisle_testbed.obedience.observed import Played

MODIFICATION = SHIPPED["modification"]
"""The kind that is changed."""


def _with(plan: Plan, **changes: Any) -> Plan:
    """Return a plan in which the first episode of the kind has other values."""
    episodes = list(plan.episodes)
    place = next(place for place, episode in enumerate(episodes) if episode.kind == MODIFICATION.name)
    episodes[place] = episodes[place].model_copy(update=changes)
    return plan.model_copy(update={"episodes": tuple(episodes)})


WIDER = tuple(replace(row, least=row.least - 1) for row in MODIFICATION.parameters)


@pytest.mark.parametrize(
    ("check", "kind", "plan"),
    [
        (planned.its_row_agrees_with_itself, replace(MODIFICATION, edit=""), PLAN),
        (planned.it_has_a_module, replace(MODIFICATION, module="coldaisle_injector.attacks.none"), PLAN),
        (planned.it_has_a_module, replace(MODIFICATION, module="no_such_package.playing"), PLAN),
        (planned.every_variant_is_planned, replace(MODIFICATION, variants=("melt",)), PLAN),
        (planned.seeded_twice_it_does_the_same, MODIFICATION, _with(PLAN, seed=1)),
        (planned.its_acts_lie_within_the_episode, MODIFICATION, _with(PLAN, sensors=())),
        (planned.its_acts_lie_within_the_episode, MODIFICATION, _with(PLAN, end_ns=0)),
        (planned.its_acts_lie_within_the_episode, MODIFICATION, _with(PLAN, packets=0)),
        (planned.a_parameter_out_of_bounds_is_refused, replace(MODIFICATION, parameters=WIDER), PLAN),
    ],
)
def test_a_plan_that_breaks_a_rule_is_found(check: planned.Check, kind: Kind, plan: Plan) -> None:
    """The check yields a sentence on the changed row or plan, and none on the plan as it is."""
    assert list(check(kind, plan))
    assert list(check(MODIFICATION, PLAN)) == []


@pytest.fixture(scope="session")
def played(catalogue_run: Path) -> Played:
    """A real run of every variant of every kind."""
    return Played(catalogue_run, PLAN)


Change = Callable[[list[dict[str, Any]]], object]
"""Changes the lines of the attacker's journal."""


def _first(lines: list[dict[str, Any]], event: str, **values: Any) -> dict[str, Any]:
    """Return the first line of an event with these values in an episode of the kind."""
    episodes = {episode.id for episode in PLAN.episodes if episode.kind == MODIFICATION.name}
    return next(
        line
        for line in lines
        if line["event"] == event and line["episode"] in episodes and values.items() <= line.items()
    )


@pytest.mark.netns
@pytest.mark.parametrize(
    ("check", "change"),
    [
        (kept.it_did_what_was_planned, lambda lines: _first(lines, "act").update(slot=0)),
        (kept.its_acts_are_bracketed_by_begin_and_end, lambda lines: _first(lines, "act").update(at_ns=0)),
        (kept.its_acts_are_bracketed_by_begin_and_end, lambda lines: lines.remove(_first(lines, "episode", phase="end"))),
        (kept.it_keeps_to_its_time_and_its_budget, lambda lines: _first(lines, "frame", act="alter").update(at_ns=0)),
        (kept.it_keeps_to_its_time_and_its_budget, lambda lines: lines.extend([_first(lines, "frame", act="poison")] * 9_999)),
        (kept.its_roles_are_those_of_its_row, lambda lines: _first(lines, "frame", side="broker").update(role="duplicate")),
        (kept.it_leaves_a_trace_its_display_filter_finds, lambda lines: [line.update(digest="") for line in lines if line["event"] == "frame"]),
        (kept.it_restores_what_it_changed, lambda lines: lines.extend(copy.deepcopy(line) for line in lines[:] if line.get("act") == "poison")),
    ],
)  # fmt: skip
def test_a_journal_that_breaks_a_rule_is_found(check: kept.Check, change: Change, played: Played) -> None:
    """The check yields a sentence on the changed journal, and none on the journal as it is."""
    changed = copy.copy(played)
    changed.injector = copy.deepcopy(played.injector)
    change(changed.injector)
    assert list(check(MODIFICATION, changed))
    assert list(check(MODIFICATION, played)) == []


@pytest.mark.netns
def test_a_filter_that_finds_nothing_is_found(played: Played) -> None:
    """A display filter that finds no frame of the episode is named."""
    astray = replace(MODIFICATION, filter="udp.port == 9")
    assert list(kept.it_leaves_a_trace_its_display_filter_finds(astray, played))


@pytest.mark.netns
def test_a_run_that_breaks_a_rule_is_found(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check of a whole run yields a sentence: on a line too many or too few, and on frames that should not be."""
    changed = copy.copy(played)
    changed.injector = [line for line in played.injector if line["event"] != "frame"]
    changed.units = {unit: lines[:-50] for unit, lines in played.units.items()}
    assert list(whole.every_frame_of_the_attacker_is_in_its_journal(changed))
    assert list(whole.no_reading_is_lost_to_its_sensor(changed))
    monkeypatch.setattr(whole, "count", lambda _, only: 2 if "msgtype" in only else 1)
    assert list(whole.no_connection_stays_open(played))
    assert len(list(whole.nobody_else_is_spoken_to(played))) == 3 * len(played.captures)
