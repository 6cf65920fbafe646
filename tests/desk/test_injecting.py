"""The form that puts an episode into a run: there while one is played in real time, and only if that was allowed."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page
from tests.conftest import HOUSE
from tests.desk.browser import chromium, needs_chromium, opened, until, watched
from tests.desk.conftest import Served, serving
from tests.testbed.made_playing import plan_of, playing

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.plan import Plan
from coldaisle_desk.panels import lanes
from coldaisle_desk.shelf import Place
from coldaisle_desk.view import View
from coldaisle_desk.watched import Watched
from coldaisle_testbed import probe
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.injecting import inject
from coldaisle_testbed.player import ScenarioPlayer

WISH = {"kind": "modification", "unit": "inrow-13", "readings": "2", "intensity": "0.5"}


@pytest.fixture(autouse=True)
def _able(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be able to play everything, whoever runs the tests."""
    monkeypatch.setattr(probe, "lacking", dict)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Path]:
    """The stage of a run that seems to be played in real time."""
    with playing(tmp_path / "run", plan_of()) as stage:
        yield stage


@pytest.fixture
def desk(stage: Path) -> Iterator[Served]:
    """A desk over that run, with a player."""
    player = ScenarioPlayer(HOUSE / "scenarios", 0)
    with serving(stage.parent, held=is_held) as desk:
        desk.desk.player = player
        yield desk
    player.close()


def _post(desk: Served, fields: dict[str, str], *, known: bool = True, origin: str = "") -> tuple[int, str]:
    headers = {"Origin": origin or f"http://127.0.0.1:{desk.port}"}
    status, _, text = desk.ask(
        "/run/run/inject", method="POST", known=known, body=urlencode(fields), **headers
    )
    return status, text


def test_an_episode_is_put_in_from_the_page(desk: Served, stage: Path) -> None:
    """The answer says when it begins, and the lanes then show it as planned; a target that is the broker needs no unit."""
    assert "planned" in desk.panel("run", "lanes")
    status, text = _post(desk, WISH)
    assert (status, "a01: modification" in text) == (200, True)
    status, text = _post(desk, {"kind": "publish-flood", "unit": "inrow-13", "readings": ""})
    assert (status, "a02: publish-flood" in text) == (200, True)
    first, second = sorted(Plan.load(stage / "plan.json").scenario.added, key=lambda spec: spec.kind)
    assert (first.kind, first.intensity, first.readings, second.unit) == ("modification", 0.5, 2, None)
    until_s = time.monotonic() + 60
    while 'id="a02"' not in desk.panel("run", "lanes"):
        assert time.monotonic() < until_s
        time.sleep(0.1)


def test_only_the_page_itself_may(desk: Served, stage: Path) -> None:
    """Without the token, from another origin, and on a desk that only shows, nothing is put in."""
    assert _post(desk, WISH, known=False)[0] == 403
    assert _post(desk, WISH, origin="http://evil.example")[0] == 403
    desk.desk.player = None
    assert _post(desk, WISH)[0] == 403
    assert 'id="inject"' not in desk.ask("/run/run/")[2]
    assert Plan.load(stage / "plan.json").episodes == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"readings": "two"}, "readings is &#39;two&#39;: write a whole number from 1 on"),
        ({"intensity": "7"}, "inject: key intensity is 7.0"),
        ({"unit": ""}, "inject: key unit: add it, because modification attacks a unit"),
        ({"kind": "<b>"}, "inject: key kind is &#39;&lt;b&gt;&#39;: use one of"),
        ({"readings": "288"}, "no room is left for it before the end of day 1"),
        ({"day": "9"}, "--day is 9: name a day that is being played now: 1"),
    ],
)
def test_what_is_not_valid_is_one_sentence_in_the_form(
    desk: Served, change: dict[str, str], sentence: str
) -> None:
    """The form comes back with what was written, and a sentence."""
    status, text = _post(desk, WISH | change)
    assert (status, sentence in text, "<form" in text) == (400, True, True)


def test_a_run_that_takes_none_has_no_form(tmp_path: Path) -> None:
    """A run in virtual time has none, and a run that nobody knows is not found."""
    with playing(tmp_path / "run", plan_of(time="virtual")), serving(tmp_path, held=is_held) as desk:
        desk.desk.player = ScenarioPlayer(HOUSE / "scenarios", 0)
        assert desk.ask("/run/run/inject")[2].strip() == ""
        assert "key time is" in _post(desk, WISH)[1]
        assert desk.ask("/run/.run/inject")[0] == 404


def test_a_plan_that_grows_is_the_same_run(stage: Path) -> None:
    """What was read so far stays, the new episode is planned; another plan in its place is another run."""
    run = Watched(Place("run", stage.with_name("run")), is_held, time.time_ns)
    run.look()
    record = run.record
    injected = inject(stage, {"kind": "door", "unit": "inrow-15"})
    run._looked = -1e9
    run.look()
    assert run.plan is not None
    assert (run.record is record, run.versions["plan"]) == (True, "1")
    (row,) = lanes.rows(View(run, run.plan, {}))
    assert (row.episode, row.phase) == (injected.episode, "planned")
    (stage / "plan.json").write_text(plan_of(seed=2).model_dump_json())
    run._looked = -1e9
    run.look()
    assert (run.record is record, run.versions["plan"]) == (False, "0")


def test_a_clock_that_runs_with_the_wall_is_news(stage: Path) -> None:
    """In real time the timekeeper writes nothing while time passes, so the page hears of each second."""
    now_ns = [time.time_ns()]
    run = Watched(Place("run", stage.with_name("run")), is_held, lambda: now_ns[0])
    run.look()
    before = run.versions
    now_ns[0] += 2 * SECOND
    assert {key for key in before if run.versions[key] != before[key]} == {"clocks"}


def _said(page: Page) -> str:
    return page.locator("#inject .notice").inner_text()


@needs_chromium
def test_the_form_in_a_browser(desk: Served) -> None:
    """Episode and refusal appear on the page without leaving it; the lane shows the episode, and the form keeps what was chosen."""
    with chromium() as browser, browser.new_page() as page:
        errors = watched(page)
        opened(page, desk.port, "/run/run/")
        page.wait_for_selector("#inject form")
        page.select_option("#inject select[name=kind]", "removal")
        page.select_option("#inject select[name=unit]", "inrow-15")
        page.fill("#inject input[name=readings]", "288")
        page.click("#inject button")
        page.wait_for_selector("#inject .notice")
        assert "no room is left" in _said(page)
        page.fill("#inject input[name=readings]", "2")
        page.click("#inject button")
        page.wait_for_selector("#inject .notice >> text=a01: removal")
        assert page.input_value("#inject select[name=unit]") == "inrow-15"
        until(page, "document.querySelectorAll('#lanes-body .planned').length === 1")
        assert "/run/run/" in page.url
        assert errors == []
