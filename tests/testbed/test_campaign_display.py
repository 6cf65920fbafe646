"""What a runner shows and writes: counts, the time left, the machine's conditions, and what is left of killed runners."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from tests.testbed import made_campaign as made
from tests.testbed.conftest import Call

from coldaisle_contracts.campaign import CampaignFolder
from coldaisle_testbed.campaign import claims, records
from coldaisle_testbed.campaign.conditions import Conditions
from coldaisle_testbed.campaign.display import Display
from coldaisle_testbed.campaign.folder import folder_for
from coldaisle_testbed.campaign.outcome import Outcome


@pytest.fixture
def folder(tmp_path: Path) -> CampaignFolder:
    """A campaign of four weeks in a folder of runs; nothing was played."""
    return folder_for(made.file(tmp_path), tmp_path / "runs" / "campaign-tiny")


def _outcome(folder: CampaignFolder, place: int, **more: str) -> Outcome:
    facts = {"digest": folder.weeks[place].digest, "ending": "done", "host": "vm", **more}
    return Outcome.model_validate({**facts, "began": datetime.now(UTC)})


def _done(folder: CampaignFolder, place: int) -> None:
    folder.run_of(folder.weeks[place]).mkdir()
    (folder.run_of(folder.weeks[place]) / "manifest.json").touch()


def test_time_left(folder: CampaignFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time left follows from the weeks that were done since the beginning, and is not told before the first."""
    now = iter([100.0, 160.0, 160.0, 160.0, 4000.0, 4000.0])
    monkeypatch.setattr("coldaisle_testbed.campaign.display.time.monotonic", lambda: next(now))
    output = io.StringIO()
    _done(folder, 0)
    with Display(folder, folder.weeks, Console(file=output, width=200)) as shown:
        assert shown.look() == ""
        _done(folder, 1)
        shown.said(folder.weeks[1], _outcome(folder, 1))
        _done(folder, 2)
        assert shown.look() == "about 32 min left"
    assert output.getvalue() == "  60.0 s  hour-2 done on vm (2 of 4 weeks done, about 2 min left)\n"


def test_a_bar_on_a_terminal(folder: CampaignFolder) -> None:
    """On a terminal there is a bar with the number of weeks; what an outcome says cannot change the terminal."""
    output = io.StringIO()
    with Display(folder, folder.weeks, Console(file=output, force_terminal=True, width=100)) as shown:
        sentence = "[bold]\x1b[31mload\nof 12"
        shown.said(folder.weeks[0], _outcome(folder, 0, ending="spoiled", sentence=sentence))
    text = output.getvalue()
    assert "0/4" in text
    assert "hour-1 spoiled, and repeated if attempts are left on vm: [bold]\\x1b[31mload\\nof 12" in text


def test_what_is_written_down(folder: CampaignFolder) -> None:
    """Each attempt is one line of the log, whatever it says, and one file."""
    for place, sentence in ((0, ""), (0, "two\nlines"), (1, "")):
        records.write(folder, folder.weeks[place], _outcome(folder, place, sentence=sentence))
    assert len((folder.path / "campaign.log").read_text().splitlines()) == 3
    assert [outcome.sentence for outcome in records.outcomes(folder)] == ["", "two\nlines", ""]


def test_conditions_are_those_of_the_machine() -> None:
    """Load and steal are within their bounds, and the load is a mean of all looks."""
    watching = Conditions.begin()
    watching.samples[:] = [1.0]
    watching.look()
    assert watching.load == pytest.approx((1.0 + watching.samples[1]) / 2)
    assert 0 <= watching.steal <= 1


def test_runs_lists_campaigns_and_what_killed_runners_left(folder: CampaignFolder, coldaisle: Call) -> None:
    """`runs` counts the weeks of a campaign, tells a week that is being played from one that was, and clears only the latter."""
    _done(folder, 0)
    playing, left = (folder.path / ".making" / f"{week.digest}.vm.1" for week in folder.weeks[1:3])
    for place in (playing, left):
        place.mkdir()
        (place / "log").write_text("words")
    held = claims.claim(folder.path, folder.weeks[1].digest)
    assert held is not None
    runs = folder.path.parent
    facts = json.loads(coldaisle("runs", "--folder", runs, "--json")[1])
    (row,) = facts["campaigns"]
    assert (row["campaign"], row["done"], row["weeks"], row["problem"]) == ("campaign-tiny", 1, 4, None)
    busy = {
        Path(path).name: leftover["busy"] for leftover in facts["leftovers"] for path in leftover["paths"]
    }
    assert (busy[playing.name], busy[left.name]) == (True, False)
    out = coldaisle("runs", "--folder", runs)[1]
    assert "campaign-tiny: campaign, 1 of 4 weeks done" in out
    assert f"coldaisle campaign run {folder.path}" in out
    coldaisle("runs", "--folder", runs, "--clean")
    assert [path.name for path in (folder.path / ".making").iterdir()] == [playing.name]
    (folder.path / "tasks.jsonl").write_text("{")
    assert "tasks.jsonl: line 1" in coldaisle("runs", "--folder", runs)[1]
