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


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"topic_alias": True}, r"topic_alias is True: remove it, or set version = \"5\""),
        ({"session_expiry_s": 9}, r"session_expiry_s is 9: remove it, or set version"),
        (
            {"version": "5", "session_expiry_s": 9},
            "session_expiry_s is 9: remove it, or set clean_session = false",
        ),
        ({"version": "5", "clean_session": False}, "clean_session is False: give session_expiry_s, too"),
        ({"will_topic": "a/{sensor}"}, "will_topic is 'a/{sensor}': remove it, or give will"),
        ({"will": "off", "will_topic": "a//b"}, "will_topic is 'a//b': use letters, digits"),
        ({"will": "o\u00f6"}, "will is 'oö': use printable ASCII"),
        ({"will": 120 * "o"}, "make it or its topic shorter"),
        ({"qos": 3}, "qos is 3"),
        (
            {"keepalive_s": 300},
            r"keepalive_s is 300: make it longer than 300 s, the greatest time between two readings",
        ),
    ],
)
def test_what_a_version_does_not_have_is_refused(keys: dict[str, object], reason: str) -> None:
    """Each contradiction is one sentence with key, value and remedy."""
    devices = [{"name": "g", "address": 100, **keys}]
    with pytest.raises(InputError, match=reason):
        Scenario.check({**BASE, "site": {"devices": devices}}, "my.toml")


def test_a_dialect_follows_from_its_group() -> None:
    """Wills have a topic for each sensor, by default beside that of the readings, and a keepalive of 0 is that of the scenario."""
    keys = {"topic": "hall/{number}/{sensor}", "will": "off", "number": 7}
    scenario = _scenario([keys, {"keepalive_s": 900}, {"will": "off", "will_topic": "w/{sensor}"}])
    first, second, third = (unit.dialect for unit in scenario.site.units.values())
    assert first.will is not None
    assert third.will is not None
    assert (first.will.topic(3), third.will.topic(3), second.will) == ("hall/7/3/status", "w/3", None)
    assert [scenario.keepalive_of(name) for name in ("g0", "g1", None)] == [3600, 900, 3600]


def test_what_is_retained_is_not_poisoned() -> None:
    """A retained value would be replaced by the next reading, so the attack is refused where the imitated unit retains."""
    poisoning = {"kind": "retained-poisoning", "day": 1, "start": "02:00", "readings": 3}
    with pytest.raises(InputError, match="g0 has retain = true, and its next reading would replace"):
        build_plan(_scenario([{"retain": True}, {}], episodes=[poisoning]))
    drawn = {"count": 3, "clean_days": 0, "kinds": {"retained-poisoning": 1.0}}
    with pytest.raises(InputError, match=r"drawn\.kinds.*no unit of the site can play these"):
        build_plan(_scenario([{"retain": True}], drawn=drawn))


def test_a_silent_unit_is_bounded_by_its_own_keepalive() -> None:
    """A removal must not outlast the patience that the broker has with this unit."""
    removal = {"kind": "removal", "day": 1, "start": "02:00", "readings": 9, "unit": "g0"}
    assert build_plan(_scenario([{}], episodes=[removal])).episodes
    with pytest.raises(InputError, match="give at most 3, or a longer keepalive_s"):
        build_plan(_scenario([{"keepalive_s": 900}], episodes=[removal]))
