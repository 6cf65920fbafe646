"""A chain of attacks, really played: every row of it has the right step, and a run without a chain has no such columns."""

from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.conftest import HOUSE

from coldaisle_analysis import tables
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.export import export
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed import conclude, shard_folders, sharding, verification
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, stage_for

pytestmark = pytest.mark.netns
STEPS = {"port-scan": 1, "brute-force": 2, "takeover": 3, "false-data": 4}
"""The kinds of scenarios/chain.toml, in its order."""


@pytest.fixture(scope="module")
def chain_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the shipped chain, without models."""
    plan = build_plan(load_scenario(HOUSE / "scenarios" / "chain.toml"))
    with stage_for(tmp_path_factory.mktemp("chain") / "run") as stage:
        shard_folders.prepare(stage, plan)
        sharding.play(plan, stage, 1, lambda _: None)
        return conclude.conclude(
            stage, Order(engine="netns", shards=1, analyse=False, latest=False), Progress()
        )


def test_it_verifies(chain_run: Path) -> None:
    """Every act was played, every frame explained, and the labels agree with the journals."""
    verified = verification.verify(chain_run)
    assert (verified.proof.precision, verified.proof.recall, verified.proof.unexplained) == (1, 1, 0)


def test_every_attack_row_has_its_step(chain_run: Path) -> None:
    """The step of a row is that of its kind and of its episode; rows outside of the chain have none."""
    steps = {episode.id: episode.step for episode in Plan.load(chain_run / "plan.json").episodes}
    packets = tables.read_level(chain_run, "packets")
    assert set(packets.loc[packets["label"] == 1, "step"]) == set(STEPS.values())
    for level in LEVELS:
        rows = tables.read_level(chain_run, level)
        attacks, others = rows[rows["label"] == 1], rows[rows["episode"].astype("object").fillna("") == ""]
        assert list(attacks["step"]) == list(attacks["kind"].astype("str").map(STEPS))
        assert list(attacks["step"]) == list(attacks["episode"].astype("str").map(steps))
        assert set(attacks["chain"]) == ({"break-in"} if len(attacks) else set())
        assert len(others)
        assert others[["chain", "step"]].isna().all(axis=None)


def test_an_export_has_the_steps(chain_run: Path, tmp_path: Path) -> None:
    """CSV has both columns, and the comment of a frame in the pcapng names chain and step."""
    export(chain_run, ["csv", "pcapng"], tmp_path / "out")
    head, *_ = (tmp_path / "out" / "csv" / "readings.csv").read_text("utf-8").splitlines()
    assert head.endswith('"role","chain","step"')
    (path,) = (tmp_path / "out" / "pcapng").iterdir()
    assert (
        b"kind=takeover episode=e03 role=injected technique=T0856 chain=break-in step=3" in path.read_bytes()
    )


def test_a_run_without_a_chain_has_no_such_columns(hour_run: Path) -> None:
    """The tables of other scenarios are what they were."""
    for level in LEVELS:
        assert not {"chain", "step"} & set(pq.read_schema(hour_run / "dataset" / f"{level}.parquet").names)
