"""The smoke scenario is played a second time."""

from pathlib import Path

import pytest

from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.plan import Plan
from coldaisle_testbed import shard_folders, sharding
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.reproduce import reproduce

pytestmark = pytest.mark.netns


def test_a_run_comes_out_the_same_again(hour_run: Path) -> None:
    """A second real run of the hour's plan has the same semantic digest."""

    def play(plan: Plan, stage: Path) -> None:
        shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, 1, lambda _: None)

    assert Manifest.load(hour_run).semantic_digest in reproduce(hour_run, play, Progress())
