"""Detectors as files: a detector is the same after it was written and read, and other files are refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.analysis import made_detector

from coldaisle_analysis.detection.detector import PLAIN, Detector, inputs
from coldaisle_analysis.detection.training import EARLY
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.models import files
from coldaisle_analysis.models.model import scores
from coldaisle_contracts.errors import InputError


def test_a_detector_survives_its_file(tmp_path: Path) -> None:
    """Scores, forecasts, policies and the description of its origin are the same after the detector was read back."""
    detector = made_detector.make()
    detector.save(tmp_path / "deep" / "made.skops")
    read = Detector.load(tmp_path / "deep" / "made.skops")
    rows = np.random.default_rng(1).normal(size=(50, len(inputs())))
    assert scores(read.pipeline, rows).tolist() == scores(detector.pipeline, rows).tolist()
    assert read.site.to_json() == detector.site.to_json()
    assert (read.model, read.policies, read.about) == (detector.model, detector.policies, detector.about)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["made.skops"]


def test_a_detector_knows_its_policies_and_where_it_comes_from() -> None:
    """A detector has the plain threshold, the operator's budgets and the early policy, and describes its training data."""
    detector = made_detector.make()
    assert list(detector.policies) == [PLAIN, *BUDGETS, EARLY]
    assert detector.about["data"] == "made by hand"
    assert detector.about["training"]["attack_rows"] == 108
    with pytest.raises(InputError, match="'best F1', '1 a day', '1 a week', 'early'"):
        detector.policy("sometimes")


@pytest.mark.parametrize("text", ["no JSON", '{"format": 1}', "[]"])
def test_what_is_no_detector_is_refused(tmp_path: Path, text: str) -> None:
    """A missing file, a file that is no skops file, and a skops file with other contents each give one sentence."""
    path = tmp_path / "other.skops"
    with pytest.raises(InputError, match="cannot be read"):
        Detector.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"other\.skops"):
        Detector.load(path)
    path.write_bytes(files.dumps({"told": text, "pipeline": None}))
    with pytest.raises(InputError, match="is no detector"):
        Detector.load(path)


def test_a_detector_of_another_version_is_refused(tmp_path: Path) -> None:
    """A detector is refused if the columns have changed since its training, because its scores would mean something else."""
    detector, path = made_detector.make(), tmp_path / "old.skops"
    detector.save(path)
    contents = files.loads(path.read_bytes(), str(path))
    assert isinstance(contents, dict)
    about = json.loads(contents["told"])
    about["columns"] = about["columns"][1:]
    path.write_bytes(files.dumps({"told": json.dumps(about), "pipeline": contents["pipeline"]}))
    with pytest.raises(InputError, match="another version"):
        Detector.load(path)
