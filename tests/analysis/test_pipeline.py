"""The pipeline from captures to report, on a run made by hand and on the published captures: complete or absent."""

import json
from pathlib import Path

import pytest

from coldaisle_analysis.audit import CHECKS, scorecard
from coldaisle_analysis.columns import LEVELS
from coldaisle_analysis.models import WITH_POLICIES
from coldaisle_analysis.pipeline import analyse_captures
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import digest_of

RESULTS = {
    "models/metrics.json",
    "report/index.html",
}


def files_of(folder: Path, *parts: str) -> set[str]:
    """Return the files in some parts of a folder, by path relative to the folder."""
    return {
        str(file.relative_to(folder))
        for part in parts
        for file in (folder / part).rglob("*")
        if file.is_file()
    }


@pytest.fixture
def out(analysed_run: Path) -> Path:
    """Return the folder of the analysis of a run made by hand."""
    return analysed_run / "analyses" / "001"


def test_an_analysis_has_all_its_parts(analysed_run: Path, out: Path) -> None:
    """The analysis has metrics, detectors, report with tables, scorecard, datasheet and their manifest, and nothing else."""
    tables = {
        f"report/tables/{table}.csv" for table in ("counts", "distributions", "seasonality", "separation")
    }
    detectors = {f"models/packets.{name}.skops" for name in WITH_POLICIES}
    beside = {"SCORECARD.json", "DATASHEET.md", "manifest.json"}
    assert files_of(out, ".") == {*RESULTS, *tables, *detectors, *beside}
    assert sorted(path.name for path in out.parent.iterdir()) == ["001", "latest"]
    card = scorecard.read(out / "SCORECARD.json")
    assert (card["subject"], len(card["checks"]) > len(CHECKS)) == (analysed_run.name, True)


def test_a_short_run_is_scored_in_blocks_or_said_not_to_be(out: Path) -> None:
    """In less than a day no whole day can be held out, so no row has the split ``day``."""
    rows = json.loads((out / "models" / "metrics.json").read_text())
    assert not {row["split"] for row in rows} & {"day", "day+identity"}


def test_every_step_has_a_line(analysed_run: Path) -> None:
    """Each step has its line, and the last line has the sha256 of the manifest."""
    lines = (analysed_run.parent / "lines.txt").read_text().splitlines()
    for step in ("describing", "training", "auditing", "drawing", "saving"):
        assert any(f" s  {step}" in line for line in lines)
    assert lines[-1].endswith(digest_of(analysed_run))


def test_the_report_names_the_manifest_it_is_of(analysed_run: Path) -> None:
    """The report holds the sha256 of the run's manifest."""
    assert digest_of(analysed_run) in (analysed_run / "report" / "index.html").read_text()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """A folder that already holds something is refused."""
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="exists already"):
        analyse_captures([], [], tmp_path, lambda _: None)
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.dad
def test_published_captures_show_the_leak(dad: Path, tmp_path: Path) -> None:
    """On two published days F1 by day is far below F1 with random folds for every tree, and the report shows both."""
    pcaps, labels = ([path for path in sorted(dad.glob(kind)) if "1910230" in path.name or "1910240" in path.name]
                     for kind in ("*.pcap", "*labels.csv"))  # fmt: skip
    out = tmp_path / "dad"
    analyse_captures(pcaps, labels, out, lambda _: None, 7200)
    assert files_of(out, ".") >= {
        *RESULTS,
        *(f"dataset/{level}.parquet" for level in LEVELS),
    }
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
