"""A pytest plugin for authors of kinds: the fixture ``obedience`` plays a kind and checks the rules that every kind keeps.

pytest finds it by itself where coldaisle is installed. It imports nothing before a test asks for the fixture.
"""

import os
from pathlib import Path

import pytest

_ROOT = "obedience.check plays a run in network namespaces, which needs root: call pytest as root"


class Obedience:
    """What the fixture ``obedience`` gives.

    Args:
        folders: makes temporary folders.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders

    def check(self, kind: str, seed: int = 11) -> Path:
        """Play every variant of a kind in a short run on netns, and fail with a sentence for each rule that it breaks.

        Args:
            kind: name of the kind.
            seed: seed of the run; another one draws other parameters.

        Returns:
            The folder of the run, labelled and verified.
        """
        if os.geteuid() != 0:
            pytest.fail(_ROOT, pytrace=False)
        from coldaisle_contracts.errors import ColdaisleError  # noqa: PLC0415 - for those who ask for it
        from coldaisle_contracts.kinds import KINDS  # noqa: PLC0415
        from coldaisle_testbed.obedience import trial  # noqa: PLC0415

        folder = self._folders.mktemp("obedience")
        try:
            if kind not in KINDS:
                pytest.fail(
                    f"{kind}: no installed package adds this kind: install yours first", pytrace=False
                )
            broken = list(trial.problems(KINDS[kind], folder, seed))
        except ColdaisleError as error:
            broken = [str(error)]
        if broken:
            pytest.fail("\n".join([f"{kind} breaks {len(broken)} rules:", *broken]), pytrace=False)
        return folder / kind


@pytest.fixture(scope="session")
def obedience(tmp_path_factory: pytest.TempPathFactory) -> Obedience:
    """Check a kind of anomaly as coldaisle checks its own: ``obedience.check("my-kind")``."""
    return Obedience(tmp_path_factory)
