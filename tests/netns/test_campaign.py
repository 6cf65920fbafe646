"""A real campaign of tiny weeks: killed and resumed, by two runners on one folder, and by xargs as the page shows it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import HOUSE
from tests.netns.observe import descendants, processes
from tests.testbed import made_campaign as made

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_contracts.manifest import Manifest, digest_of
from coldaisle_testbed import verification
from coldaisle_testbed.campaign.checking import problem_of
from coldaisle_testbed.campaign.folder import folder_for

pytestmark = pytest.mark.netns
WEEKS = 3
COMMAND = (sys.executable, "-P", "-m", "coldaisle_testbed")


@pytest.fixture(autouse=True)
def _temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the programs a temporary folder of their own; its name is short, because it is in the names of sockets."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield


def _run(folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "campaign", "run", str(folder / "tiny.toml"), "--out", str(folder / "out"), *more],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)


def _is_whole(folder: CampaignFolder) -> None:
    """Assert that every week is there, is what was planned, and that nothing else is left."""
    names = sorted(path.name for path in (folder.path / "weeks").iterdir())
    assert names == sorted(week.digest for week in folder.weeks)
    assert [problem_of(folder.run_of(week), week) for week in folder.weeks] == [""] * len(folder.weeks)
    for hidden in (".making", ".claims"):
        assert list((folder.path / hidden).iterdir()) == []


def test_killed_and_resumed_by_two_runners(tmp_path: Path) -> None:
    """After a kill -9 no program goes on; two runners then play what is missing, each week once, and what was done is untouched."""
    file = made.file(tmp_path, WEEKS)
    runner = _run(tmp_path, "--workers", "1")
    _until((tmp_path / "out" / "tasks.jsonl").exists, runner)
    folder = CampaignFolder(tmp_path / "out")
    first, second, _ = folder.weeks
    making = folder.path / ".making"
    played = f"{second.digest}.*/.{second.digest}/shards/day-1/journal/inrow-13.jsonl"
    _until(lambda: any(path.stat().st_size for path in making.glob(played)), runner)
    below = descendants(runner.pid)
    assert any("mosquitto" in name for name in below.values())
    runner.send_signal(signal.SIGKILL)
    runner.wait(300)
    _until_gone(below)
    assert [folder.is_done(week) for week in folder.weeks] == [True, False, False]
    before = digest_of(folder.run_of(first)), (folder.run_of(first) / "manifest.json").stat().st_mtime_ns
    runners = [_run(tmp_path, "--workers", "1") for _ in range(2)]
    ends = [runner.communicate(timeout=1800) for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], ends
    assert (
        digest_of(folder.run_of(first)),
        (folder.run_of(first) / "manifest.json").stat().st_mtime_ns,
    ) == before
    _is_whole(folder)
    log = (folder.path / "campaign.log").read_text().splitlines()
    assert sorted(line.split()[1] for line in log if " done " in line) == ["hour-1", "hour-2", "hour-3"]
    manifest = Manifest.load(folder.run_of(second))
    assert (manifest.id, manifest.seed) == (second.digest, second.seed)
    assert verification.verify(folder.run_of(second)).proof.recall == 1.0
    assert file.exists()


def _until_gone(below: dict[int, str]) -> None:
    until = time.monotonic() + 60
    while any(pid in processes() for pid in below):
        assert time.monotonic() < until, [name for pid, name in below.items() if pid in processes()]
        time.sleep(0.1)


def test_xargs_plays_the_tasks_as_the_page_shows_it(tmp_path: Path) -> None:
    """The example of docs/campaigns.md plays what `status --commands` prints; then a runner finds nothing to do."""
    page = (HOUSE / "docs" / "campaigns.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^(coldaisle campaign status .*xargs.*)$", page, re.MULTILINE)
    folder = folder_for(made.file(tmp_path, WEEKS), tmp_path / "out")
    tool = tmp_path / "bin" / "coldaisle"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    tool.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", example.replace("runs/campaign-demo", str(folder.path))],
        env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    runner = _run(tmp_path)
    out, err = runner.communicate(timeout=300)
    assert (runner.returncode, out) == (0, f"{WEEKS} weeks are done: {folder.path}\n"), err
    assert not (folder.path / "campaign.log").exists()
    _is_whole(folder)
    states = subprocess.run(
        [*COMMAND, "campaign", "status", str(folder.path), "--json"],
        capture_output=True,
        check=True,
        timeout=300,
    )
    assert json.loads(states.stdout)["done"] == WEEKS


FULL = """
set -e
mount -t tmpfs -o size=256k tmpfs "$1"
"$2" -P -m coldaisle_testbed campaign run "$3" --out "$1/out" --workers 1 && exit 9
test $? = 2
ls "$1/out/weeks" "$1/out/.making" "$1/out/.claims"
mount -o remount,size=256m "$1"
"$2" -P -m coldaisle_testbed campaign run "$3" --out "$1/out" --workers 1
"""
"""A disk that is too small for a week, and then is not."""


def test_a_full_disk_is_one_sentence_and_the_campaign_goes_on_later(tmp_path: Path) -> None:
    """On a full disk the campaign ends with exit code 2 and names the disk, nothing half-done stays, and the same command completes it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", FULL, "sh", disk, sys.executable, made.file(tmp_path, WEEKS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("coldaisle: ")]
    assert len(said) == 1
    assert f"the disk at {disk} is full" in said[0]
    listed, _, end = done.stdout.partition(f"{WEEKS} weeks are done")
    assert [line for line in listed.splitlines() if line and not line.endswith(":")] == []
    assert end == f": {disk}/out\n"
