"""Analyses of a finished run: each appears as a whole in a folder of its own, and the sealed run does not change."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.testbed import made_finished as made

from coldaisle_analysis import pipeline
from coldaisle_contracts.analyses import AnalysisManifest, refuse_sealed
from coldaisle_contracts.errors import InputError, TrustError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_testbed import analyses, conclude, conduct
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.verification import verify


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run."""
    return made.copy(finished_run, tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an analysis write two files, so that it need not train for half a minute."""

    def analyse_run(_run: Path, _account: Any, _built: Any, out: Path, *_: Any, **__: Any) -> None:
        for name in ("report/index.html", "models/metrics.json"):
            (out / name).parent.mkdir()
            (out / name).write_text("[]")

    monkeypatch.setattr(pipeline, "analyse_run", analyse_run)


def sealed(run: Path) -> dict[str, str]:
    """Return the sha256 of the manifest and of every file that it seals."""
    return {
        name: sha256_of(run / name) for name in (*Manifest.load(run).files, "manifest.json", "croissant.json")
    }


@pytest.mark.usefixtures("quick")
def test_an_analysis_is_added_and_the_known_paths_lead_to_it(run: Path) -> None:
    """A second and a third analysis get numbers; older ones and the run do not change, and everything verifies."""
    before = sealed(run)
    for number in ("002", "003"):
        assert conclude.again(run, Progress()) == run / "analyses" / number
        assert (
            run / "report" / "index.html"
        ).resolve() == run / "analyses" / number / "report" / "index.html"
    assert sorted(path.name for path in (run / "analyses").iterdir()) == ["001", "002", "003", "latest"]
    assert (run / "SCORECARD.json").is_symlink()
    assert sealed(run) == before
    assert verify(run).manifest_sha256 == digest_of(run)


@pytest.mark.usefixtures("quick")
def test_results_may_go_elsewhere(run: Path, tmp_path: Path) -> None:
    """With a named folder nothing is written into the run; that folder holds the analysis with its manifest, and no other file is left."""
    before = {path: path.lstat().st_mtime_ns for path in run.rglob("*")}
    out = tmp_path / "results"
    assert conclude.again(run, Progress(), out=out) == out
    assert AnalysisManifest.load(out).run_manifest == digest_of(run)
    assert {path: path.lstat().st_mtime_ns for path in run.rglob("*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "results"]
    with pytest.raises(InputError, match=r"--out is .*results': it already holds something"):
        conclude.again(run, Progress(), out=out)


@pytest.mark.usefixtures("quick")
def test_two_at_once_get_numbers_of_their_own(run: Path) -> None:
    """Of two analyses made at the same time the second takes the next number."""
    with analyses.making(run) as one, analyses.making(run) as other:
        for stage in (one, other):
            analyses.seal(stage, run, {}, tuned=False, weeks={})
        assert [analyses.place(stage, run).name for stage in (one, other)] == ["002", "003"]
    assert verify(run).manifest_sha256 == digest_of(run)


def test_a_failure_leaves_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a step fails, no part of an analysis is left, and a sentence names the disk."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", str(run / "analyses" / "x"))

    monkeypatch.setattr(pipeline, "analyse_run", full)
    with pytest.raises(InputError, match=r"analyses/x: it cannot be written, because the disk at .* is full"):
        conclude.again(run, Progress())
    assert sorted(path.name for path in (run / "analyses").iterdir()) == ["001", "latest"]


def test_a_kill_leaves_the_run_as_it_was(run: Path) -> None:
    """An analysis killed during training leaves a hidden folder, which has no effect and which the next analysis removes."""
    before = sealed(run)
    command = [sys.executable, "-m", "coldaisle_testbed", "analyse", str(run)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while not (left := list((run / "analyses").glob(".making-*"))):
        assert process.poll() is None
        time.sleep(0.05)
    with analyses.making(run):
        assert left[0].is_dir()  # another process makes it and must keep it
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert sealed(run) == before
    assert verify(run).manifest_sha256 == digest_of(run)
    with analyses.making(run):
        assert not left[0].exists()


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_changed_is_not_analysed(run: Path) -> None:
    """A run that differs from its manifest is not analysed."""
    made.flip(run / "journal" / "injector.jsonl")
    with pytest.raises(TrustError, match=r"journal/injector\.jsonl: is not what the manifest says"):
        conclude.again(run, Progress())


def test_who_may_only_read_is_told_what_to_do(run: Path) -> None:
    """Without the right to write, one sentence names the option --out, and no file is left."""
    folder = run / "analyses"
    shadow = run.parent / "file"
    shadow.write_text("")
    os.replace(folder, run.parent / "analyses")  # noqa: PTH105 - out of the way
    folder.symlink_to(shadow)  # not even root can write here
    with pytest.raises(InputError, match=r"analyse .*made --out DIR`"), analyses.making(run):
        pytest.fail("it was made")


def test_an_export_is_no_part_of_the_run(run: Path) -> None:
    """Copies in other formats may be written into the run's folder export/, and nowhere else in the run."""
    refuse_sealed(run / "export" / "csv")
    (run / "export" / "csv").mkdir(parents=True)
    (run / "export" / "csv" / "packets.csv").write_text("x")
    assert verify(run).manifest_sha256 == digest_of(run)
    for place in (run, run / "dataset", run / "analyses" / "001" / "more", run / "more" / "export"):
        with pytest.raises(InputError, match=r"lies in the finished run .*made, which may not change"):
            refuse_sealed(place)


@pytest.mark.usefixtures("quick")
def test_the_service_notebook_analyses_what_was_cut_short(run: Path) -> None:
    """`notebook finish` analyses a run that was sealed in containers and never analysed, and does so once."""
    (run.parent / "latest").symlink_to(run.name)
    shutil.rmtree(run / "analyses")
    assert conduct.finish(run.parent, Progress()) == 0
    assert not (run / "analyses").exists()  # the run of another engine was made without models on purpose
    made.refit(run, engine="compose")
    assert [conduct.finish(run.parent, Progress()) for _ in range(2)] == [1, 0]
    assert sorted(path.name for path in (run / "analyses").iterdir()) == ["001", "latest"]


@pytest.mark.usefixtures("quick")
def test_every_interrupted_analysis_is_made(run: Path) -> None:
    """`notebook finish` analyses every run whose analysis was interrupted; `latest` stays at the newest run."""
    runs = run.parent
    made.refit(run, engine="compose")
    shutil.rmtree(run / "analyses")
    shutil.copytree(run, runs / "zz", symlinks=True)
    (runs / "latest").symlink_to("zz")
    assert conduct.finish(runs, Progress()) == 2
    assert (runs / "latest").resolve().name == "zz"
    assert all((runs / name / "analyses" / "001").is_dir() for name in (run.name, "zz"))
