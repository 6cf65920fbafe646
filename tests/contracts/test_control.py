"""The control law of a closed loop and the response of a unit to its set points."""

import pytest

from coldaisle_contracts.control import AISLE_LAG_S, SUPPLY_LAG_S, Command, Law, Response, as_text, hundredths

LAW = Law(target=2700, nominal=2000, least=1600, most=2400, gain=0.4, share=1 / 3)
INTERVAL_S, RATIO = 300.0, 0.5


def played(law: Law, load: int = 700, slots: int = 200) -> tuple[list[int], list[int]]:
    """Return set points and return air, in 0.01 °C, of a unit whose servers warm its air by a load."""
    command, response = law.start(), Response()
    set_points, returned = [], []
    for _ in range(slots):
        returned.append(law.nominal + load + response.at_sensors(RATIO)[3])
        command = law.next(command, returned[-1])
        set_points.append(command.set_point)
        response = response.after(command.set_point - law.nominal, INTERVAL_S)
    return set_points, returned


@pytest.mark.parametrize("interval_s", [60.0, 300.0, 900.0])
@pytest.mark.parametrize("load", [500, 700, 900])
def test_return_air_comes_to_the_target(load: int, interval_s: float) -> None:
    """Whatever the load, return air ends at the target, and supply air at the target less the load."""
    law = Law(2700, 2000, 1600, 2400, 0.4, interval_s / 900)
    set_points, returned = played(law, load, slots=800)
    assert abs(returned[-1] - 2700) <= 1
    assert abs(set_points[-1] - (2700 - load)) <= 1


def test_a_higher_target_warms_the_supply_air() -> None:
    """A target that is 1 °C higher ends with supply air that is 1 °C warmer, and moves it upwards from the first cycle."""
    warm = Law(2800, 2000, 1600, 2400, 0.4, 1 / 3)
    set_points, _ = played(LAW)
    warmer, _ = played(warm)
    assert set(set_points) == {2000}
    assert warmer[0] > 2000
    assert warmer[-1] == 2100


def test_set_points_stay_within_bounds() -> None:
    """A load that cannot be met stops at a bound, and the law leaves the bound as soon as the deviation shrinks."""
    set_points, _ = played(LAW, load=1600)
    assert min(set_points) == LAW.least
    at_bound = Command(float(LAW.least), -500)
    assert LAW.next(at_bound, 2650).set_point > LAW.least


def test_without_a_reading_nothing_changes() -> None:
    """A cycle in which no reading came keeps set point and deviation."""
    before = LAW.next(LAW.start(), 2750)
    assert LAW.next(before, None) == before


def test_the_first_reading_of_a_day_causes_no_jump() -> None:
    """The proportional part answers changes, so a day does not start with a jump of the whole deviation."""
    assert LAW.next(LAW.start(), 2800).exact == pytest.approx(2000 - 0.4 * 100 / 3)


@pytest.mark.parametrize("distance", [-200, 150])
def test_the_energy_balance_holds(distance: int) -> None:
    """At every time coolant out differs by the ratio of the flows times what return air differs more than supply air."""
    response = Response()
    for _ in range(50):
        response = response.after(distance, INTERVAL_S)
        coolant_in, coolant_out, supply, returned = response.at_sensors(RATIO)
        assert coolant_in == 0
        assert abs(coolant_out - RATIO * (returned - supply)) <= 1
    assert response.at_sensors(RATIO) == (0, 0, distance, distance)


def test_lower_supply_air_first_draws_heat_from_the_aisle() -> None:
    """Colder supply air takes heat out of the aisle, so coolant comes out warmer until the return air has followed."""
    response = Response().after(-100, INTERVAL_S)
    _, coolant_out, supply, returned = response.at_sensors(RATIO)
    assert supply < returned < 0 < coolant_out


def test_the_lags_do_not_depend_on_the_interval() -> None:
    """After one time constant 63 % of the way is done, in one step or in many."""
    one, many = Response().after(1000, SUPPLY_LAG_S), Response()
    for _ in range(12):
        many = many.after(1000, SUPPLY_LAG_S / 12)
    assert one.supply == pytest.approx(many.supply, abs=1e-3) == pytest.approx(632.12, abs=0.01)
    assert AISLE_LAG_S > SUPPLY_LAG_S


@pytest.mark.parametrize("text", ["-3.07", "0.00", "19.99", "20.10"])
def test_hundredths_are_those_of_the_payload(text: str) -> None:
    """A payload says the same number after it was read and written."""
    assert as_text(hundredths(float(text))) == text
