"""A real run is played again without an attack: what the attack changed is found, and what it left alone is not."""

import json
import shutil
from pathlib import Path

import pytest

from coldaisle_contracts.manifest import Manifest
from coldaisle_testbed import cli, making
from coldaisle_testbed.verification import verify

pytestmark = pytest.mark.netns


def test_a_twin_shows_what_an_attack_changed(
    hour_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading values leaves no trace in values, changing them leaves one in every reading; nothing is played twice; the run verifies."""
    run = Path(shutil.copytree(hour_run, tmp_path / "hour", symlinks=True))
    command = ["twin", str(run), "--episode", "e01", "e02", "--json"]
    cli.run(command)
    found = json.loads(capsys.readouterr().out)
    seen = {trace["kind"]: trace for trace in found["episodes"] if trace["level"] == "readings"}
    assert seen["interception"]["traces"]["values"]["rows"] == 0
    assert seen["modification"]["traces"]["values"]["rows"] == seen["modification"]["rows"] > 0
    assert abs(seen["modification"]["traces"]["values"]["effect"]) == 1
    frames = {trace["kind"]: trace for trace in found["episodes"] if trace["level"] == "packets"}
    assert frames["modification"]["traces"]["wire"]["rows"] > 0  # 6.90 is one byte shorter than 11.50
    assert all(trace["added"] > 0 for trace in frames.values())  # the claims by which the path is taken

    monkeypatch.setattr(making, "play", None)
    cli.run(command)
    assert json.loads(capsys.readouterr().out) == found
    assert sorted(path.name for path in (run / "twins").iterdir()) == ["001"]
    assert verify(run).manifest == Manifest.load(run)
