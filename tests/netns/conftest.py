"""One real run of the whole catalogue, for all tests that look at it."""

from pathlib import Path

import pytest
from tests.netns.catalogue import DAYS, PLAN

from coldaisle_testbed import week


@pytest.fixture(scope="session")
def catalogue_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every variant of every kind, really played on the netns engine; read only."""
    run = tmp_path_factory.mktemp("catalogue") / "run"
    week.prepare(run, PLAN)
    week.play(PLAN, run, DAYS, lambda _: None)
    return run
