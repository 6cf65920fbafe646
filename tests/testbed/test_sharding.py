"""Shards: how a run is cut into them, how they are named, and how they are joined."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldaisle_contracts.errors import FederateError, InputError
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import shard_folders, sharding

_SCENARIO = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}


@given(st.integers(1, 92), st.integers(-1, 120))
def test_split_covers_every_day_once_in_order(days: int, shards: int) -> None:
    """For any number of shards they hold each day once, in order, and have nearly equal lengths."""
    parts = Shard.split(days, shards)
    assert [day for part in parts for day in part.days] == list(range(days))
    assert len(parts) == max(1, min(shards, days))
    lengths = {len(part.days) for part in parts}
    assert max(lengths) - min(lengths) <= 1


@given(st.integers(1, 92), st.integers(1, 92))
def test_name_of_a_shard_is_read_back(days: int, shards: int) -> None:
    """``day-3`` and ``day-1-7`` are read as the days they are written for."""
    for shard in Shard.split(days, shards):
        assert Shard.parse(str(shard), days) == shard


def test_no_name_means_the_whole_run() -> None:
    """An empty text means all days."""
    assert Shard.parse("", 7) == Shard(range(7))


@pytest.mark.parametrize(
    "text", ["day-0", "day-8", "day-5-3", "day-1-8", "day-", "day-a", "day-1-2-3", "Monday"]
)
def test_bad_name_is_refused_with_what_is_right(text: str) -> None:
    """A day outside the run or a name of another form is refused in one sentence with the value."""
    with pytest.raises(InputError, match=rf"shard is '{text}': (name days from 1 to 7|write it as day-3)"):
        Shard.parse(text, 7)


def test_fault_of_our_own_is_reported_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any exception in the process of a shard reaches the command line as one sentence with its place."""

    def broken(*_: object) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr(sharding, "ShardRun", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan = build_plan(Scenario.model_validate(_SCENARIO))
    with pytest.raises(FederateError, match=r"day-1 failed.*no such thing.*in _play_one"):
        sharding.play(plan, tmp_path, 1, lambda _: None)


def test_join_puts_shards_together_in_order(tmp_path: Path) -> None:
    """Journals are appended in the order of days, captures are moved, and no file of the shards is left."""
    plan, shards = build_plan(Scenario.model_validate(_SCENARIO)), Shard.split(11, 11)
    shard_folders.prepare(tmp_path, plan)
    for shard in shards:
        folder = tmp_path / "shards" / str(shard)
        shard_folders.prepare(folder, plan)
        for name in ("injector", "inrow-13"):
            (folder / "journal" / f"{name}.jsonl").write_text(f"{name} {shard}\n")
        (folder / "capture" / f"{shard}-000.pcap").write_text(f"retimed {shard}")
        (folder / "capture" / "raw" / f"{shard}-000.pcap").write_text(f"raw {shard}")
    shard_folders.join(tmp_path, shards)
    for name in ("injector", "inrow-13"):
        lines = (tmp_path / "journal" / f"{name}.jsonl").read_text().splitlines()
        assert lines == [f"{name} day-{day}" for day in range(1, 12)]
    assert (tmp_path / "capture" / "day-11-000.pcap").read_text() == "retimed day-11"
    assert (tmp_path / "capture" / "raw" / "day-2-000.pcap").read_text() == "raw day-2"
    assert {path.name for path in tmp_path.iterdir()} == {"plan.json", "journal", "capture"}
