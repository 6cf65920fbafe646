"""The hidden folder of a run: its owner, what is kept of it after a failure, and how to resume it."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coldaisle_contracts.errors import InputError, TrustError, notes
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_testbed import leftovers, making, shard_folders, stage, temporary
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order, hand_over, held_stage, new_stage, stage_for

PLAN = build_plan(
    Scenario.model_validate(
        {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 72}
    )
)
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ORDER = Order(engine="netns", shards=3, analyse=False, latest=False)
USER = 4242
PROGRAM = """
import os
from pathlib import Path
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.stage import stage_for
os.setuid({})
for out in {}:
    try:
        with stage_for(Path(out)):
            print(out, "was made")
    except InputError as error:
        print(error)
"""


def begun(folder: Path, sealed: int, *, played: bool = False) -> Path:
    """Return a stage in which some of three shards were sealed."""
    (folder / "journal").mkdir(parents=True)
    (folder / "plan.json").write_text(PLAN.model_dump_json())
    ORDER.model_copy(update={"played": played}).save(folder)
    for day in range(1, sealed + 1):
        shard_folder = folder / shard_folders.SHARDS / f"day-{day}"
        shard_folder.mkdir(parents=True)
        shard_folders.seal(shard_folder)
    return folder


def test_two_runs_in_one_second_get_two_names(tmp_path: Path) -> None:
    """A run that starts in the same second as another, finished or not, takes the name of the next second."""
    (tmp_path / "20260302-100000-made-1").mkdir()
    with new_stage(tmp_path, PLAN, NOW) as first, new_stage(tmp_path, PLAN, NOW) as second:
        names = [first.name, second.name]
    assert names == [".20260302-100001-made-1", ".20260302-100002-made-1"]


@pytest.mark.parametrize("error", [InputError("a", "b"), KeyboardInterrupt(), TrustError(["x"])])
def test_what_is_sealed_is_kept_and_the_error_says_how_to_go_on(tmp_path: Path, error: BaseException) -> None:
    """The sealed shards are kept, the third is removed; for a run that is not trustworthy the sentence says where it can be examined."""
    folder = begun(tmp_path / ".run", 2)
    (folder / shard_folders.SHARDS / "day-3").mkdir()
    with pytest.raises(type(error)), held_stage(folder):
        raise error
    (sentence,) = notes(error)
    how = (
        "for inspection"
        if isinstance(error, TrustError)
        else f": go on with `coldaisle up --resume {folder}`"
    )
    assert sentence.startswith(f"2 of 3 shards are sealed and lie in {folder}")
    assert how in sentence
    assert sorted(path.name for path in (folder / shard_folders.SHARDS).iterdir()) == ["day-1", "day-2"]


def test_a_stage_that_holds_nothing_goes(tmp_path: Path) -> None:
    """A stage without a sealed shard is removed, and the error does not mention it."""
    folder, error = begun(tmp_path / ".run", 0), InputError("a", "b")
    with pytest.raises(InputError), held_stage(folder):
        raise error
    assert notes(error) == []
    assert list(tmp_path.iterdir()) == []


def test_containers_that_failed_leave_nothing_behind(tmp_path: Path) -> None:
    """What containers have captured until one of them failed is not a run: it goes, and is not called played."""
    folder, error = begun(tmp_path / ".run", 0), InputError("a", "b")
    ORDER.model_copy(update={"engine": "compose"}).save(folder)
    (folder / "journal" / "capture.jsonl").touch()
    with pytest.raises(InputError), held_stage(folder):
        raise error
    assert notes(error) == []
    assert list(tmp_path.iterdir()) == []


def test_a_stage_in_use_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage in use can be neither resumed nor cleared away; afterwards both are possible."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(leftovers, "SHARED_MEMORY", tmp_path / "none")
    folder = begun(tmp_path / ".run", 1)
    with held(folder):
        for name in (folder, tmp_path / "run"):
            with pytest.raises(InputError, match="a run is being made here right now"):
                making.resume(name, lambda _: None, Progress())
        assert [leftover.busy for leftover in leftovers.find(tmp_path)] == [True]
        assert leftovers.clean(leftovers.find(tmp_path)) == []
    assert not is_held(folder)
    assert [leftover.remedy for leftover in leftovers.find(tmp_path)] == [f"coldaisle up --resume {folder}"]


def test_what_is_no_unfinished_run_is_refused_and_stays(tmp_path: Path) -> None:
    """Any other folder, a plan without an order and an order without a plan are refused in one sentence and not changed."""
    other, orderless, planless = tmp_path / "other", tmp_path / ".a", begun(tmp_path / ".b", 1)
    for folder in (other, orderless):
        folder.mkdir()
        (folder / "plan.json").write_text(PLAN.model_dump_json())
    (planless / "plan.json").unlink()
    for folder in (other, orderless, planless, tmp_path / "none"):
        with pytest.raises(InputError):
            making.resume(folder, lambda _: None, Progress())
    assert {path.name for path in tmp_path.iterdir()} == {"other", ".a", ".b"}


def test_more_shards_than_days_are_refused() -> None:
    """A shard has at least one day; by default each day is one shard."""
    assert (making.shards_of(PLAN, None), making.shards_of(PLAN, 2)) == (3, 2)
    with pytest.raises(InputError, match=r"--shards is 4: the scenario has 3 days, .*: use at most 3"):
        making.shards_of(PLAN, 4)


def test_leftovers_are_listed_once_each_and_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stages, folders and shared memory of ended programs are removed; a finished run, what is in use, and the files of other programs stay."""
    runs, folders, memory = tmp_path / "runs", tmp_path / "folders", tmp_path / "shm"
    for path in (runs, folders, memory, folders / "coldaisle-not-ours", runs / ".git", runs / ".empty"):
        path.mkdir()
    (runs / ".git" / "config").touch()
    begun(runs / ".sealed", 2)
    begun(runs / ".played", 0, played=True)
    begun(runs / ".nothing", 0)
    begun(runs / ".done", 0)
    (runs / ".done" / "manifest.json").write_text("{}")
    monkeypatch.setattr("tempfile.tempdir", str(folders))
    with temporary.temporary_folder(runs / ".sealed") as folder:
        os.rename(folder, folders / "coldaisle-left")  # noqa: PTH104
    monkeypatch.setattr(leftovers, "SHARED_MEMORY", memory)
    for name in ("faketime_shm_1", "faketime_shm_99999999", "sem.faketime_sem_99999999", "mine_99999999"):
        (memory / name).touch()
    (memory / "joblib_memmapping_folder_99999999_ab_cd").mkdir()
    lines = [str(leftover) for leftover in leftovers.find(runs)]
    assert [line.partition(",")[0].removeprefix(str(tmp_path)) for line in lines] == [
        "/runs/.done: a finished run without its name",
        "/runs/.empty: the beginning of a run",
        "/runs/.nothing: 0 of 3 shards are sealed",
        "/runs/.played: everything was played",
        "/runs/.sealed: 2 of 3 shards are sealed",
        f"/folders/coldaisle-left: sockets and logs of a run in {runs}/.sealed",
        "/shm/faketime_shm_99999999 and 2 more: shared memory of processes that are gone",
    ]
    assert len(leftovers.clean(leftovers.find(runs))) == 6
    assert {path.name for path in runs.iterdir()} == {".git", ".done"}
    assert {path.name for path in folders.iterdir()} == {"coldaisle-not-ours"}
    assert {path.name for path in memory.iterdir()} == {"faketime_shm_1", "mine_99999999"}


@pytest.mark.netns
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    """The stage with its files, folders and links, new parent folders and ``latest`` belong to the owner; a link's target does not change."""
    os.chown(tmp_path, USER, USER)
    with stage_for(tmp_path / "runs" / "run") as folder:
        ORDER.save(folder)
        (folder / "journal").mkdir()
        (folder / "journal" / "a.jsonl").touch()
        (folder / "link").symlink_to("/etc/passwd")
        stage.appear(folder, tmp_path / "runs" / "run")
    stage.point(tmp_path / "runs" / "latest", "run")
    assert {path.lstat().st_uid for path in tmp_path.rglob("*")} == {USER}
    assert Path("/etc/passwd").stat().st_uid == 0
    assert {path.name for path in tmp_path.rglob("*")} == {
        "runs",
        "run",
        "journal",
        "a.jsonl",
        "link",
        "latest",
    }
    hand_over(tmp_path / "runs" / "latest")


@pytest.mark.netns
def test_a_folder_that_may_not_be_written_is_one_sentence() -> None:
    """Without the right to write or to enter a folder, one sentence names the folder and the remedy."""
    with tempfile.TemporaryDirectory() as temporary:
        closed, shut = Path(temporary, "closed"), Path(temporary, "shut")
        closed.mkdir(0o755)
        shut.mkdir(0o700)
        closed.parent.chmod(0o755)
        program = PROGRAM.format(
            USER, [str(folder / name) for folder in (closed, shut) for name in ("run", "deep/run")]
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert [line.partition(": ")[2] for line in lines] == [
        "it cannot be written (Permission denied): name another folder with --out"
    ] * 4, done.stderr
    assert [line.partition(": ")[0] for line in lines][::2] == [str(closed), str(shut / "run")]
