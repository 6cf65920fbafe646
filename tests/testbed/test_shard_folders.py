"""Folders of shards: whole or damaged, kept, and joined."""

from pathlib import Path

import pytest

from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import shard_folders, sharding

DAYS = Shard.split(3, 3)


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A stage with three sealed shards."""
    (tmp_path / "journal").mkdir()
    (tmp_path / "capture" / "raw").mkdir(parents=True)
    for shard in DAYS:
        folder = shard_folders.folder_of(tmp_path, shard)
        (folder / "journal").mkdir(parents=True)
        (folder / "capture" / "raw").mkdir(parents=True)
        for name in ("capture", "inrow-13"):
            (folder / "journal" / f"{name}.jsonl").write_text(f"{name} {shard}\n")
        (folder / "capture" / f"{shard}-000.pcap").write_text(f"retimed {shard}")
        (folder / "capture" / "raw" / f"{shard}-000.pcap").write_text(f"raw {shard}")
        shard_folders.seal(folder)
    return tmp_path


@pytest.mark.parametrize("damage", ["cut", "gone", "more", "unsealed", "half a seal"])
def test_a_piece_that_is_not_as_it_was_sealed_is_played_again(stage: Path, damage: str) -> None:
    """A shard with a cut, missing or new file, or a missing or broken seal, is removed and played again; the others stay."""
    folder = shard_folders.folder_of(stage, DAYS[1])
    capture = folder / "capture" / "day-2-000.pcap"
    if damage == "cut":
        capture.write_text("ret")
    elif damage == "gone":
        capture.unlink()
    elif damage == "more":
        (folder / "journal" / "more.jsonl").touch()
    elif damage == "unsealed":
        (folder / shard_folders.WHOLE).unlink()
    else:
        (folder / shard_folders.WHOLE).write_text("{")
    assert sorted(shard_folders.drop_unsealed(stage)) == ["day-1", "day-3"]
    assert not folder.exists()


def _files(stage: Path) -> dict[str, str]:
    return {str(path.relative_to(stage)): path.read_text() for path in stage.rglob("*") if path.is_file()}


@pytest.mark.parametrize("steps", range(6))
def test_a_join_that_was_cut_short_is_made_again(
    stage: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """A join interrupted at any capture leaves the shards unchanged, and a second join gives the same result."""
    left, linked = iter(range(steps)), shard_folders._linked

    def cut(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        linked(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(shard_folders, "_linked", cut)
        with pytest.raises(KeyboardInterrupt):
            shard_folders.join(stage, DAYS)
    assert not shard_folders.are_joined(stage)
    assert len(shard_folders.drop_unsealed(stage)) == 3
    shard_folders.join(stage, DAYS)
    assert shard_folders.are_joined(stage)
    expected = {
        f"journal/{name}.jsonl": "".join(f"{name} {shard}\n" for shard in DAYS)
        for name in ("capture", "inrow-13")
    }
    expected |= {f"capture/{shard}-000.pcap": f"retimed {shard}" for shard in DAYS}
    expected |= {f"capture/raw/{shard}-000.pcap": f"raw {shard}" for shard in DAYS}
    assert _files(stage) == expected


def test_where_a_disk_knows_no_second_names_files_are_copied(
    stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links the capture is copied."""

    def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("os.link", refused)
    shard_folders.join(stage, DAYS)
    assert (stage / "capture" / "day-3-000.pcap").read_text() == "retimed day-3"


def test_only_what_is_missing_is_played(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two of three shards whole only the third is played; with all of them whole, or all joined, none is."""
    plan = build_plan(
        Scenario.model_validate(
            {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 72}
        )
    )
    begun: list[str] = []
    folder = shard_folders.folder_of(stage, DAYS[1])
    contents = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / shard_folders.WHOLE).unlink()

    def play_all(_plan: object, _stage: Path, shards: list[Shard], *_: object) -> None:
        begun.extend(map(str, shards))
        for name, data in contents.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(data)

    monkeypatch.setattr(sharding, "_play_all", play_all)
    for _ in range(2):
        assert sharding.play(plan, stage, 3, lambda _: None) == DAYS
    assert begun == ["day-2"]
    assert {path.name for path in stage.iterdir()} == {"capture", "journal"}
