"""Each attack, a reading at a time, and the catalogue that finds them."""

from pathlib import Path

import pytest
from tests.injector.made import episode

import coldaisle_injector.attacks
from coldaisle_contracts.kinds import KINDS, KindName
from coldaisle_injector.catalogue import Attack, Reading, attack_for

SLOT = 2


def _modification(variant: str, size: float | None = None, readings: int = 2) -> Attack:
    return attack_for(episode(kind="modification", variant=variant, size=size, readings=readings))


def _modules() -> set[str]:
    folder = Path(coldaisle_injector.attacks.__file__ or "").parent
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_every_kind_has_a_module_and_every_module_a_kind() -> None:
    """The taxonomy and the folder of attacks name the same."""
    assert _modules() == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_attack_keeps_the_protocol(kind: KindName) -> None:
    """Whatever the kind, a reading of another sensor or slot passes unchanged, before and during the act."""
    attack = attack_for(episode(kind=kind))
    for reading in (Reading(SLOT, 2, "15.54"), Reading(SLOT + 9, 1, "15.54")):
        attack.watch(reading)
        assert attack.on_publish(reading) == "15.54"


@pytest.mark.parametrize(
    ("variant", "size", "expected"),
    [
        ("shift", 1.5, ["17.04", "17.04"]),
        ("shift", -20.0, ["-4.46", "-4.46"]),
        ("scale", 0.6, ["9.32", "9.32"]),
        ("drift", 2.0, ["16.54", "17.54"]),
    ],
)
def test_modification_delivers_another_value(variant: str, size: float, expected: list[str]) -> None:
    """Shift adds, scale multiplies, drift grows to its size over the episode; two decimals stay."""
    attack = _modification(variant, size)
    assert [attack.on_publish(Reading(slot, 1, "15.54")) for slot in (SLOT, SLOT + 1)] == expected


def test_freeze_repeats_the_last_value_before_the_episode() -> None:
    """A frozen sensor goes on reporting what it reported last."""
    attack = _modification("freeze")
    attack.watch(Reading(SLOT - 1, 1, "15.00"))
    attack.watch(Reading(SLOT - 1, 2, "99.00"))
    assert [attack.on_publish(Reading(slot, 1, f"16.0{slot}")) for slot in (2, 3, 4)] == [
        "15.00",
        "15.00",
        "16.04",
    ]


def test_freeze_without_a_past_holds_the_first_value() -> None:
    """Nothing seen before the episode: the first reading is held."""
    attack = _modification("freeze")
    assert [attack.on_publish(Reading(slot, 1, f"16.0{slot}")) for slot in (2, 3)] == ["16.02", "16.02"]


def test_removal_swallows_the_readings_of_the_plan() -> None:
    """Planned readings are swallowed, and the one after the episode is delivered."""
    attack = attack_for(episode(kind="removal"))
    assert [attack.on_publish(Reading(slot, 1, "15.54")) for slot in (2, 3, 4)] == [None, None, "15.54"]


def test_duplication_passes_readings_and_names_every_copy() -> None:
    """Readings pass; the copies are the plan's, three a reading in a burst of three."""
    planned = episode(kind="duplication", variant="burst", size=3)
    attack = attack_for(planned)
    assert attack.on_publish(Reading(SLOT, 1, "15.54")) == "15.54"
    assert [len(act.times_ns) for act in attack.copies()] == [3, 3]
    assert tuple(attack.copies()) == planned.acts


def test_interception_alone_labels_what_passes() -> None:
    """Passing through the attacker is itself the attack for interception, and for no other kind."""
    labelling = {kind for kind in KINDS if attack_for(episode(kind=kind)).labels_relayed}
    assert labelling == {"interception"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"duplication"}))
def test_only_duplication_has_copies(kind: KindName) -> None:
    """No other kind delivers anything again."""
    assert list(attack_for(episode(kind=kind)).copies()) == []
