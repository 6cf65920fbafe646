"""Twenty thousand damaged files for every way into coldaisle: each is accepted, or refused with one sentence and exit code 2 or 3.

A million take ``benchmarks/hostile.py`` half an hour and more.
"""

from pathlib import Path

import pytest
from tests.hostile.targets import Target, feed, targets

INPUTS = {
    "captures": 2_500, "frames": 1_500, "lines": 6_120, "alerts": 500, "plans": 3_000, "manifests": 3_500, "scenarios": 600, "sites": 800, "models": 900,
    "journals of a run": 70, "plan of a run": 50, "captures of a run": 30, "label tables": 40, "label comments": 40, "tables": 10, "tasks of a campaign": 100, "file of a campaign": 100, "split of an export": 100, "readings": 20, "site of a capture": 20,
}  # fmt: skip
"""Inputs per way in: many if reading takes a millisecond, few if a run is settled or a table audited."""

MANY = 50
"""From this number of inputs on, some are accepted and some refused."""


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    """Every way in by its name."""
    return {target.name: target for target in targets(tmp_path_factory.mktemp("sound"))}


def test_there_are_twenty_thousand() -> None:
    """The numbers of inputs add up to twenty thousand."""
    assert sum(INPUTS.values()) == 20_000


def test_every_way_has_its_share(ways: dict[str, Target]) -> None:
    """Every way in has a number of inputs."""
    assert set(ways) == set(INPUTS)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.filterwarnings("ignore")
def test_sound_files_are_taken(ways: dict[str, Target], tmp_path: Path, name: str) -> None:
    """Every undamaged file is accepted, so that only damage can be the reason for a refusal."""
    way = ways[name]
    sound = Target(way.name, way.samples, lambda _, data: data, way.feed, way.beside)
    assert feed(sound, tmp_path, range(2 * len(way.samples))) == (2 * len(way.samples), 0)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_taken_or_refused(ways: dict[str, Target], tmp_path: Path, name: str) -> None:
    """Damaged files give a result or a sentence; a way with many inputs gives both, which shows that the damage is neither too strong nor too weak."""
    taken, refused = feed(ways[name], tmp_path, range(INPUTS[name]))
    assert taken + refused == INPUTS[name]
    if INPUTS[name] >= MANY:
        assert taken
        assert refused or name == "frames"  # decoder and retimer accept any frame
