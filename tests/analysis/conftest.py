"""Fixtures that several tests of the analysis share: an analysed run made by hand, and a dataset of a week."""

from pathlib import Path

import pytest
from rich.console import Console
from tests.analysis import made_dataset, made_run
from tests.analysis.made_manifest import made_manifest
from tests.beside import Shared

from coldaisle_analysis import dataset
from coldaisle_contracts.manifest import MANIFEST
from coldaisle_testbed.conclude import conclude
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order


@pytest.fixture(scope="session")
def analysed_run(shared: Shared) -> Path:
    """Return a run made by hand, finished and analysed as by ``coldaisle up``; read only. The lines shown are in ``lines.txt`` beside it."""

    def make(folder: Path) -> Path:
        made_run.make(folder / ".made")
        with (folder / "lines.txt").open("w", encoding="utf-8") as file:
            progress = Progress(Console(file=file))
            order = Order(engine="netns", shards=1, analyse=True, latest=False)
            return conclude(folder / ".made", order, progress)

    return shared.once("analysed", make)


@pytest.fixture(scope="session")
def made_week(shared: Shared) -> Path:
    """Return a run of seven days, with an episode on each of the first six and without captures; read only."""

    def make(folder: Path) -> Path:
        week = folder / "made"
        dataset.write(made_dataset.make(days=7, episodes=6), week / "dataset")
        (week / MANIFEST).write_text(made_manifest(week).model_dump_json())
        return week

    return shared.once("week", make)
