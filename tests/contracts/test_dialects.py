"""Dialects of units: what their groups say, and which kinds each of them can have."""

import pytest

from coldaisle_contracts.demands import playable, playable_anywhere
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

BASE = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 24}


def _scenario(groups: list[dict[str, object]], **more: object) -> Scenario:
    devices = [
        {"name": f"g{place}", "address": 100 + place, "client": f"g{place}s{{sensor}}", **keys}
        for place, keys in enumerate(groups)
    ]
    return Scenario.model_validate({**BASE, "site": {"devices": devices}, **more})


def test_a_default_leaves_no_trace_in_a_plan() -> None:
    """A group that names the usual quality of service has the plan of one that names none."""
    assert build_plan(_scenario([{"qos": 1}])).digest() == build_plan(_scenario([{}])).digest()
    assert build_plan(_scenario([{"qos": 2}])).digest() != build_plan(_scenario([{}])).digest()


def test_a_kind_that_a_dialect_cannot_have_is_refused_with_the_reason() -> None:
    """The sentence names the key, the unit, what it lacks and what would do."""
    episode = {
        "kind": "tampering",
        "variant": "mqtt.msgid",
        "unit": "g0",
        "day": 1,
        "start": "02:00",
        "readings": 2,
    }
    with pytest.raises(
        InputError,
        match=r"episodes\.0\.variant.*'mqtt\.msgid'.*g0 has qos = 0.*no message id.*choose a unit whose qos is 1 or 2, or the variant eth\.dst",
    ):
        build_plan(_scenario([{"qos": 0}], episodes=[episode]))
    assert build_plan(_scenario([{"qos": 2}], episodes=[episode])).episodes


def test_no_impossible_combination_is_drawn() -> None:
    """Variants that a unit cannot have go to the others, and those that no unit can have are not drawn."""
    drawn = {"count": 40, "clean_days": 0, "kinds": {"tampering": 1.0}, "readings": (1, 2)}
    numbered = {"mqtt.qos", "mqtt.dup", "mqtt.msgid"}
    alone = build_plan(_scenario([{"qos": 0}] * 3, drawn=drawn)).episodes
    assert {episode.variant for episode in alone} == set(KINDS["tampering"].variants) - numbered
    mixed = build_plan(_scenario([{"qos": 0}, {}, {"qos": 2}], drawn=drawn)).episodes
    assert {episode.variant for episode in mixed} >= numbered
    assert {episode.unit for episode in mixed if episode.variant in numbered} <= {"g1", "g2"}


def test_an_unnamed_variant_is_one_that_the_unit_can_have() -> None:
    """A variant that is left to the seed is drawn among those that can be played."""
    scenario = _scenario([{"qos": 0}])
    assert len(playable(scenario, "tampering", "g0")) == len(KINDS["tampering"].variants) - 3
    assert playable_anywhere(scenario, "will-abuse") == KINDS["will-abuse"].variants
    starts = [
        {"kind": "tampering", "unit": "g0", "day": 1, "start": f"{hour:02}:00", "readings": 1}
        for hour in range(1, 20)
    ]
    played = build_plan(_scenario([{"qos": 0}], episodes=starts)).episodes
    assert {episode.variant for episode in played} <= set(playable(scenario, "tampering", "g0"))
