"""Watching live: growing captures are read, each alarm is written once, and the verdicts equal those on the finished capture."""

import json
import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.analysis import made_detector, made_run
from tests.analysis.made_manifest import made_manifest

from coldaisle_analysis.detection import Detector, Watch
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Clocks
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.live import choice, watch
from coldaisle_testbed.live.alarms import Book
from coldaisle_testbed.live.delays import Delays
from coldaisle_testbed.live.following import Tail, find
from coldaisle_testbed.live.loop import AbandonedError
from coldaisle_testbed.stage import ORDER, Order

POLICY = "best F1"
MOST = 1 << 20


class Stage:
    """A run that is being made: a shard's raw capture that grows, and its timeline."""

    def __init__(self, folder: Path, made: Path) -> None:
        self.folder = folder
        self.own = folder / "shards" / made_run.SHARD
        self.raw = self.own / "capture" / "raw"
        self.raw.mkdir(parents=True)
        (self.own / "journal").mkdir()
        (folder / "plan.json").write_bytes((made / "plan.json").read_bytes())
        self.data = (made / "capture" / "raw" / f"{made_run.SHARD}-000.pcap").read_bytes()
        self.open = self.raw / f"{made_run.SHARD}.tcpdump"
        self.open.touch()
        line = {"event": "offset", "shard": made_run.SHARD, "wall_ns": 0, "offset_ns": made_run.OFFSET}
        (self.own / "journal" / "timeline.jsonl").write_text(json.dumps(line) + "\n")

    def write(self, first: int, last: int) -> None:
        """Append some bytes to the capture."""
        with self.open.open("ab") as file:
            file.write(self.data[first:last])

    def seal(self) -> None:
        """Rename the capture, join the shard to the run and make the run appear."""
        self.open.rename(self.raw / f"{made_run.SHARD}-000.pcap")
        shutil.copytree(self.own / "capture", self.folder / "capture")
        shutil.rmtree(self.folder / "shards")
        self.folder.rename(self.folder.with_name(self.folder.name.removeprefix(".")))


def finished(run: Path, made: Path) -> Path:
    """Return a finished run with its timeline and a capture that can be watched from the beginning."""
    stage = Stage(run.with_name(f".{run.name}"), made)
    stage.write(0, len(stage.data))
    timeline = (stage.own / "journal" / "timeline.jsonl").read_text()
    stage.seal()
    shutil.copytree(made / "journal", run / "journal")
    (run / "journal" / "timeline.jsonl").write_text(timeline)
    (run / "manifest.json").touch()
    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a detector."""
    path = tmp_path_factory.mktemp("models") / "made.skops"
    made_detector.make().save(path)
    return path


def expected(model: Path, made: Path) -> list[tuple[int, int, float]]:
    """Return frame, time and score of every alarm on the finished capture."""
    capture = made / "capture" / f"{made_run.SHARD}-000.pcap"
    return [
        (int(verdicts.frame[row]), int(verdicts.time_ns[row]), float(verdicts.score[row]))
        for verdicts in Watch(Detector.load(model), POLICY).files([capture])
        for row in np.flatnonzero(verdicts.alarm)
    ]


def lines(folder: Path) -> list[dict[str, object]]:
    """Return the lines of the shard's file of alarms."""
    return [json.loads(line) for line in (folder / f"{made_run.SHARD}.jsonl").read_text().splitlines()]


def alarms_in(folder: Path) -> list[tuple[object, object, object]]:
    """Return frame, time and score of the alarms in a folder."""
    return [
        (line["frame"], line["time_ns"], line["score"]) for line in lines(folder) if line["event"] == "alarm"
    ]


def test_a_growing_capture_gives_every_frame_once(made: Path, tmp_path: Path) -> None:
    """A capture cut at any byte and sealed meanwhile gives the frames of the finished capture, in virtual time."""
    stage = Stage(tmp_path / ".run", made)
    tail, tail_frames = Tail(stage.raw, made_run.SHARD), []
    edges = sorted({0, 10, 24, 30, 41, *range(0, len(stage.data), 977), len(stage.data)})
    for first, last in pairwise(edges):
        stage.write(first, last)
        tail_frames += tail.read(5, MOST)
        assert not tail.ended()
    stage.seal()
    while frames := tail.read(1000, MOST):
        tail_frames += frames
    assert tail.ended()
    tail.close()
    retimed = made_run.captured(made / "capture" / f"{made_run.SHARD}-000.pcap")
    assert [time_ns for time_ns, _, _ in tail_frames] == [time_ns for time_ns, _ in retimed]
    assert [len(frame) for _, _, frame in tail_frames] == [len(frame) for _, frame in retimed]
    assert {time_ns - wall_ns for time_ns, wall_ns, _ in tail_frames} == {made_run.OFFSET}


def test_a_second_file_follows_the_first(made: Path, tmp_path: Path) -> None:
    """When tcpdump starts another file, the reader goes on there."""
    stage = Stage(tmp_path / ".run", made)
    stage.write(0, len(stage.data))
    again = stage.open.with_name(f"{stage.open.name}1")
    again.write_bytes(stage.data)
    tail = Tail(stage.raw, made_run.SHARD)
    count = len(made_run.captured(made / "capture" / f"{made_run.SHARD}-000.pcap"))
    assert sum(len(frames) for frames in iter(lambda: tail.read(1000, MOST), [])) == 2 * count
    tail.close()


def test_shards_are_found_where_they_are_played(made: Path, tmp_path: Path) -> None:
    """The reader finds the open and the sealed capture of a shard in the folders of both engines."""
    stage = Stage(tmp_path / ".run", made)
    assert list(find(stage.folder)) == [(stage.raw, made_run.SHARD)]
    assert list(find(made)) == [(made / "capture" / "raw", made_run.SHARD)]


def test_what_is_told_live_is_what_the_capture_says(made: Path, model: Path, tmp_path: Path) -> None:
    """Frames arrive in pieces during the watch; every alarm of the finished capture is written once, with its delay."""
    stage, folder = Stage(tmp_path / ".run", made), tmp_path / "alarms" / "run"

    def play() -> None:
        while not (folder / f"{made_run.SHARD}.jsonl").exists():
            time.sleep(0.01)
        step = len(stage.data) // 20
        for first in range(0, len(stage.data), step):
            stage.write(first, min(first + step, len(stage.data)))
            time.sleep(0.01)
        stage.seal()

    player = threading.Thread(target=play, daemon=True)
    player.start()
    reports: list[str] = []
    with held(stage.folder):
        watch(tmp_path, None, model, POLICY, None, None, reports.append)
    player.join()
    assert alarms_in(folder) == expected(model, made)
    assert [line["event"] for line in lines(folder)][:: len(lines(folder)) - 1] == ["watching", "end"]
    assert all(float(str(line["delay_ms"])) >= 0 for line in lines(folder) if line["event"] == "alarm")
    assert "alarms" in reports[-2]


def test_a_shard_without_its_timeline_is_left_to_the_next_look(
    made: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose shards are joined at the start of the watch ends it without an error and without a file."""
    monkeypatch.setattr("coldaisle_testbed.live.loop.SETTLE_S", 0.05)
    stage = Stage(tmp_path / ".run", made)
    stage.write(0, len(stage.data))
    (stage.own / "journal" / "timeline.jsonl").unlink()
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if line.startswith("watching"):
            threading.Timer(0.5, stage.seal).start()

    watch(tmp_path, stage.folder, model, POLICY, tmp_path / "out", None, tell)
    assert list((tmp_path / "out").iterdir()) == []
    assert lines[-1].startswith("0 frames in 0 shards")


def test_a_run_whose_making_was_ended_is_said(
    made: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch waits while a program makes the run; if that program ends, it reports what it has, and a second call goes on.

    A new watch ignores the abandoned folder.
    """
    monkeypatch.setattr("coldaisle_testbed.live.loop.SETTLE_S", 0.05)
    monkeypatch.setattr("coldaisle_testbed.live.choice.APPEAR_S", 0.3)
    stage = Stage(tmp_path / ".run", made)
    stage.write(0, len(stage.data))
    Order(engine="netns", shards=1, analyse=False, latest=False).save(stage.folder)
    reports: list[str] = []

    def make() -> None:
        with held(stage.folder):
            time.sleep(1)

    maker = threading.Thread(target=make, daemon=True)
    maker.start()
    while not is_held(stage.folder):
        time.sleep(0.01)
    began = time.monotonic()
    with pytest.raises(AbandonedError, match=r"the making of this run was ended before it was finished"):
        watch(tmp_path, stage.folder, model, POLICY, tmp_path / "out", None, reports.append)
    assert time.monotonic() - began >= 0.9
    maker.join()
    assert reports[-2].startswith(
        f"{len(made_run.captured(made / 'capture' / f'{made_run.SHARD}-000.pcap')):,} frames"
    )
    assert lines(tmp_path / "out")[-1]["event"] != "end"
    with pytest.raises(InputError, match="no run is being made here"):
        watch(tmp_path, None, model, POLICY, None, None, reports.append)
    (stage.folder / ORDER).unlink()
    stage.seal()
    watch(tmp_path, tmp_path / "run", model, POLICY, tmp_path / "out", None, reports.append)
    assert alarms_in(tmp_path / "out") == expected(model, made)


def test_a_watcher_that_starts_again_tells_nothing_twice(made: Path, model: Path, tmp_path: Path) -> None:
    """With a file cut within a line, a new watch goes on after the last whole alarm and ends with the same alarms."""
    run, out = finished(tmp_path / "run", made), tmp_path / "out"
    watch(tmp_path, run, model, POLICY, out, None, lambda _: None)
    whole = alarms_in(out)
    assert whole == expected(model, made)
    path = out / f"{made_run.SHARD}.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\n", len(data) // 2) + 20])
    watch(tmp_path, run, model, POLICY, out, None, lambda _: None)
    assert alarms_in(out) == whole
    with pytest.raises(InputError, match="another detector or policy"):
        watch(tmp_path, run, model, "1 a day", out, None, lambda _: None)


def test_no_run_and_no_model_are_said(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing model, an unknown policy, and a folder without a run are each refused in one sentence."""
    monkeypatch.setattr("coldaisle_testbed.live.choice.APPEAR_S", 0.05)
    for detector_file, policy, message in (
        (tmp_path / "none.skops", POLICY, "cannot be read"),
        (model, "never", "use one of"),
        (model, POLICY, "no run is being made here"),
    ):
        with pytest.raises(InputError, match=message):
            watch(tmp_path, None, detector_file, policy, None, None, lambda _: None)
    with pytest.raises(InputError, match="no run here has a detector"):
        watch(tmp_path, None, None, POLICY, None, None, lambda _: None)


def test_the_newest_run_that_was_analysed_lends_its_detector(made: Path, model: Path, tmp_path: Path) -> None:
    """A newer run without models, an unfinished run and the link to the newest run are ignored."""
    for age, name in enumerate(("old", "newer", ".stage")):
        detector_file = tmp_path / name / "models" / "packets.random_forest.skops"
        detector_file.parent.mkdir(parents=True)
        detector_file.write_bytes(model.read_bytes() if name == "newer" else b"")
        os.utime(detector_file, (age, age))
    (tmp_path / "newest").mkdir()
    (tmp_path / "latest").symlink_to("newest")
    watch(tmp_path, finished(tmp_path / "run", made), None, POLICY, None, None, lambda _: None)
    assert alarms_in(tmp_path / "alarms" / "run") == expected(model, made)


def _lend(runs: Path, name: str, hours: float, scores: dict[str, float], age: int) -> Path:
    """Make a run of these hours with detectors of these scores; the larger the age, the newer the run."""
    run = runs / name
    (run / "models").mkdir(parents=True)
    began = datetime(2026, 3, 2, tzinfo=UTC)
    ends = {
        "virtual_start": began,
        "virtual_end": began + timedelta(hours=hours),
        "wall_start": began,
        "wall_end": began,
    }
    manifest = made_manifest(run)
    manifest.counts["packets_attack"] = 5
    manifest.model_copy(update={"clocks": Clocks(**ends, time_zone="UTC", utc_offset_s=0)}).save(run)
    for model in scores:
        path = run / "models" / f"packets.{model}.skops"
        path.touch()
        os.utime(path, (age, age))
    split = "day" if hours > 24 else "block"
    rows = [{"model": model, "level": "packets", "split": split, "f1": f1} for model, f1 in scores.items()]
    rows += [{"model": "rule", "level": "packets", "split": "random", "f1": 1.0}]
    (run / "models" / "metrics.json").write_text(json.dumps(rows))
    return run


def test_the_detector_that_the_report_calls_best(tmp_path: Path) -> None:
    """The best detector of the newest run of a day or more is taken, and one line says which and why."""
    lines: list[str] = []
    _lend(tmp_path, "old", 168, {"random_forest": 0.9}, 1)
    week = _lend(tmp_path, "week", 168, {"random_forest": 0.7, "gradient_boosting": 0.8, "rule": 0.5}, 2)
    _lend(tmp_path, "smoke", 1, {"random_forest": 0.99}, 3)
    assert choice.detector(tmp_path, lines.append) == week / "models" / "packets.gradient_boosting.skops"
    assert len(lines) == 1
    assert "gradient_boosting" in lines[0]
    assert "best of its 3 on days held out with F1 0.800" in lines[0]
    assert "learned from a day or more" in lines[0]
    (week / "models" / "metrics.json").unlink()
    assert choice.detector(tmp_path, lines.append) == week / "models" / "packets.random_forest.skops"
    for name in ("old", "week"):
        shutil.rmtree(tmp_path / name)
    assert (
        choice.detector(tmp_path, lines.append)
        == tmp_path / "smoke" / "models" / "packets.random_forest.skops"
    )
    assert "none learned from a day: expect false alarms" in lines[2]


def test_what_is_left_over_is_passed_over(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default only a run that a program is making is watched, even if others are newer; a path that is not a run is refused."""
    lines: list[str] = []
    making = Stage(tmp_path / ".making", made).folder
    for name in (".compose", ".left"):
        Stage(tmp_path / name, made)
    monkeypatch.setattr(choice, "APPEAR_S", 0.05)
    with pytest.raises(InputError, match="no run is being made here"):
        choice.stage(tmp_path, None, lines.append)
    assert "3 left over from before, not being made" in lines[0]
    with held(making):
        assert choice.stage(tmp_path, None, lines.append) == making
    assert choice.stage(tmp_path, tmp_path / "making", lines.append) == making
    for nothing in (tmp_path / "nosuch", tmp_path):
        with pytest.raises(InputError, match="it is not a run"):
            choice.stage(tmp_path, nothing, lines.append)


def test_a_book_knows_what_it_holds(tmp_path: Path) -> None:
    """A file of alarms starts with its detector and policy, gives its last alarm, and drops a cut line."""
    path = tmp_path / "a.jsonl"
    book = Book(path, {"model": "m"})
    book.write({"event": "alarm", "frame": 7})
    book.close()
    path.write_bytes(path.read_bytes() + b'{"event": "ala')
    again = Book(path, {"model": "m"})
    assert (again.last, again.done) == (7, False)
    again.write({"event": "end"})
    again.close()
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == [
        "watching",
        "alarm",
        "end",
    ]
    assert Book(path, {"model": "m"}).done


@pytest.mark.parametrize(
    "content",
    [b"no\n", b"[]\n", b"{}\n", b"[" * 100_000 + b"\n", b"\xff\n", b'{"event": "alarm", "frame": "1"}\n'],
)
def test_a_book_that_is_none(tmp_path: Path, content: bytes) -> None:
    """A file with other contents than alarms is refused in one sentence and not changed."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jsonl: it holds no alarms"):
        Book(path, {"model": "m"})
    assert path.read_bytes() == content


def test_delays_are_known_to_two_percent() -> None:
    """Median, 99th percentile and maximum of delays counted in parts are those of all delays to 3 %; without delays there are none."""
    values = np.random.default_rng(2).lognormal(1, 1, 5_000)
    whole, part = Delays(), Delays()
    assert whole.facts() == {}
    for some in np.split(values[:4_000], 8):
        whole.add(some)
    part.add(values[4_000:])
    whole.merge(part)
    facts = whole.facts()
    assert facts["delay_ms_p50"] == pytest.approx(np.quantile(values, 0.5), rel=0.03)
    assert facts["delay_ms_p99"] == pytest.approx(np.quantile(values, 0.99), rel=0.03)
    assert facts["delay_ms_max"] == pytest.approx(values.max(), abs=1e-3)
