"""Claims: of many runners one has a week, whatever becomes of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coldaisle_testbed.campaign import claims

MANY = """
import sys, time
from pathlib import Path
from coldaisle_testbed.campaign import claims
while time.time() < float(sys.argv[2]):
    pass
won = [claims.claim(Path(sys.argv[1]), f"{number:016x}") is not None for number in range(50)]
print("".join("1" if one else "0" for one in won), flush=True)
sys.stdin.read()
"""
DIGEST = "0123456789abcdef"


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".claims").iterdir())


def _age(folder: Path, seconds: float) -> None:
    """Let a claim be as old as it would be after a time without a touch, in s."""
    path = max((folder / ".claims").glob(f"{DIGEST}.*"))
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def _of_another_machine(folder: Path) -> None:
    """Make the newest claim one of a process on another machine."""
    path = max((folder / ".claims").glob(f"{DIGEST}.*"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": "other", "kernel": "another boot"}))


@pytest.mark.parametrize("runners", [4])
def test_of_many_runners_one_has_a_week(tmp_path: Path, runners: int) -> None:
    """Processes that claim the same fifty weeks at the same moment share them without a week in two hands or none."""
    (tmp_path / ".claims").mkdir()
    begin = str(time.time() + 3)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(tmp_path), begin],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        for _ in range(runners)
    ]
    rows = [process.stdout.readline().strip() for process in processes if process.stdout]
    for process in processes:
        process.communicate(timeout=120)
    assert [sum(map(int, column)) for column in zip(*rows, strict=True)] == [1] * 50


def test_a_claim_is_held_until_it_is_dropped(tmp_path: Path) -> None:
    """Nobody else gets a claimed week; a dropped one is free."""
    mine = claims.claim(tmp_path, DIGEST)
    assert mine is not None
    assert claims.claim(tmp_path, DIGEST) is None
    assert claims.holder(tmp_path, DIGEST) != ""
    mine.drop()
    assert claims.holder(tmp_path, DIGEST) == ""
    assert claims.claim(tmp_path, DIGEST) is not None


def test_a_process_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    """A claim of an ended process of this machine is stale at once; so is one whose id another process has now."""
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path), "0"], input="", text=True, capture_output=True, check=True
    )
    assert done.stdout.strip() == "1" * 50
    assert claims.holder(tmp_path, f"{7:016x}") == ""
    again = claims.claim(tmp_path, f"{7:016x}")
    assert again is not None
    assert again.path.name == f"{7:016x}.1"
    content = json.loads(again.path.read_text())
    again.path.write_text(json.dumps(content | {"since": "1"}))
    assert claims.claim(tmp_path, f"{7:016x}") is not None


def test_a_claim_of_another_machine_goes_stale_with_time(tmp_path: Path) -> None:
    """It holds as long as it is touched, by the clock of the file system, and is taken over two minutes later."""
    first = claims.claim(tmp_path, DIGEST)
    assert first is not None
    _of_another_machine(tmp_path)
    for age, free in ((claims.STALE_S / 2, False), (claims.STALE_S, True)):
        _age(tmp_path, age)
        taken = claims.claim(tmp_path, DIGEST)
        assert (taken is not None) == free
    assert _files(tmp_path) == [f"{DIGEST}.0", f"{DIGEST}.1"]
    first.touched_s -= claims.BEAT_S
    assert not first.keep()  # it goes on, and finds a newer one


def test_a_holder_touches_its_claim(tmp_path: Path) -> None:
    """A claim that was kept is as young as at first."""
    mine = claims.claim(tmp_path, DIGEST)
    assert mine is not None
    _age(tmp_path, 10 * claims.STALE_S)
    mine.touched_s -= claims.BEAT_S
    assert mine.keep()
    _of_another_machine(tmp_path)
    assert claims.claim(tmp_path, DIGEST) is None


def test_a_claim_that_is_being_written_counts(tmp_path: Path) -> None:
    """A fresh claim without content is somebody's; one that stays without content goes stale."""
    (tmp_path / ".claims").mkdir()
    (tmp_path / ".claims" / f"{DIGEST}.0").touch()
    assert claims.claim(tmp_path, DIGEST) is None
    _age(tmp_path, 2 * claims.STALE_S)
    assert claims.claim(tmp_path, DIGEST) is not None


def test_claims_on_a_week_that_is_done_are_removed(tmp_path: Path) -> None:
    """No claim of any number is left, and those on other weeks stay."""
    for digest in (DIGEST, "f" * 16):
        assert claims.claim(tmp_path, digest) is not None
    (tmp_path / ".claims" / f"{DIGEST}.1").touch()
    claims.clear(tmp_path, DIGEST)
    assert _files(tmp_path) == [f"{'f' * 16}.0"]
