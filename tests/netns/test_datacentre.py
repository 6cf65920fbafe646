"""A data centre with everything that a site can have, really played: each dialect, TLS, every kind of device, workstations, and a chain."""

from pathlib import Path

import pytest
from tests.netns.datacentre import DIGEST, PLAN

from coldaisle_analysis import tables
from coldaisle_analysis.truth.readings import semantic_digest, settle
from coldaisle_contracts.devices import DEVICES
from coldaisle_testbed import conclude, shard_folders, sharding, verification
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the shipped scenario, without models."""
    with stage_for(tmp_path_factory.mktemp("datacentre") / "run") as stage:
        shard_folders.prepare(stage, PLAN)
        sharding.play(PLAN, stage, 1, lambda _: None)
        order = Order(engine="netns", shards=1, analyse=False, latest=False)
        return conclude.conclude(stage, order, Progress())


def test_it_has_everything() -> None:
    """The site has each quality of service, each version, encrypted units, workstations, and a device of every kind that is shipped."""
    dialects = [unit.dialect for unit in PLAN.units.values()]
    assert {dialect.qos for dialect in dialects} == {0, 1, 2}
    assert {dialect.version for dialect in dialects} == {"3.1", "3.1.1", "5"}
    assert {dialect.tls for dialect in dialects} == {False, True}
    assert {companion.kind for companion in PLAN.companions.values()} == set(DEVICES.shipped)
    assert PLAN.workstations
    assert {episode.step for episode in PLAN.episodes} == {0, 1, 2, 3, 4}


def test_it_is_settled_and_verified(run: Path) -> None:
    """Every act was played, every frame explained twice, and the run is the one of every machine and engine."""
    verified = verification.verify(run)
    assert (verified.proof.precision, verified.proof.recall, verified.proof.unexplained) == (1, 1, 0)
    assert semantic_digest(settle(run)) == DIGEST


def test_every_kind_of_anomaly_is_in_the_dataset(run: Path) -> None:
    """Each episode has frames of its own."""
    packets = tables.read_level(run, "packets")
    labelled = packets[(packets["label"] == 1) | (packets["benign"] == 1)]
    assert set(labelled["episode"].astype("str")) == {episode.id for episode in PLAN.episodes}
