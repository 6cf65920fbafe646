"""The simulation of many workers: what it says of them follows from its definitions."""

import pytest
from benchmarks import scaling


def test_sixty_four_workers_of_which_six_die_reach_the_target() -> None:
    """With 50 weeks for each worker, the real dealer needs at most 1/0.95 of the ideal time, and a tenth of a second is added to each week."""
    share, lost = scaling.simulated(64, 3200, 1, 0.1, 0.0)
    assert share >= scaling.TARGET
    assert 0 < lost < 0.01


def test_the_ideal_loses_nothing_and_never_waits() -> None:
    """Two workers share 100 s of work; where one of them dies after 10 s, the other does the remaining 80 s alone."""
    never = float("inf")
    assert scaling.ideal_s([never, never], 100.0) == 50.0
    assert scaling.ideal_s([never, 10.0], 100.0) == 90.0
    assert scaling.ideal_s([5.0, 10.0], 100.0) == never


def test_one_worker_without_deaths_is_as_good_as_the_ideal() -> None:
    """Nothing is lost on a single worker that lives, and only what the driver adds is missing to the ideal."""
    share, lost = scaling.simulated(1, 20, 1, 0.0, 0.0)
    assert share == pytest.approx(1.0)
    assert lost == 0.0
