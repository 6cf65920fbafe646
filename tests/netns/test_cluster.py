"""A campaign that is really played by two workers, of which one is killed in the middle of a week."""

import threading
from pathlib import Path

import pytest
from tests.testbed import made_campaign
from tests.testbed.made_cluster import cluster, until

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed.campaign import run
from coldaisle_testbed.campaign.attempt import attempt
from coldaisle_testbed.campaign.folder import folder_for

WEEKS = 3
pytestmark = pytest.mark.netns


def _digests(folder: CampaignFolder) -> dict[str, str]:
    runs = (folder.path / "weeks").iterdir()
    return {path.name: Manifest.load(path).semantic_digest for path in runs}


def test_two_workers_play_what_one_machine_plays(tmp_path: Path) -> None:
    """A worker is killed while its week is played: no process of the run is left, and every week has the digest of a run without Dask."""
    file = made_campaign.file(tmp_path, WEEKS)
    folder = folder_for(file, tmp_path / "out")
    killed: list[int] = []
    with cluster(tmp_path) as made:
        for _ in range(2):
            made.add()

        def kill() -> None:
            until(lambda: list((folder.path / ".making").glob("*/.*/shards/*/journal")))
            killed.append(made.workers[0].pid)
            made.workers[0].kill()

        killer = threading.Thread(target=kill)
        killer.start()
        run.run(file, folder.path, tmp_path, None, "L", made.address)
        killer.join()
    assert killed
    alone = folder_for(file, tmp_path / "alone")
    assert [attempt(alone, week).ending for week in alone.weeks] == ["done"] * WEEKS
    assert _digests(folder) == _digests(alone)
    assert len(_digests(folder)) == WEEKS
