"""Models of other packages: evaluated beside ours, saved as detectors where skops trusts them, and refused in a sentence."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.analysis import made_detector
from tests.extending_page import FILES
from tests.made_package import Packages

from coldaisle_analysis.detection import training
from coldaisle_analysis.detection.detector import Detector, inputs
from coldaisle_analysis.evaluation.preparation import TrainingRows
from coldaisle_analysis.models import MODELS, SHIPPED, WITH_POLICIES, with_policies
from coldaisle_analysis.report import lookup
from coldaisle_contracts.errors import InputError

GROUP = "coldaisle.models"
CENTROID = FILES["coarse/centroid.py"].replace("    scaled,\n", "    scaled,\n    most_rows=50,\n")
"""The model of docs/extending.md, which takes few rows here."""
OWN = """
from sklearn.linear_model import LogisticRegression
from coldaisle_analysis.models.model import Model, scaled
class Mine(LogisticRegression): ...
MODEL = Model("Mine", lambda seed, columns: Mine(), scaled)
"""
RNG = np.random.default_rng(4)
LABELS = np.repeat(np.array([0, 1], np.int8), 60)
ROWS = RNG.normal(0, 1, (120, 4)) + 3 * LABELS[:, None]


def install(packages: Packages, text: str, name: str = "centroid") -> None:
    """Install a package that adds one model."""
    packages.install("ice", {GROUP: {name: "iced:MODEL"}}, {"iced.py": text})


def test_it_is_among_the_models_and_changes_no_other(packages: Packages) -> None:
    """It follows ours in the table, has its package as family and becomes a detector; the same rows give our models the same scores."""
    names = ("a", "b", "c", "d")
    before = TrainingRows(ROWS, names, LABELS, 3).fit("logistic_regression")
    install(packages, CENTROID)
    assert list(MODELS) == [*SHIPPED, "centroid"]
    assert (lookup.title("centroid"), lookup.family("centroid")) == ("Nearest centroid", "ice")
    assert with_policies() == (*WITH_POLICIES, "centroid")
    rows = TrainingRows(ROWS, names, LABELS, 3)
    fitted, after = rows.fit("centroid"), rows.fit("logistic_regression")
    assert fitted is not None
    assert before is not None
    assert after is not None
    assert fitted.rows == 50
    assert fitted.pipeline.predict_proba(ROWS)[:, 1][LABELS == 1].min() > 0.5
    assert np.array_equal(before.pipeline.predict_proba(ROWS), after.pipeline.predict_proba(ROWS))


@pytest.mark.parametrize(("text", "name"), [(CENTROID, "centroid"), (OWN, "mine")])
def test_only_a_model_of_trusted_types_becomes_a_detector(
    packages: Packages, tmp_path: Path, text: str, name: str
) -> None:
    """A model of scikit-learn's own types is saved and read again; of another a sentence says why it has no file."""
    install(packages, text, name)
    columns = tuple(inputs())
    rows = RNG.normal(0, 1, (120, len(columns))) + 3 * LABELS[:, None]
    fitted = TrainingRows(rows, columns, LABELS, 3).fit(name)
    assert fitted is not None
    made = replace(made_detector.make(), model=name, pipeline=fitted.pipeline)
    remarks: list[str] = []
    paths = training.write(iter([{name: made}]), "packets", {}, tmp_path, remark=remarks.append)
    if name == "centroid":
        assert remarks == []
        assert Detector.load(paths[0]).model == "centroid"
    else:
        assert paths == []
        (remark,) = remarks
        assert remark.startswith("mine is evaluated and becomes no detector: ")
        assert "iced.Mine, which no model file may hold: build it of scikit-learn's own estimators" in remark


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("MODEL = 3", "centroid", "it leads to a int and has to lead to a Model"),
        (CENTROID, "logistic_regression", "coldaisle has a logistic_regression already: choose another name"),
        (CENTROID, "Centroid", "its name: use lower-case letters, digits and underscores"),
        (CENTROID.replace("=50", "=10**6"), "centroid", "its most_rows is 1,000,000: with this preparation give "),
        (CENTROID.replace("NearestCentroid(", "NoClass("), "centroid", "its make fails (NameError: name 'NoClass' is not defined): mend it"),
        (CENTROID.replace('NearestCentroid(priors="empirical")', "3"), "centroid", "its make returns a int, which lacks fit"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(packages: Packages, text: str, name: str, expected: str) -> None:
    """The sentence names entry point, group, package and version, and what would be right."""
    install(packages, text, name)
    with pytest.raises(InputError) as caught:
        list(MODELS.values())
    assert str(caught.value).startswith(
        f'{name} = "iced:MODEL" in the entry points coldaisle.models of ice==1.2: {expected}'
    )
