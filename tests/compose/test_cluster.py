"""The profile cluster: two workers in containers that nobody reaches play a campaign, and its weeks verify."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.testbed import made_campaign

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed.engines import compose
from coldaisle_testbed.engines.compose import project_of

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE_S = 1800.0
"""Building the image takes minutes where nothing is cached, s."""
WEEKS = 3
RUN = ("run", "--rm", "campaign", "run", "/runs/tiny.toml", "--out", "/runs/campaign")

pytestmark = [
    pytest.mark.compose,
    pytest.mark.skipif(not compose.answers(), reason="needs a Docker Engine that answers"),
]


def compose_with(runs: Path, *arguments: str) -> tuple[int, str]:
    """Call `docker compose` with a folder of runs and the profile; return its exit code and what it wrote."""
    env = os.environ | {"PWD": str(HOUSE), "COLDAISLE_IMAGES": project_of(HOUSE), "COLDAISLE_RUNS": str(runs)}
    command = ["docker", "compose", "--ansi", "never", "--profile", "cluster", *arguments]
    done = subprocess.run(
        command, cwd=HOUSE, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs with the file of a campaign, and two workers that see it; in the end, containers and networks are removed."""
    made_campaign.file(tmp_path, WEEKS, scenario=Path("/scenarios/hour.toml"))
    try:
        code, output = compose_with(tmp_path, "up", "--detach", "--scale", "worker=2", "worker")
        assert code == 0, output
        yield tmp_path
    finally:
        code, output = compose_with(tmp_path, "down", "--volumes")
        assert code == 0, output


def test_containers_play_a_campaign(runs: Path) -> None:
    """Every week is there with every episode, as the folder's owner; the same command again has nothing to do."""
    scheduler = ("--scheduler", "tcp://127.0.0.1:8786")
    code, output = compose_with(runs, *RUN, *scheduler)
    assert code == 0, output
    folder = CampaignFolder(runs / "campaign")
    assert len(folder.done()) == WEEKS
    for week in folder.weeks:
        run = folder.run_of(week)
        assert Manifest.load(run).left_out == ()
        assert run.stat().st_uid == runs.stat().st_uid
    code, output = compose_with(runs, *RUN, *scheduler)
    assert f"{WEEKS} weeks are done" in output


def test_an_open_port_is_refused_inside_too(runs: Path) -> None:
    """The command in the container refuses a scheduler that others could reach."""
    code, output = compose_with(runs, *RUN, "--scheduler", "tcp://10.0.0.1:8786")
    assert code == 2
    assert "whoever reaches this port may run any program" in output
