"""Forty runs, each with a fault at an instant chosen by seed: each succeeds or ends with a sentence in time, loses nothing and leaves nothing."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.netns import faults

pytestmark = pytest.mark.netns
CASES = faults.cases(40, seed=15)
BESIDE = 4
"""Number of cases played side by side: a case that waits for a timeout needs no processor."""


@pytest.fixture(scope="module")
def outcomes() -> Iterator[list["Future[faults.Outcome]"]]:
    """The outcome of every case; the cases are played while the first tests wait."""
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(BESIDE) as pool:
        folder = Path(temporary)
        digest = faults.undisturbed(folder / "undisturbed")
        yield [pool.submit(faults.suffer, case, folder / str(case.number), digest) for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_loses_nothing_and_leaves_nothing(
    outcomes: list["Future[faults.Outcome]"], case: faults.Case
) -> None:
    """The run ends well or with a sentence within 30 s, every leftover is listed, and a resumed run has the same digest."""
    outcome = outcomes[case.number].result()
    assert outcome.wrong == [], outcome.output


def test_every_fault_and_everybody_is_among_the_cases() -> None:
    """In the forty cases each victim occurs three times or more, each fault five times or more."""
    victims, hits = [case.victim for case in CASES], [case.fault for case in CASES]
    assert all(victims.count(name) >= 3 for name in faults.VICTIMS)
    assert all(hits.count(name) >= 5 for name in (*faults.SIGNALS, faults.FULL, faults.SMALL))
