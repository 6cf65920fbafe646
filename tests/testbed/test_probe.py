"""Missing kernel features are named before a run, with the kinds that are left out."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coldaisle_contracts.kinds import SHIPPED
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed import cli, probe, shard_folders

WEEK = Path(__file__).parents[2] / "scenarios" / "week.toml"


def _refuses() -> None:
    raise OSError(95, "Operation not supported")


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_this_machine_lacks_nothing() -> None:
    """On the machine of these tests every probe passes."""
    assert probe.lacking() == {}


def test_every_need_of_a_kind_has_a_probe() -> None:
    """Every need of a kind has a probe."""
    assert {need for kind in SHIPPED.values() for need in kind.needs} <= set(probe.PROBES)


def test_what_is_lacking_is_named_with_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without link control loses the episodes of the cable, and no others."""
    plan = build_plan(load_scenario(WEEK))
    monkeypatch.setattr(probe, "PROBES", {"link control": _refuses, "packet sockets": lambda: None})
    lacks = probe.lacking()
    kinds, (sentence,) = probe.left_out(plan, lacks)
    count = sum(episode.kind == "cable" for episode in plan.episodes)
    assert kinds == {"cable"}
    assert sentence == (
        f"no link control here (Operation not supported): leaving out {count} episodes of cable"
    )


def test_run_says_so_before_it_starts_and_plays_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`up` prints the sentence first; the plan that it plays holds every other episode with its original id."""
    monkeypatch.setattr(probe, "PROBES", {"link control": _refuses})
    monkeypatch.setattr(cli, "_engine", lambda _: "netns")
    played: list[Plan] = []

    def stop(_stage: Path, plan: Plan) -> None:
        played.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(shard_folders, "prepare", stop)
    result = CliRunner().invoke(cli.app, ["up", str(WEEK), "--out", str(tmp_path / "run")])
    assert "no link control here" in result.output
    (plan,) = played
    whole = build_plan(load_scenario(WEEK))
    assert [episode for episode in whole.episodes if episode.kind != "cable"] == list(plan.episodes)
