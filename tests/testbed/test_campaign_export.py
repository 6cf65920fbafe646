"""``coldaisle campaign export``: a data set of many weeks from the command line."""

from pathlib import Path

from tests.analysis import made_campaign
from tests.testbed.conftest import Call


def test_the_command(coldaisle: Call, finished_run: Path, tmp_path: Path) -> None:
    """``coldaisle campaign export`` prints the sentences; bad input is one sentence and exit code 2."""
    campaign = made_campaign.make(tmp_path / "made", finished_run)
    code, out, _ = coldaisle("campaign", "export", campaign, "--size", "S", "--out", tmp_path / "s")
    assert code == 0
    assert "3 weeks (1 train, 1 validate, 1 test)" in out
    assert "scorecard: " in out
    for words, message in (
        ((tmp_path,), "it is no campaign"),
        ((campaign, "--out", tmp_path / "s"), "exists already"),
        ((campaign, "--out", finished_run / "new"), "it lies in the finished run"),
    ):
        code, out, err = coldaisle("campaign", "export", *words)
        assert (code, out) == (2, "")
        assert err.rstrip("\n").splitlines()[-1].startswith("coldaisle: ")
        assert message in err
    assert coldaisle("campaign", "export", campaign, "--size", "XL")[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "s"]
