"""A detector watches a real run: its alarms during the run equal those on the finished capture."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.analysis import made_detector

from coldaisle_analysis.detection import Detector, Watch
from coldaisle_testbed.engines import compose

HOUSE = Path(__file__).resolve().parents[2]
POLICY = "best F1"
needs_engine = pytest.mark.skipif(not compose.answers(), reason="needs a Docker Engine that answers")


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("netns", marks=pytest.mark.netns),
        pytest.param("compose", marks=[pytest.mark.compose, needs_engine]),
    ],
)
def test_live_and_offline_agree_on_every_frame(tmp_path: Path, engine: str) -> None:
    """The alarms written while the hour plays are those of scoring its capture afterwards, and every frame was scored."""
    model, runs = tmp_path / "made.skops", tmp_path / "runs"
    made_detector.make().save(model)
    runs.mkdir()
    program: list[str | Path] = [sys.executable, "-m", "coldaisle_testbed"]
    scenario = HOUSE / "scenarios" / "hour.toml"
    watcher = [*program, "live", "--model", model, "--runs", runs]
    up = [*program, "up", scenario, "--engine", engine, "--out", runs / "run", "--no-analysis"]
    watching = subprocess.Popen(watcher, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        subprocess.run(up, check=True, capture_output=True, cwd=tmp_path)
        output, _ = watching.communicate(timeout=300)
    finally:
        watching.kill()
    assert watching.returncode == 0, output
    captures = sorted((runs / "run" / "capture").glob("*.pcap"))
    assert captures
    for capture in captures:
        book = runs / "alarms" / "run" / f"{capture.name.rpartition('-')[0]}.jsonl"
        lines = [json.loads(line) for line in book.read_text(encoding="utf-8").splitlines()]
        frames, alarms = 0, []
        for verdicts in Watch(Detector.load(model), POLICY).files([capture]):
            frames += len(verdicts.frame)
            alarms += [
                (int(verdicts.frame[row]), float(verdicts.score[row]))
                for row in np.flatnonzero(verdicts.alarm)
            ]
        assert lines[-1]["frames"] == frames
        assert [(alarm["frame"], alarm["score"]) for alarm in lines if alarm["event"] == "alarm"] == alarms
