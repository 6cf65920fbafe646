"""Each attack on the path, reading by reading, and the catalogue that lists the attacks."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.injector.made import episode
from tests.published import UNITS

import coldaisle_injector.attacks
from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.taxonomy import Edit as Word
from coldaisle_injector.catalogue import OnPath, attack_for
from coldaisle_injector.edits import Deliver, Double, Edit, Hold, Lose, Pass, Reading, Swallow, Tamper

SLOT = 2
ON_PATH = [name for name, kind in SHIPPED.items() if kind.on_path]
EDITS: dict[Word, type[Edit]] = {
    "": Pass,
    "modify": Deliver,
    "swallow": Swallow,
    "hold": Hold,
    "tamper": Tamper,
    "lose": Lose,
    "double": Double,
}
"""The edits that a kind's row can name, each with the class that an attack returns for it."""


def _attack(kind: str, **planned: object) -> OnPath:
    late = (
        {"start": "00:35"} if kind == "modification" and "variant" not in planned else {}
    )  # the variant may be replay, which needs earlier readings
    attack = attack_for(episode(kind=kind, **(late | planned)))
    assert isinstance(attack, OnPath)
    return attack


def _delivered(attack: OnPath, slots: range, value: str = "15.54") -> list[str]:
    edits = [attack.on_publish(Reading(slot, 1, value)) for slot in slots]
    return [edit.value if isinstance(edit, Deliver) else value for edit in edits]


def test_every_kind_the_injector_plays_has_a_module_and_every_module_a_kind() -> None:
    """The taxonomy and the folder of attacks have the same names."""
    folder = Path(coldaisle_injector.attacks.__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {
        kind.played_by.rpartition(".")[2] for kind in SHIPPED.values() if kind.actor == "injector"
    }


@pytest.mark.parametrize("kind", ON_PATH)
def test_what_the_plan_does_not_name_passes(kind: str) -> None:
    """For every kind, a reading of another sensor or slot passes unchanged, before and during the act."""
    attack = _attack(kind, readings=4)
    for reading in (Reading(SLOT, 2, "15.54"), Reading(SLOT + 20, 1, "15.54")):
        attack.watch(reading)
        assert attack.on_publish(reading) == Pass()
        assert attack.on_answer(SLOT + 20, bytes(48)) == bytes(48)


@pytest.mark.parametrize("kind", ON_PATH)
def test_a_reading_the_plan_names_is_edited_as_its_kind_does(kind: str) -> None:
    """Every kind on the path changes a reading as its row in the taxonomy says."""
    slot = 7 if kind == "modification" else SLOT
    attack = _attack(kind, readings=4)
    edit: Edit = attack.on_publish(Reading(slot, 1, "15.54"))
    assert type(edit) is EDITS[SHIPPED[kind].edit]


@pytest.mark.parametrize(
    ("variant", "parameters", "expected"),
    [
        ("shift", {"size": 1.5}, ["17.04", "17.04"]),
        ("shift", {"size": -20.0}, ["-4.46", "-4.46"]),
        ("scale", {"factor": 0.6}, ["9.32", "9.32"]),
        ("drift", {"size": 2.0}, ["16.54", "17.54"]),
    ],
)
def test_modification_delivers_another_value(
    variant: str, parameters: dict[str, float], expected: list[str]
) -> None:
    """Shift adds, scale multiplies, drift grows to its size over the episode; the value keeps two decimals."""
    attack = _attack("modification", variant=variant, **parameters)
    assert _delivered(attack, range(SLOT, SLOT + 2)) == expected


def test_noise_differs_from_reading_to_reading() -> None:
    """Every reading gets its own amount of noise."""
    attack = _attack("modification", variant="noise", spread=2.0, readings=6)
    assert len(set(_delivered(attack, range(SLOT, SLOT + 6)))) == 6


def test_replay_delivers_what_was_reported_before() -> None:
    """With a lag of two, the values are first those from before the episode, then the episode's own."""
    attack = _attack("modification", variant="replay", lag=2, readings=3, start="00:20")
    for slot in (2, 3):
        attack.watch(Reading(slot, 1, f"10.0{slot}"))
    edits = [attack.on_publish(Reading(slot, 1, f"10.0{slot}")) for slot in (4, 5, 6)]
    assert edits == [Deliver("10.02"), Deliver("10.03"), Deliver("10.04")]


def test_hidden_modification_stays_in_the_sensors_normal_range() -> None:
    """For any shift, a hidden modification delivers a value in the sensor's normal range."""
    planned = episode(kind="modification", variant="shift", size=30.0, stealth=True)
    attack = _attack("modification", variant="shift", size=30.0, stealth=True)
    least, most = planned.normal[1]
    assert all(least <= float(value) <= most for value in _delivered(attack, range(SLOT, SLOT + 2)))


def test_freeze_repeats_the_last_value_before_the_episode() -> None:
    """A frozen sensor repeats its last value from before the episode."""
    attack = _attack("modification", variant="freeze")
    attack.watch(Reading(SLOT - 1, 1, "15.00"))
    attack.watch(Reading(SLOT - 1, 2, "99.00"))
    edits = [attack.on_publish(Reading(slot, 1, f"16.0{slot}")) for slot in (2, 3, 4)]
    assert edits == [Deliver("15.00"), Deliver("15.00"), Pass()]


def test_freeze_without_a_past_holds_the_first_value() -> None:
    """If no reading passed before the episode, its first value is repeated."""
    attack = _attack("modification", variant="freeze")
    edits = [attack.on_publish(Reading(slot, 1, f"16.0{slot}")) for slot in (2, 3)]
    assert edits == [Deliver("16.02"), Deliver("16.02")]


def test_being_on_the_path_is_the_anomaly_of_two_kinds_alone() -> None:
    """Only for interception and for a benign appliance is the relaying itself the anomaly."""
    assert {kind for kind in ON_PATH if _attack(kind, readings=4).labels_relayed} == {
        "interception",
        "appliance",
    }


def _astray(elsewhere: tuple[Host, ...], **planned: object) -> int:
    """Play the first step of a misdirection; return the last octet of the address that a reading's frame would go to."""
    attack = _attack("tampering", variant="eth.dst", **planned)
    scene = SimpleNamespace(path=SimpleNamespace(elsewhere=elsewhere))
    next(attack.script(scene))  # type: ignore[arg-type]
    edit = attack.on_publish(Reading(SLOT, 1, "15.54"))
    assert isinstance(edit, Tamper)
    return edit.value


def test_frames_go_astray_to_a_host_that_is_there() -> None:
    """Frames go to the named host, or to a host of the network drawn by seed."""
    bystanders = (UNITS["inrow-15"], UNITS["inrow-25"])
    assert _astray(bystanders, value=34) == 34
    assert _astray(bystanders) == _astray(bystanders)
    assert _astray(bystanders) in (36, 34)
    assert _astray((INJECTOR,)) == 66
