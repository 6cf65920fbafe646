"""The default week, played and analysed as a user does: it verifies, and its audit is no worse than the committed one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import HOUSE

from coldaisle_analysis.audit import scorecard
from coldaisle_analysis.columns import LEVELS
from coldaisle_contracts.analyses import AnalysisManifest
from coldaisle_contracts.manifest import Manifest, digest_of
from coldaisle_testbed import verification

pytestmark = pytest.mark.netns
REFERENCE = HOUSE / "scenarios" / "week.scorecard.json"
TELLING = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
"""Checks whether a single feature, rule, identity or clock separates the classes."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the finished run of ``coldaisle up``."""
    out = tmp_path_factory.mktemp("runs") / "week"
    command = [
        sys.executable,
        "-m",
        "coldaisle_testbed",
        "up",
        str(HOUSE / "scenarios" / "week.toml"),
        "--out",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_part_is_there(run: Path) -> None:
    """The manifest has all levels; that of the analysis has models, report, scorecard and datasheet, and the known paths lead to them."""
    assert {f"dataset/{level}.parquet" for level in LEVELS} <= set(Manifest.load(run).files)
    names = {"models/metrics.json", "report/index.html", "SCORECARD.json", "DATASHEET.md"}
    assert names <= set(AnalysisManifest.load(run / "analyses" / "001").files)
    for name in (*names, "croissant.json"):
        assert (run / name).is_file(), name
    assert digest_of(run) in (run / "report" / "index.html").read_text()


def test_it_verifies(run: Path) -> None:
    """Everything that can be derived again is the same, also in the analysis."""
    assert verification.verify(run, digest_of(run)).manifest_sha256 == digest_of(run)


def test_audit_is_no_worse_than_the_committed_one(run: Path) -> None:
    """No check has a worse result than in scenarios/week.scorecard.json, and every check is still possible."""
    assert scorecard.worse(scorecard.read(run / "SCORECARD.json"), scorecard.read(REFERENCE)) == []


def test_nothing_alone_tells_attacks_apart(run: Path) -> None:
    """No single feature, rule, address, port, clock or row number separates the classes, at either level."""
    rows = json.loads((run / "SCORECARD.json").read_text(encoding="utf-8"))["checks"]
    statuses = {(row["id"], row["level"]): row["status"] for row in rows if row["id"] in TELLING}
    assert len(statuses) == 2 * len(TELLING)
    assert set(statuses.values()) == {"ok", "n/a"}
    assert [key for key, status in statuses.items() if status == "n/a"] == [
        ("C4", "readings"),
        ("C7", "readings"),
    ]
