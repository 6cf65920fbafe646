"""The hidden folder of a run: whose it is, what is kept of it when the making fails, and how to go on."""

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
    """While one is made, and once it is there, the next in the same second takes the name of the next second."""
    (tmp_path / "20260302-100000-made-1").mkdir()
    with new_stage(tmp_path, PLAN, NOW) as first, new_stage(tmp_path, PLAN, NOW) as second:
        names = [first.name, second.name]
    assert names == [".20260302-100001-made-1", ".20260302-100002-made-1"]


@pytest.mark.parametrize("error", [InputError("a", "b"), KeyboardInterrupt(), TrustError(["x"])])
def test_what_is_sealed_is_kept_and_the_error_says_how_to_go_on(tmp_path: Path, error: BaseException) -> None:
    """Two of three shards stay, the unsealed one goes; of a run that is not trustworthy it says that it is there to look at."""
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
    """Nothing sealed: nothing is kept, and nothing more is said."""
    folder, error = begun(tmp_path / ".run", 0), InputError("a", "b")
    with pytest.raises(InputError), held_stage(folder):
        raise error
    assert notes(error) == []
    assert list(tmp_path.iterdir()) == []


def test_a_stage_in_use_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going on with it is refused in a sentence, clearing away passes it over; afterwards both are possible."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(leftovers, "SHARED_MEMORY", tmp_path / "none")
    folder = begun(tmp_path / ".run", 1)
    with held(folder):
        for name in (folder, tmp_path / "run"):
            with pytest.raises(InputError, match="a run is being made here right now"):
                making.resume(name, lambda _: None, Progress())
        assert [leftover.busy for leftover in leftovers.find(tmp_path)] == [True]
        assert leftovers.clean(tmp_path) == []
    assert not is_held(folder)
    assert [leftover.remedy for leftover in leftovers.find(tmp_path)] == [f"coldaisle up --resume {folder}"]


def test_what_is_no_unfinished_run_is_refused_and_stays(tmp_path: Path) -> None:
    """Any other folder, a finished run's plan without an order, an order without a plan: one sentence, nothing is touched."""
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
    """A shard has at least one day; without a number each day is one."""
    assert (making.shards_of(PLAN, None), making.shards_of(PLAN, 2)) == (3, 2)
    with pytest.raises(InputError, match=r"--shards is 4: the scenario has 3 days, .*: use at most 3"):
        making.shards_of(PLAN, 4)


def test_leftovers_are_listed_once_each_and_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stages by what they hold, folders and shared memory of what is gone; what is not ours, in use or a finished run stays."""
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
    assert len(leftovers.clean(runs)) == 6
    assert {path.name for path in runs.iterdir()} == {".git", ".done"}
    assert {path.name for path in folders.iterdir()} == {"coldaisle-not-ours"}
    assert {path.name for path in memory.iterdir()} == {"faketime_shm_1", "mine_99999999"}


@pytest.mark.netns
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    """Stage, files, folders and links in it, folders made on the way, and ``latest``: all are the owner's, links themselves too."""
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
    """Whoever may not write the folder, or not even look into it, reads which folder it is and what to do."""
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
