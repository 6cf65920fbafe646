"""Companions of a site: their groups, what is refused, the times of their messages, and kinds of other packages."""

from pathlib import Path
from typing import Any

import pytest
from tests.made_package import Packages

from coldaisle_contracts.devices import DEVICES, SHIPPED_DEVICES
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.message_times import message_times_ns
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.players import player_of_device
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.site_parameters import Site

UNIT = {"name": "inrow-{number}", "number": 13, "address": 41}
METER = {"kind": "power-meter", "address": 200}


def site(*groups: dict[str, Any], **more: Any) -> Site:
    """Return a site with a unit and companions."""
    return Site.check({"devices": [UNIT, *groups], **more}, "site.toml")


def planned(*groups: dict[str, Any], **more: Any) -> Plan:
    """Return the plan of an hour of such a site."""
    base = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    return build_plan(Scenario.check({**base, "site": site(*groups), **more}, "made.toml"), "made.toml")


def test_a_group_has_the_values_of_its_kind_where_it_names_none() -> None:
    """Names, client ids, topics and parameters follow from the kind, and survive the file of the plan."""
    plan = planned({**METER, "count": 2, "watts": 900.0})
    first, second = plan.companions.values()
    assert (first.name, first.client, first.topic) == ("power-meter-1", "powermeter1", "power-meter/1")
    assert (second.host.ip, second.parameters["watts"], second.parameters["volts"]) == (
        "198.18.0.201",
        900.0,
        230.0,
    )
    assert set(plan.devices) == {"inrow-13", "power-meter-1", "power-meter-2"}
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ({"kind": "powermeter"}, "key devices.1.kind is 'powermeter': no such kind of device is installed: use power-meter"),
        ({"amps": 3}, "key devices.1.amps: remove it, because power-meter has no such key (it has kind, name"),
        ({"watts": 1}, "key devices.1.watts is 1: give a number from 10 to 50000 W"),
        ({"watts": True}, "key devices.1.watts is True: give a number from 10"),
        ({"qos": 3}, "key devices.1.qos is 3: it should be 0, 1 or 2"),
        ({"phase_s": 60}, "key devices.1.phase_s is 60.0: make it shorter than interval_s"),
        ({"jitter_s": 31}, "key devices.1.jitter_s is 31.0: give at most half of interval_s"),
        ({"interval_s": 0.5}, "key devices.1.interval_s is 0.5: give at least 1 s"),
        ({"client": "131"}, "key devices.client is '131': two devices have these client ids"),
        ({"address": 41}, "key devices.address is '198.18.0.41': two devices have this address"),
        ({"kind": "door-contact", "interval_s": 3}, "key devices.1.interval_s is 3.0: remove it, because door-contact publishes on events"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(group: dict[str, Any], sentence: str) -> None:
    """A bad group is refused with file, key, value and remedy."""
    with pytest.raises(InputError) as caught:
        site({**METER, **group})
    assert str(caught.value).startswith(f"site.toml: {sentence}")


def test_a_site_needs_a_unit_and_a_listener() -> None:
    """Companions alone are no site, and do without TLS."""
    with pytest.raises(InputError, match="a site has at least one unit"):
        Site.check({"devices": [METER]}, "site.toml")
    with pytest.raises(
        InputError, match=r"broker.plaintext is False: give true, because a power-meter does without TLS"
    ):
        site(METER, broker={"tls": "1.3", "plaintext": False})


def test_no_attack_aims_at_a_companion() -> None:
    """An episode on a companion is refused, because only units have readings."""
    episode = {"kind": "removal", "unit": "power-meter-1", "day": 1, "start": "00:20", "readings": 1}
    with pytest.raises(InputError) as caught:
        planned(METER, episodes=[episode])
    assert (
        "episodes.0.unit is 'power-meter-1': it is a power-meter, and only units have readings to attack"
        in str(caught.value)
    )


def test_a_subscriber_may_acknowledge_what_companions_publish() -> None:
    """An attacker that subscribes to everything may make more frames the more companions there are."""
    episode = {"kind": "eavesdropping", "day": 1, "start": "00:20", "readings": 2}
    alone, beside = (
        planned(*groups, episodes=[episode]).episodes[0].packets for groups in ((), ({**METER, "count": 9},))
    )
    assert beside >= alone + 2 * 9 * 5


def test_messages_come_at_their_times() -> None:
    """They keep phase and interval, lie within the jitter and the day, and follow from seed and name."""
    plan = planned({**METER, "count": 2, "interval_s": 600, "phase_s": 100, "jitter_s": 50})
    first, second = (message_times_ns(plan, companion, 0) for companion in plan.companions.values())
    due = [plan.start_ns + round((2.5 + 100 + 600 * number) * 1e9) for number in range(6)]
    assert len(first) == 6
    assert all(0 <= at - time <= 50e9 for at, time in zip(first, due, strict=True))
    assert first != second
    assert (
        message_times_ns(
            planned({"kind": "door-contact", "address": 9}), next(iter(plan.companions.values())), 5
        )
        == []
    )


def test_a_kind_of_another_package(packages: Packages) -> None:
    """It is found by its entry point, held to the rules of a row, and played by the class that its row names."""
    row = 'from coldaisle_contracts.devices import DeviceKind\nKIND = DeviceKind("fan", "a fan", module="fan.play")\nBAD = DeviceKind("bad", "x")\n'
    points = {"coldaisle.devices": {"fan": "fan:KIND", "bad": "fan:BAD"}}
    packages.install(
        "fan",
        points,
        {"fan/__init__.py": row, "fan/play.py": "class Device:\n    def run_day(self, day): ...\n"},
    )
    assert site({"kind": "fan", "address": 9}).companions["fan-1"].topic == "fan/1"
    assert player_of_device(DEVICES["fan"]).__module__ == "fan.play"
    with pytest.raises(InputError, match="its module is empty: name the module whose class Device plays it"):
        DEVICES["bad"]


def test_every_shipped_kind_is_played_and_described() -> None:
    """Each has a class, keeps the rules of a row, and has its line in docs/sites.md with all of its parameters."""
    page = (Path(__file__).parents[2] / "docs" / "sites.md").read_text(encoding="utf-8")
    for name, kind in SHIPPED_DEVICES.items():
        assert callable(player_of_device(kind).run_day)
        wrong = [each for each in kind.parameters if each.fault(each.default) and not each.holds_records]
        assert not wrong
        parameters = ", ".join(f"`{parameter.name}`" for parameter in kind.parameters)
        assert f"| `{name}` | {kind.summary} | {parameters} |" in page
