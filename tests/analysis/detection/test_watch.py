"""Watching: the same frames get the same scores, whole or in parts, live or from a dataset."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from tests.analysis import made_detector, made_run

from coldaisle_analysis import columns
from coldaisle_analysis.detection import Detector, Watch, scoring
from coldaisle_analysis.detection.watch import LIVE_FRAMES
from coldaisle_analysis.evaluation.levels import matrix
from coldaisle_analysis.features import packets
from coldaisle_analysis.forecast.columns import columns_of, sensor_values
from coldaisle_analysis.models.model import scores
from coldaisle_contracts.errors import InputError

POLICY = "best F1"


@pytest.fixture(scope="module")
def detector() -> Detector:
    """Return a detector."""
    return made_detector.make()


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the capture of a run made by hand."""
    run = tmp_path_factory.mktemp("runs") / "made"
    made_run.make(run)
    return run / "capture" / f"{made_run.SHARD}-000.pcap"


def scored(watch: Watch, capture: Path) -> list[float]:
    """Return the scores of a capture's frames."""
    return [float(score) for verdicts in watch.files([capture]) for score in verdicts.score]


def test_pieces_score_as_the_whole(detector: Detector, capture: Path) -> None:
    """Scores, alarms and frame numbers are the same for one frame at a time, a few frames, or the whole file."""
    whole = list(Watch(detector, POLICY).files([capture]))
    frames = made_run.captured(capture)
    for step in (1, 7, len(frames)):
        watch = Watch(detector, POLICY, live=True)
        parts = [
            verdicts
            for at in range(0, len(frames), step)
            for verdicts in watch.frames(frames[at : at + step])
        ]
        for name in ("frame", "time_ns", "score", "alarm"):
            first, second = (
                np.concatenate([getattr(verdicts, name) for verdicts in results])
                for results in (whole, parts)
            )
            assert first.tolist() == second.tolist()
    assert len(set(scored(Watch(detector, POLICY), capture))) > 1


def test_a_capture_scores_as_its_dataset(detector: Detector, capture: Path) -> None:
    """The scores computed frame by frame equal those computed from the dataset's columns and the site's forecasts."""
    frame = packets.trace([capture]).packets
    learned = matrix({name: frame[name] for name in columns.learned("packets")}, "packets")
    forecasts = columns_of(detector.site, sensor_values(frame, "packets"), len(frame))
    expected = scores(detector.pipeline, np.column_stack([learned, forecasts]))
    assert scored(Watch(detector, POLICY), capture) == expected.tolist()


def test_more_frames_than_there_is_room_for_are_refused(detector: Detector) -> None:
    """Too many frames at once raise an error, and none of them is scored."""
    with pytest.raises(ValueError, match="no room"):
        list(Watch(detector, POLICY, live=True).frames([(0, bytes(60))] * (LIVE_FRAMES + 1)))


def test_scores_and_alarms_are_written_whole(detector: Detector, capture: Path, tmp_path: Path) -> None:
    """The folder has one row per frame and one line per alarm; without a folder the first alarms are shown; a folder in use is refused."""
    model, out = tmp_path / "made.skops", tmp_path / "out"
    detector.save(model)
    lines = scoring.score(model, [capture], POLICY, out).lines()
    table = pq.read_table(out / "scores.parquet").to_pydict()
    alarms = [json.loads(line) for line in (out / "alarms.jsonl").read_text().splitlines()]
    assert table["score"] == scored(Watch(detector, POLICY), capture)
    assert [alarm["frame"] for alarm in alarms] == [
        at for at, alarm in zip(table["frame"], table["alarm"], strict=True) if alarm
    ]
    assert lines[0] == f"{len(table['frame'])} frames, {len(alarms)} alarms"
    assert scoring.score(model, [capture], POLICY, None).lines()[-1] == lines[0]
    with pytest.raises(InputError, match="exists already"):
        scoring.score(model, [capture], POLICY, out)


def test_a_list_of_alarms_that_was_cut_says_so(
    detector: Detector, capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there are more alarms than are shown, a line gives both numbers; if all are shown, there is no such line."""
    model = tmp_path / "made.skops"
    detector.save(model)
    whole = scoring.score(model, [capture], POLICY, None).lines()
    monkeypatch.setattr(scoring, "FEW", 3)
    cut = scoring.score(model, [capture], POLICY, None).lines()
    assert cut == [*whole[:3], f"3 of {len(whole) - 1} alarms shown; all with --out DIR", whole[-1]]


def test_nothing_is_left_of_a_capture_that_cannot_be_read(
    detector: Detector, capture: Path, tmp_path: Path
) -> None:
    """A capture that is cut short gives one sentence and leaves no folder."""
    model, cut = tmp_path / "made.skops", tmp_path / "cut.pcap"
    detector.save(model)
    cut.write_bytes(capture.read_bytes()[:-3])
    with pytest.raises(InputError, match="cut short"):
        scoring.score(model, [cut], POLICY, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.pcap", "made.skops"]
