"""From captures to report in one go: on a run made by hand and on the published captures; all or nothing."""

import json
from pathlib import Path

import pytest

from coldaisle_analysis import describe
from coldaisle_analysis.audit import CHECKS, scorecard
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.models import POLICED
from coldaisle_analysis.pipeline import analyse_captures, analyse_run
from coldaisle_analysis.tables import FORMS
from coldaisle_contracts.errors import InputError

RESULTS = {
    *(f"dataset/{level}.{form}" for level in LEVELS for form in FORMS),
    "models/metrics.json",
    "report/index.html",
}


def files_of(folder: Path, *parts: str) -> set[str]:
    """Return the files in some parts of a folder, by path relative to it."""
    return {
        str(file.relative_to(folder))
        for part in parts
        for file in (folder / part).rglob("*")
        if file.is_file()
    }


@pytest.fixture
def run(analysed_run: Path) -> Path:
    """Return a run made by hand, analysed."""
    return analysed_run


def test_a_run_gets_all_its_parts(run: Path) -> None:
    """Dataset, metrics, report and its tables lie in the run's folder, and no hidden folder is left."""
    found = files_of(run, "dataset", "models", "report")
    assert found >= RESULTS
    tables = {
        f"report/tables/{table}.csv" for table in ("counts", "distributions", "seasonality", "separation")
    }
    detectors = {f"models/packets.{name}.skops" for name in POLICED}
    assert found - RESULTS == tables | detectors
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
    card = scorecard.read(run / "SCORECARD.json")
    assert (card["subject"], len(card["checks"]) > len(CHECKS)) == (run.name, True)


def test_a_short_run_is_scored_in_blocks_or_said_not_to_be(run: Path) -> None:
    """Less than a day cannot hold out days: no row claims it did."""
    rows = json.loads((run / "models" / "metrics.json").read_text())
    assert not {row["split"] for row in rows} & {"day", "day+identity"}


def test_a_second_analysis_replaces_the_first_and_tells_every_step(run: Path) -> None:
    """Analysing again leaves the same files, with nothing of the old ones, and names each step in a line."""
    before = files_of(run, "dataset", "models", "report")
    (run / "report" / "stale.html").write_text("old")
    told: list[str] = []
    analyse_run(run, told.append)
    assert files_of(run, "dataset", "models", "report") == before
    for step in ("reading captures", "writing the dataset", "describing", "training", "auditing", "drawing"):
        assert any(line.startswith(step) for line in told)


def test_a_failure_leaves_the_old_results_and_no_half(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a step fails, the results from before are untouched and the hidden folder is gone."""
    before = (run / "report" / "index.html").read_text()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(describe, "describe", full)
    with pytest.raises(InputError, match="No space left on device"):
        analyse_run(run, lambda _: None)
    assert (run / "report" / "index.html").read_text() == before
    assert not (run / ".analysis").exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Results never mix with what is already in a folder."""
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="exists already"):
        analyse_captures([], [], tmp_path, lambda _: None)
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.dad
def test_published_captures_show_the_leak(dad: Path, tmp_path: Path) -> None:
    """On two published days random folds flatter every tree: F1 by day lies far below, and the report shows both."""
    pcaps, labels = ([path for path in sorted(dad.glob(kind)) if "1910230" in path.name or "1910240" in path.name]
                     for kind in ("*.pcap", "*labels.csv"))  # fmt: skip
    out = tmp_path / "dad"
    analyse_captures(pcaps, labels, out, lambda _: None, 7200)
    assert files_of(out, ".") >= RESULTS
    assert [path.name for path in tmp_path.iterdir()] == ["dad"]
    metrics = json.loads((out / "models" / "metrics.json").read_text())
    assert {row["attack_rows"] for row in metrics if not row["split"].startswith("random")} == {160}
    random, day = (
        next(
            row["f1"]
            for row in metrics
            if (row["model"], row["level"], row["split"]) == ("random_forest", "packets", split)
        )
        for split in ("random", "day")
    )
    assert random > day + 0.2
    text = (out / "report" / "index.html").read_text()
    assert f"{random:.3f}" in text
    assert f"{day:.3f}" in text
