"""What several tests of the testbed share: a finished run made by hand."""

from pathlib import Path

import pytest
from tests.testbed import made_finished


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run made by hand, audited, without models; read only."""
    return made_finished.make(tmp_path_factory.mktemp("finished"))
