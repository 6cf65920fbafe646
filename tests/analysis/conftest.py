"""What several tests of the analysis share: a run made by hand and analysed, and a week of a dataset."""

from pathlib import Path

import pytest
from tests.analysis import made_dataset, made_run
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis import dataset
from coldaisle_analysis.pipeline import analyse_run
from coldaisle_contracts.manifest import MANIFEST


@pytest.fixture(scope="session")
def analysed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run made by hand, with everything an analysis adds; whoever changes a file of it puts it back."""
    folder = tmp_path_factory.mktemp("analysed") / "made"
    folder.mkdir()
    made_run.make(folder)
    made_manifest(folder).save(folder)
    analyse_run(folder, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def made_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of seven days with an episode on each of the first six, without captures; read only."""
    folder = tmp_path_factory.mktemp("week") / "made"
    dataset.write(made_dataset.make(days=7, episodes=6), folder / "dataset")
    (folder / MANIFEST).write_text(made_manifest(folder).model_dump_json())
    return folder
