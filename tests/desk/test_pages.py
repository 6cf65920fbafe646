"""What the desk shows of a finished run, and whom it lets in."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk.conftest import TOKEN, Served, serving
from tests.testbed import made_campaign, made_finished

from coldaisle_desk.access import POLICY
from coldaisle_desk.panels import PANELS
from coldaisle_testbed.campaign.folder import folder_for


@pytest.mark.parametrize("panel", PANELS)
def test_each_panel_of_a_finished_run_is_shown(served: Served, finished: Path, panel: str) -> None:
    """Every panel answers, and its curves do."""
    assert served.panel(finished.name, panel)


def test_lanes_show_what_was_played(served: Served, finished: Path) -> None:
    """Each of the four episodes has its planned and its played bar; without a watch nothing is caught or missed."""
    text = served.panel(finished.name, "lanes")
    assert text.count('class="planned"') == 4
    assert text.count('class="played"') == 4
    assert "Nothing watches this run" in text


def test_values_that_were_not_received_as_sent_stand_out(served: Served, finished: Path) -> None:
    """Sensor 131 has one altered value, sensor 132 one that was removed."""
    _, _, text = served.ask(f"/run/{finished.name}/sensors.json")
    sensors = json.loads(text)["sensors"]
    (altered,) = sensors["131"]["differs"].items()
    assert altered[1] == pytest.approx(sensors["131"]["sent"][int(altered[0])] + 1.5, abs=0.011)
    assert list(sensors["132"]["differs"].values()) == [None]
    assert {(sensor["every"], sensor["first"]) for sensor in sensors.values()} == {(1, 0)}


def test_a_replay_ends_at_the_slider(served: Served, finished: Path) -> None:
    """At the begin of the run nothing has been played yet."""
    text = served.panel(finished.name, "lanes", "?at=0")
    assert text.count('class="planned"') == 4
    assert 'class="played"' not in text


def test_every_number_leads_to_where_it_comes_from(served: Served, finished: Path) -> None:
    """The links of a page's numbers lead to files of the run."""
    text = "".join(served.panel(finished.name, panel) for panel in PANELS)
    targets = {part.partition('"')[0] for part in text.split('href="file/')[1:]}
    assert len(targets) > 5
    for target in targets:
        assert served.ask(f"/run/{finished.name}/file/{target}")[0] == 200, target


@pytest.mark.parametrize(
    "path", ["../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "journal/../../x", "none"]
)
def test_no_file_outside_of_a_run_is_shown(served: Served, finished: Path, path: str) -> None:
    """A path that leads out of the run, or nowhere, is not found."""
    assert served.ask(f"/run/{finished.name}/file/{path}")[0] == 404


@pytest.mark.parametrize("name", ["..", ".hidden", "a%2Fb", "no:..", "%00"])
def test_a_name_that_no_run_can_have_is_not_found(served: Served, name: str) -> None:
    """Names that would lead out of the folder find nothing."""
    assert served.ask(f"/run/{name}/panel/now")[0] == 404


def test_nobody_gets_in_without_the_token(served: Served) -> None:
    """Without the cookie a page is refused; a token in the address becomes the cookie, and a wrong one does not."""
    assert served.ask("/", known=False)[0] == 403
    assert served.ask("/?token=wrong", known=False)[0] == 403
    status, headers, _ = served.ask(f"/?token={TOKEN}", known=False)
    assert status == 303
    assert headers["location"] == "./"
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]


@pytest.mark.parametrize("host", ["desk.example", "127.0.0.1.example", "192.0.2.1", ""])
def test_another_host_is_refused(served: Served, host: str) -> None:
    """A name that somebody made to lead here is refused even with the token."""
    assert served.ask("/", Host=host)[0] == 421


def test_an_action_has_to_come_from_the_page(served: Served) -> None:
    """A POST with another origin, or without one, is refused."""
    assert served.ask("/", method="POST", Origin="http://evil.example")[0] == 403
    assert served.ask("/", method="POST")[0] == 403


def test_pages_hold_no_script_of_their_own(served: Served, finished: Path) -> None:
    """Every page carries the policy, and none has a script or style that it would refuse."""
    for path in ("/", f"/run/{finished.name}/", "/compare", f"/run/{finished.name}/panel/lanes", "/none"):
        _, headers, text = served.ask(path)
        assert headers["content-security-policy"] == POLICY
        assert "<script>" not in text
        assert " style=" not in text
        assert "://" not in text.replace("http://www.w3.org", "")


def test_a_run_that_is_gone_is_waited_for(served: Served) -> None:
    """A name without a run is a page that waits, because the run may appear, or may have been renamed."""
    assert served.ask("/run/none/")[0] == 200
    assert "Waiting" in served.panel("none", "now")


def test_an_empty_folder_waits_for_its_first_run(tmp_path: Path) -> None:
    """The desk of a folder without runs says how to make one."""
    with serving(tmp_path) as desk:
        assert "coldaisle up" in desk.ask("/")[2]


def test_a_campaign_shows_its_weeks(finished: Path, tmp_path: Path) -> None:
    """Each week has its state and role, and one that was played leads to its own page."""
    campaign = folder_for(made_campaign.file(tmp_path, 3), tmp_path / "tiny")
    done = campaign.run_of(campaign.weeks[0])
    shutil.copytree(finished, done, symlinks=True)
    with serving(tmp_path) as desk:
        assert "1 of 3 weeks done" in desk.ask("/")[2]
        text = desk.ask("/campaign/tiny/")[2]
        assert (text.count(">missing<"), text.count(">done<")) == (2, 1)
        name = f"tiny%3A{done.name}"
        assert f'href="../../run/{name}/"' in text
        assert desk.panel(name, "lanes").count('class="played"') == 4
        assert desk.ask("/campaign/none/")[0] == 404
    with serving(tmp_path, tmp_path / "tiny") as desk:
        assert desk.ask("/")[1]["location"] == "campaign/tiny/"


def test_a_desk_of_one_run_shows_no_other(finished: Path, tmp_path: Path) -> None:
    """The first page leads to the run, and another run beside it is not found."""
    run = made_finished.copy(finished, tmp_path)
    shutil.copytree(run, tmp_path / "other", symlinks=True)
    with serving(tmp_path, run) as desk:
        assert desk.ask("/")[1]["location"] == "run/made/"
        assert desk.ask("/run/other/")[0] == 404


def test_an_error_that_nobody_foresaw_is_a_sentence(
    served: Served, finished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A panel that fails says so, without a traceback, and a second failure writes no second log."""

    def failing(_: object) -> dict[str, object]:
        raise RuntimeError("odd")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(PANELS, "now", replace(PANELS["now"], context=failing))
    for _ in range(2):
        status, _, text = served.ask(f"/run/{finished.name}/panel/now")
        assert status == 500
        assert "RuntimeError (odd)" in text
        assert "Traceback" not in text
    assert len(list(tmp_path.iterdir())) == 1
