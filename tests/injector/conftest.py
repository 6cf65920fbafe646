"""A broker, and a stage beside it, for tests of rogue clients."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.injector.made_stage import Run


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Run]]:
    """Makes brokers with a stage beside each."""
    runs = list[Run]()

    def make(name: str) -> Run:
        runs.append(Run(tmp_path / name, monkeypatch))
        return runs[-1]

    yield make
    for run in runs:
        run.broker.kill()


@pytest.fixture
def run(staged: Callable[[str], Run]) -> Run:
    """One broker and a stage."""
    return staged("run")
