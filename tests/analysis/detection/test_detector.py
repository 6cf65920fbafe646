"""Detectors as files: what is read is what was written, and nothing else is."""

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
    """Scores, forecasts, policies and what it says of itself are the same after reading it back."""
    made = made_detector.make()
    made.save(tmp_path / "deep" / "made.skops")
    read = Detector.load(tmp_path / "deep" / "made.skops")
    rows = np.random.default_rng(1).normal(size=(50, len(inputs())))
    assert scores(read.pipeline, rows).tolist() == scores(made.pipeline, rows).tolist()
    assert read.site.to_json() == made.site.to_json()
    assert (read.model, read.policies, read.about) == (made.model, made.policies, made.about)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["made.skops"]


def test_a_detector_knows_its_policies_and_where_it_comes_from() -> None:
    """It has the plain threshold, the operator's budgets and the early one, and says what it was trained on."""
    made = made_detector.make()
    assert list(made.policies) == [PLAIN, *BUDGETS, EARLY]
    assert made.about["data"] == "made by hand"
    assert made.about["training"]["attack_rows"] == 108
    with pytest.raises(InputError, match="'best F1', '1 a day', '1 a week', 'early'"):
        made.policy("sometimes")


@pytest.mark.parametrize("told", ["no JSON", '{"format": 1}', "[]"])
def test_what_is_no_detector_is_refused(tmp_path: Path, told: str) -> None:
    """A missing file, one that is no skops file, and one that holds something else give one sentence."""
    path = tmp_path / "other.skops"
    with pytest.raises(InputError, match="cannot be read"):
        Detector.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"other\.skops"):
        Detector.load(path)
    path.write_bytes(files.dumps({"told": told, "pipeline": None}))
    with pytest.raises(InputError, match="is no detector"):
        Detector.load(path)


def test_a_detector_of_another_version_is_refused(tmp_path: Path) -> None:
    """Where the columns have changed since, its scores would mean something else."""
    made, path = made_detector.make(), tmp_path / "old.skops"
    made.save(path)
    kept = files.loads(path.read_bytes(), str(path))
    assert isinstance(kept, dict)
    told = json.loads(kept["told"])
    told["columns"] = told["columns"][1:]
    path.write_bytes(files.dumps({"told": json.dumps(told), "pipeline": kept["pipeline"]}))
    with pytest.raises(InputError, match="another version"):
        Detector.load(path)
