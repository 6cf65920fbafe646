"""The taxonomy: a table without contradictions, and parameters that a scenario may name."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldaisle_contracts.addressing import INJECTOR
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kind_rules import contradictions
from coldaisle_contracts.kinds import ATTACKS, BENIGN, SHIPPED
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario, load_scenario
from coldaisle_contracts.taxonomy import Kind, Parameter, Role
from coldaisle_testbed.obedience.layout import site_for

ROWS = [(kind, row) for kind in SHIPPED.values() for row in kind.parameters]
BASE = 'name = "made"\nseed = 1\nfirst_day = 2026-03-02\ntime_zone = "UTC"\nduration_h = 24\n'
EPISODE = "[[episodes]]\nday = 1\nstart = 01:00:00\nreadings = 1\nkind = "


def label(value: object) -> str:
    """Return the name of a row in a test's id."""
    return value.name if isinstance(value, Kind | Parameter) else str(value)


def playing(kind: str, **changes: Any) -> Episode:
    """Return the plan's one episode, which has the given keys."""
    spec = {"kind": kind, "day": 1, "start": "01:00", "readings": 1 if SHIPPED[kind].brief else 4}
    unit = {"unit": "inrow-13"} if SHIPPED[kind].target == "unit" else {}
    scenario = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 24}
    scenario |= site_for([SHIPPED[kind]])
    (only,) = build_plan(Scenario.model_validate(scenario | {"episodes": [spec | unit | changes]})).episodes
    return only


@pytest.mark.parametrize("kind", SHIPPED.values(), ids=label)
def test_rows_agree_with_themselves(kind: Kind) -> None:
    """No row contradicts itself, and a kind is either an attack or benign."""
    assert list(contradictions(kind)) == []
    assert (kind.name in ATTACKS) != (kind.name in BENIGN)


def test_filters_name_the_injector() -> None:
    """The address in the display filters is the injector's, and Role.RELAYED marks the kinds on the path."""
    for kind in SHIPPED.values():
        assert "02:42" not in kind.filter or INJECTOR.mac in kind.filter
        assert kind.on_path == (Role.RELAYED in kind.roles)


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=label)
@given(first=st.floats(0, 1), second=st.floats(0, 1))
def test_intensity_moves_a_parameter_one_way(kind: Kind, row: Parameter, first: float, second: float) -> None:
    """From faint to blatant a parameter only grows or only shrinks and stays in its bounds; its sign does not change its size."""
    low, high = sorted((first, second))
    towards = 1 if row.blatant >= row.faint else -1
    assert towards * row.at(low) <= towards * row.at(high)
    for sign in (-1, 1):
        assert row.least <= row.at(low, sign) <= row.most
    if row.signed:
        assert row.at(low, -1) - row.around == pytest.approx(row.around - row.at(low), abs=2e-4)
    assert kind.benign or kind.technique


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind, row in ROWS if row.drawn], ids=label)
def test_intensity_sets_what_is_not_named(kind: Kind, row: Parameter) -> None:
    """Intensity 0 is faint and 1 is blatant; a parameter that the scenario names takes precedence."""
    variant = {"variant": (row.variants or kind.variants)[0]}
    for intensity, expected in ((0, row.faint), (1, row.blatant)):
        value = playing(kind.name, intensity=intensity, **variant).parameters[row.name]
        assert abs(value - row.around) == pytest.approx(abs(expected))
    named = min(max(round((row.faint + row.blatant) / 2), row.least), row.most) + row.around
    planned = playing(kind.name, intensity=0, **variant, **{row.name: named})
    assert planned.parameters[row.name] == named
    assert planned.intensity == 0


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=label)
def test_bounds_of_every_parameter_hold(kind: Kind, row: Parameter) -> None:
    """A parameter just beyond either bound, or no number, is refused with bounds and unit."""
    variant = {"variant": (row.variants or kind.variants)[0]}
    step = 1 if row.whole else 1e-6
    for value in (row.least - step, row.most + step, True, "many", float("nan")):
        with pytest.raises(ValueError, match=f"give {row.least:g} to {row.most:g}".replace("+", r"\+")):
            playing(kind.name, **variant, **{row.name: value})
    if row.whole:
        with pytest.raises(ValueError, match="give "):
            playing(kind.name, **variant, **{row.name: row.least + 0.5})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"removal"\nunit = "inrow-13"\nsize = 1', "size: remove it, because removal has no such parameter (it has none)"),
        ('"brute-force"\nsize = 1', "size: remove it, because brute-force has no such parameter (it has count, rate)"),
        ('"brute-force"\ncount = 501', "count is 501: give 1 to 500 logins"),
        ('"brute-force"\ncount = 8.5', "count is 8.5: give a whole number"),
        ('"brute-force"\ncount = "many"', "count is 'many': give 1 to 500 logins"),
        ('"brute-force"\nunit = "inrow-13"', "unit is 'inrow-13': remove it, because brute-force attacks the broker"),
        ('"removal"', "unit: add it, because removal attacks a unit"),
        ('"removal"\nunit = "inrow-13"\nstealth = true', "stealth is True: remove it, because only modification, delay, false-data, takeover can hide"),
        ('"removal"\nunit = "inrow-13"\nintensity = 2', "intensity is 2: it should be less than or equal to 1"),
        ('"modification"\nunit = "inrow-13"\nsize = 1', "size is 1: leave it out, or name a variant that has it: shift, drift"),
        ('"modification"\nunit = "inrow-13"\nvariant = "freeze"\nlag = 1', "lag is 1: leave it out, or name a variant that has it: replay"),
        ('"modification"\nunit = "inrow-13"\nvariant = "scale"\nsize = 2', "size is 2: leave it out, or name a variant that has it: shift, drift"),
        ('"tampering"\nunit = "inrow-13"\nvariant = "ip.dscp"\nvalue = 64', "value is 64: give 0 to 63"),
        ('"brute-force"\nsensors = [2]', "sensors is [2]: remove it, because brute-force attacks the broker"),
        ('"door"\nunit = "inrow-13"\nsensors = [4]', "sensors is [4]: remove it, because door concerns the whole unit"),
        ('"removal"\nunit = "inrow-13"\nintensity = 1', "intensity is 1.0: remove it, because removal has no parameter to scale"),
        ('"modification"\nunit = "inrow-13"\nvariant = "freeze"\nintensity = 1', "intensity is 1.0: remove it, because freeze has no parameter to scale"),
        ('"delay"\nunit = "inrow-13"\nstealth = true\ndelay_s = 30', "delay_s is 30: remove it or stealth: an episode that hides has no delay_s"),
        ('"port-skan"', "kind is 'port-skan': use port-scan"),
        ('"xyz"', "kind is 'xyz': use one of interception, modification, "),
    ],
)  # fmt: skip
def test_what_a_kind_does_not_take(tmp_path: Path, text: str, expected: str) -> None:
    """A parameter, unit or stealth that a kind does not have is refused with file, key, value and remedy."""
    path = tmp_path / "made.toml"
    path.write_text(BASE + EPISODE + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}: key episodes.0.{expected}")
    assert "\n" not in str(caught.value)


def test_accounts_are_names() -> None:
    """Names and passwords of accounts are plain words; any other text is refused with its key."""
    base = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 24}
    assert Scenario.model_validate(base | {"accounts": {"a": "b"}}).accounts == {"a": "b"}
    for bad in ({"a b": "c"}, {"a": "b:c"}, {"a": ""}):
        with pytest.raises(ValueError, match="accounts"):
            Scenario.model_validate(base | {"accounts": bad})


@pytest.mark.parametrize(
    ("fault", "attack"),
    [
        *((f"{fault}-sensor", "modification") for fault in ("stuck", "drifting", "noisy", "offset")),
        ("late-sensor", "delay"),
        ("repeating-sensor", "duplication"),
        ("dropping-sensor", "removal"),
    ],
)
def test_faults_take_the_parameters_of_their_attacks(fault: str, attack: str) -> None:
    """A faulty sensor has variants of its attack, with the same parameters, bounds and values at intensity 0 and 1."""

    def ranges(kind: Kind, variant: str) -> list[tuple[object, ...]]:
        rows = [row for row in kind.parameters if row.of(variant)]
        return [(row.name, row.unit, row.least, row.most, row.faint, row.blatant, row.signed) for row in rows]

    for variant in SHIPPED[fault].variants:
        assert variant in SHIPPED[attack].variants
        assert ranges(SHIPPED[fault], variant) == ranges(SHIPPED[attack], variant)
