"""Controllers and the units that they govern: what a site may say, and the loops that follow from it."""

from typing import Any

import pytest

from coldaisle_contracts.control import RETURN_AIR
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.loops import number
from coldaisle_contracts.message_times import cycle_ns
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.stuck import frozen_at

UNITS = {
    "name": "crah-{number}", "count": 3, "address": 100, "client": "w{number}s{sensor}",
    "topic": "hall/{number}/{sensor}", "medians": [10.8, 15.1, 20.0, 27.0],
}  # fmt: skip


def plan(*controllers: dict[str, Any], units: dict[str, Any] | None = None, **more: Any) -> Plan:
    """Return the plan of two hours of three units, or of other ones, with controllers."""
    devices = [
        {**UNITS, **(units or {})},
        *({"kind": "controller", "address": 20 + place, "number": place, **each} for place, each in enumerate(controllers)),
    ]  # fmt: skip
    content = {
        "name": "loop", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 2,
        "site": {"devices": devices}, **more,
    }  # fmt: skip
    return build_plan(Scenario.check(content, "loop.toml"))


def test_a_controller_governs_the_units_that_it_names() -> None:
    """Names and patterns choose units; the others are in no loop."""
    loops = plan({"units": "crah-1 crah-[3-9]"}).loops
    assert list(loops) == ["crah-1", "crah-3"]
    loop = loops["crah-3"]
    assert (loop.source, loop.topic, loop.client) == ("hall/3/4", "IoT/set/crah-3", "w3s0")
    assert loop.client not in loop.unit.clients
    assert (loop.law.target, loop.law.nominal, loop.law.share) == (2700, 2000, 1 / 3)
    assert loop.ratio == pytest.approx(4.3 / 7.0)
    assert plan().loops == {}


def test_a_cycle_comes_after_every_reading_of_its_slot() -> None:
    """The readings of a slot, and those that wait for a lost connection, come before its cycle; those of the next slot after it."""
    made = plan({}, interval_s=60.0)
    for slot in (0, 1, 100):
        latest = max(made.reading_ns(slot, unit) for unit in made.units)
        assert latest + 20 * 10**9 < cycle_ns(made, slot) < made.reading_ns(slot + 1, "crah-1") - 15 * 10**9


@pytest.mark.parametrize(
    ("controllers", "units", "more", "words"),
    [
        ([{"units": "crah-7"}], {}, {}, ["devices.units", "crah-7"]),
        ([{"units": ""}], {}, {}, ["devices.units", "name units"]),
        ([{}, {"units": "crah-2"}], {}, {}, ["devices.units", "crah-2", "leave it to one"]),
        ([{}], {"topic": "hall/{number}"}, {}, ["devices.topic", "hall/1", "hall/{number}/{sensor}"]),
        ([{"least": 20.5}], {}, {}, ["devices.least", "20.5", "crah-1 blows 20"]),
        ([{"gain": 3.0}], {}, {}, ["gain", "0.01 to 2"]),
        ([{"version": "5"}], {}, {}, ["version", "3.1.1"]),
        ([{}], {"version": "5"}, {}, ["devices.version", "5", "use 3.1 or 3.1.1"]),
        ([{}], {}, {"interval_s": 30.0}, ["interval_s", "at least 60 s"]),
        ([{}], {}, {"interval_s": 1800.0}, ["interval_s", "at most its integral_s, 900 s"]),
    ],
)  # fmt: skip
def test_what_a_controller_cannot_do_is_refused(
    controllers: list[dict[str, Any]], units: dict[str, Any], more: dict[str, Any], words: list[str]
) -> None:
    """Each contradiction is one sentence with key, value and remedy."""
    with pytest.raises(InputError) as error:
        plan(*controllers, units=units, **more)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    ("text", "hundredth"), [("20.13", 2013), (" 7 ", 700), ("nan", None), ("inf", None), ("1e9", None), ("cold", None), ("", None)]
)  # fmt: skip
def test_only_temperatures_are_numbers(text: str, hundredth: int | None) -> None:
    """What anybody may publish is a temperature, or is ignored."""
    assert number(text) == hundredth


def test_a_stuck_sensor_shows_an_earlier_slot() -> None:
    """The readings of a stuck sensor have the response of the slot before its episode; those of others have that of their own."""
    stuck = {
        "kind": "stuck-sensor",
        "unit": "crah-1",
        "day": 1,
        "start": "01:00:00",
        "readings": 2,
        "sensors": [RETURN_AIR],
    }
    made = plan({}, episodes=[stuck])
    assert frozen_at(made.episodes, "crah-1") == {(12, RETURN_AIR): 11, (13, RETURN_AIR): 11}
    assert frozen_at(made.episodes, "crah-2") == {}
