"""Groups of units: patterns of names, addresses and client ids, and what a site refuses."""

from pathlib import Path

import pytest
from tests.conftest import HOUSE

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.site_parameters import Site, load_site
from coldaisle_contracts.units import Group

BASE = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 24}
GROUP = '[[devices]]\nname = "crah-{number:03}"\ncount = 3\naddress = 256\nclient = "c{number:03}s{sensor}"\n'


LONG = f'topic = "{60 * "t"}"\npayload = "{50 * "p"}{{value}}"\n'


def test_a_group_is_numbered_on() -> None:
    """Names, addresses, MAC addresses and client ids of a group follow from its first unit."""
    group = Group(name="crah-{number:03}", number=9, count=3, address=255, client="c{number:03}s{sensor}")
    units = list(group.units())
    assert [unit.name for unit in units] == ["crah-009", "crah-010", "crah-011"]
    assert [unit.host.ip for unit in units] == ["198.18.0.255", "198.18.1.0", "198.18.1.1"]
    assert units[1].host.mac == "02:42:c6:12:01:00"
    assert units[2].clients == ("c011s1", "c011s2", "c011s3", "c011s4")
    assert units[0].host.number == 255
    assert {unit.medians for unit in units} == {group.medians}


def test_a_group_has_words_of_its_own() -> None:
    """Topic and payload follow from their patterns, and a value comes back from its payload; other payloads stay whole."""
    group = Group(number=7, address=9, topic="hall/{number:02}/{sensor}", payload='{"celsius": {value}}')
    (unit,) = group.units()
    assert [unit.topic(1), unit.topic(4)] == ["hall/07/1", "hall/07/4"]
    assert unit.encode("-3.50") == b'{"celsius": -3.50}'
    assert unit.decode('{"celsius": -3.50}') == "-3.50"
    assert [unit.decode(text) for text in ("", "15.00", '{"celsius": }')] == ["", "15.00", '{"celsius": }']


def test_units_of_a_group_differ_by_their_names_alone() -> None:
    """A spread moves all medians of a unit by the same distance, which another group or order does not change."""
    one = Group(name="crah-{number}", count=40, address=256, spread=0.5)
    other = one.model_copy(update={"number": 20, "count": 5, "address": 999})
    moved = {unit.name: unit.medians for unit in one.units()}
    assert all(moved[unit.name] == unit.medians for unit in other.units())
    away = [medians[0] - one.medians[0] for medians in moved.values()]
    assert len(set(away)) > 30
    assert 0.3 < (sum(step**2 for step in away) / len(away)) ** 0.5 < 0.7
    for medians in moved.values():
        steps = [round(value - usual, 2) for value, usual in zip(medians, one.medians, strict=True)]
        assert max(steps) - min(steps) <= 0.011


def test_the_published_site_is_the_default() -> None:
    """``sites/inrow.toml`` is the site of a scenario that names none, so every plan keeps its digest."""
    site = load_site(HOUSE / "sites" / "inrow.toml")
    assert site == Site()
    assert list(site.units) == ["inrow-13", "inrow-15", "inrow-23", "inrow-25"]
    plain = build_plan(Scenario.model_validate(BASE))
    assert build_plan(Scenario.model_validate({**BASE, "site": site})).digest() == plain.digest()
    assert Plan.model_validate_json(plain.model_dump_json()) == plain


@pytest.mark.parametrize("path", sorted((HOUSE / "sites").rglob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_site_is_valid(path: Path) -> None:
    """A shipped site can be planned, and its plan survives its file."""
    site = load_site(path)
    plan = build_plan(Scenario.model_validate({**BASE, "site": site, "drawn": {"count": 9, "clean_days": 0}}))
    assert plan.scenario.units == tuple(site.units)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert len({host.ip for host in plan.hosts}) == len(plan.hosts) == len(plan.devices) + 2


def test_all_units_run_unless_some_are_named() -> None:
    """Without ``units`` every unit of the site runs; a unit that the site does not have is refused with those it has."""
    scenario = Scenario.model_validate(
        {**BASE, "site": {"devices": [{"name": "u{number}", "count": 9, "address": 9}]}}
    )
    assert scenario.units == tuple(f"u{number}" for number in range(1, 10))
    with pytest.raises(
        InputError, match=r"key units is 'u10': the site has no such unit: use u1, u2, .* or another of 9"
    ):
        Scenario.check({**scenario.model_dump(), "units": ["u1", "u10"]}, "made")


def test_hundred_sensors_are_played_by_a_shipped_scenario() -> None:
    """The scenario of a hundred sensors names the site, and its episodes are spread over its units."""
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "hundred.toml"))
    assert sum(len(unit.clients) for unit in plan.units.values()) == 100
    assert len({episode.unit for episode in plan.episodes}) > 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GROUP.replace("address = 256", "address = 65"), "key devices.0.address is 65: the numbers 1 and 66 are those of broker"),
        (GROUP.replace("address = 256", "address = 4094"), "key devices.0.address is 4094: the network has the numbers 1 to 4094"),
        (GROUP.replace("crah-{number:03}", "crah"), "key devices.0.name is 'crah': put {number} into it"),
        (GROUP.replace("crah-{number:03}", "Crah {number}"), "key devices.0.name is 'Crah {number}': use at most 31 lower-case"),
        (GROUP.replace('crah-{number:03}"\ncount = 3', 'broker"\ncount = 1'), "key devices.0.name is 'broker': another program of a run"),
        (GROUP.replace("{sensor}", "{sensor}x"), "key devices.0.client is 'c{number:03}s{sensor}x': end it with {sensor}"),
        (GROUP.replace('"c{number', '"c-{number'), "key devices.0.client is 'c-{number:03}s{sensor}': use letters and digits"),
        (GROUP.replace('"c{number', '"cold0aisle0containment{number'), "key devices.0.client is 'cold0aisle0containment{number:03}s{sensor}': make it shorter"),
        (GROUP.replace("count = 3", "count = 257"), "key devices.0.count is 257: it should be less than or equal to 256"),
        (GROUP + GROUP, "key devices.name is 'crah-001': two devices have this name"),
        (GROUP + GROUP.replace("crah", "rack"), "key devices.address is '198.18.1.0': two devices have this address"),
        (GROUP + GROUP.replace("crah", "rack").replace("256", "300"), "key devices.client is 'c001s': two devices have these client ids"),
        (GROUP + "medians = [12, 11, 20, 25]\n", "key devices.0.medians is [12.0, 11.0, 20.0, 25.0]: make coolant out warmer"),
        (GROUP + "[medians]\ncrah-9 = [12, 16, 20, 25]\n", "key medians.crah-9: the site has no such unit: use crah-001, crah-002"),
        (GROUP.replace("count", "counts"), "key devices.0.counts: remove it, because no such key exists"),
        (GROUP + 'topic = "hall/{room}"\n', "key devices.0.topic is 'hall/{room}': use letters, digits and"),
        (GROUP + 'topic = "hall/#"\n', "key devices.0.topic is 'hall/#': use letters, digits and"),
        (GROUP + 'topic = "hall//{sensor}"\n', "key devices.0.topic is 'hall//{sensor}': use letters, digits and"),
        (GROUP + 'payload = "{value} °C"\n', "key devices.0.payload is '{value} °C': use printable ASCII"),
        (GROUP + 'payload = "warm"\n', "key devices.0.payload is 'warm': name {value} once"),
        (GROUP + 'payload = "{value} {value}"\n', "key devices.0.payload is '{value} {value}': name {value} once"),
        (GROUP + 'payload = "T1={value}"\n', "key devices.0.payload is 'T1={value}': use no digits beside {value}"),
        (GROUP + LONG, f"key devices.0.topic is '{60 * 't'}': make topic and payload shorter"),
        (GROUP + 'kind = "door"\n', "key devices.0.kind is 'door': no such kind of device is installed"),
        ("devices = []", "key devices is []: name at least one"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, expected: str) -> None:
    """Two units with something in common, a pattern that gives no valid name and a bad address are refused with the remedy."""
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_site(path)
    assert str(caught.value).startswith(f"{path}: {expected}"), str(caught.value)


def test_too_many_units_in_all_are_refused(tmp_path: Path) -> None:
    """Two groups that are valid alone may be too many together."""
    path = tmp_path / "site.toml"
    many = GROUP.replace("count = 3", "count = 200")
    path.write_text(
        many + many.replace("crah", "rack").replace("256", "1000").replace('"c', '"r'), encoding="utf-8"
    )
    with pytest.raises(InputError, match="key devices is 400: have 1 to 256 devices in all"):
        load_site(path)
