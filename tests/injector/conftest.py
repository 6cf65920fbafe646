"""Fixtures for tests of rogue clients: a broker with a stage beside it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.injector.made_stage import Run


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Run]]:
    """Factory of brokers, each with a stage beside it."""
    runs = list[Run]()

    def make(name: str) -> Run:
        runs.append(Run(tmp_path / name, monkeypatch))
        return runs[-1]

    yield make
    for run in runs:
        run.broker.kill()


@pytest.fixture
def run(staged: Callable[[str], Run]) -> Run:
    """One broker with a stage."""
    return staged("run")
