"""The page as it is used: opened, followed, interrupted, in many tabs, narrow, by keyboard, in the dark."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.conftest import HOUSE
from tests.desk.browser import chromium, needs_chromium, opened, until, watched
from tests.desk.conftest import NAME, TOKEN, Served, serving
from tests.testbed import made_finished

from coldaisle_desk.panels import PANELS

pytestmark = needs_chromium
MARKUP = '<img src=x onerror="document.title=1"><b>9</b>'
ALARMS = 100_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def teeming(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with 100,000 alarms, some of a client whose id holds markup. It is read only."""
    run = made_finished.copy(finished, tmp_path_factory.mktemp("teeming"))
    books = run.parent / "alarms" / run.name
    books.mkdir(parents=True)
    begin = json.loads((run / "plan.json").read_text())["start_ns"]
    lines: list[dict[str, Any]] = [
        {"event": "watching", "model": "rule", "policy": "best F1", "shard": "day-1"}
    ]
    lines += [
        {"shard": "day-1", "event": "alarm", "frame": 1 + place % 300, "time_ns": begin + place * 27_000_000, "score": 0.9,
         "protocol": "MQTT", "client": MARKUP if place > ALARMS - 1000 else f"c{place % 997}", "ip_src": "198.18.0.41", "ip_dst": "198.18.0.1"}
        for place in range(ALARMS)
    ]  # fmt: skip
    (books / "day-1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def crowded(teeming: Path) -> Iterator[Served]:
    """A desk that shows the run with many alarms."""
    with serving(teeming.parent) as desk:
        yield desk


def _ready(page: Page) -> None:
    """Wait until every panel has been filled."""
    for panel in PANELS:
        until(page, f"document.getElementById('{panel}-body').textContent.trim() !== 'reading'")
    page.wait_for_selector("#charts[data-drawn]")


def test_the_page_opens_from_a_cold_start(browser: Browser, tmp_path: Path) -> None:
    """The command prints an address; the page behind it shows that there is no run yet, and the run as soon as there is one."""
    with _desk(tmp_path, 0) as (desk, address), browser.new_page() as page:
        errors = watched(page)
        page.goto(address)
        page.wait_for_selector("text=There is no run here yet")
        made_finished.make(tmp_path / "elsewhere")
        shutil.move(tmp_path / "elsewhere" / "made", tmp_path / "first")
        page.wait_for_selector("a:text-is('first')")
        assert errors == []
        assert desk.poll() is None


class _desk:  # noqa: N801 - used like a function
    """The desk as a program of its own within a block."""

    def __init__(self, runs: Path, port: int) -> None:
        program = [
            sys.executable,
            "-m",
            "coldaisle_testbed",
            "desk",
            "--runs",
            str(runs),
            "--port",
            str(port),
        ]
        environment = os.environ | {"COLDAISLE_TOKEN": TOKEN}
        self._process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment)

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        assert self._process.stdout is not None
        return self._process, self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_it_goes_on_after_the_server_was_killed(browser: Browser, finished: Path, tmp_path: Path) -> None:
    """A page says that the desk is gone, connects again by itself, and gets only what it does not know."""
    run = made_finished.copy(finished, tmp_path)
    with browser.new_page() as page:
        errors = watched(page)
        with _desk(tmp_path, 0) as (_, address):
            port = int(address.rpartition(":")[2].partition("/")[0])
            opened(page, port, f"/run/{run.name}/")
            _ready(page)
        page.wait_for_selector('body[data-link="waiting"]')
        with _desk(tmp_path, port):
            page.wait_for_selector('body[data-link="live"]')
            time.sleep(1.5)
            assert page.evaluate("document.body.dataset.heard") == "1"  # nothing had changed
            with (run / "journal" / "inrow-13.jsonl").open("a", encoding="utf-8") as journal:
                journal.write('{"event":"connect","shard":"day-1","name":"late-comer"}\n')
            page.wait_for_selector("#topology-body >> text=late-comer")
        assert errors == []


@pytest.mark.netns
def test_it_follows_a_run_to_its_end(browser: Browser, tmp_path: Path) -> None:
    """A page that was opened before the run begins shows it being played, labelled and sealed, under one address."""
    with serving(tmp_path, held=lambda _: True) as desk, browser.new_page() as page:
        errors = watched(page)
        opened(page, desk.port, "/run/hour/")
        up = [
            sys.executable,
            "-m",
            "coldaisle_testbed",
            "up",
            str(HOUSE / "scenarios" / "hour.toml"),
            "--engine",
            "netns",
        ]
        playing = subprocess.Popen(
            [*up, "--out", str(tmp_path / "hour"), "--no-analysis"], stderr=subprocess.DEVNULL
        )
        states = set()
        try:
            latest = time.monotonic() + 180
            while time.monotonic() < latest and "audited" not in states:
                mark = page.query_selector("[data-state]")
                if mark is not None:
                    states.add(mark.get_attribute("data-state"))
                time.sleep(0.1)
        finally:
            if "audited" not in states:
                playing.terminate()
            assert playing.wait(120) == 0
        assert {"playing", "audited"} <= states
        until(page, "document.querySelectorAll('#lanes-body .played').length === 4")
        page.wait_for_selector("text=of 192")
        assert errors == []


@pytest.mark.parametrize("runs", [1, 7])
def test_seven_tabs_are_all_alive(browser: Browser, finished: Path, tmp_path: Path, runs: int) -> None:
    """Browsers open six connections to a server; seven pages of one run or of seven, of which none waits, and the list hear of a change."""
    folders = [shutil.copytree(finished, tmp_path / f"run-{number}", symlinks=True) for number in range(runs)]
    with serving(tmp_path) as desk, browser.new_context() as context:
        home = context.new_page()
        opened(home, desk.port, "/")
        pages = [context.new_page() for _ in range(7)]
        for number, page in enumerate(pages):
            watched(page)
            page.goto(f"http://127.0.0.1:{desk.port}/run/run-{number % runs}/")
            _ready(page)
        pages[0].wait_for_selector('body[data-link="live"]')
        for run in folders:
            with (run / "journal" / "inrow-13.jsonl").open("a", encoding="utf-8") as journal:
                journal.write('{"event":"connect","shard":"day-1","name":"late-comer"}\n')
        for page in pages:
            page.wait_for_selector("#topology-body >> text=late-comer")
        shutil.move(folders[0], tmp_path / "moved")
        home.wait_for_selector("a:text-is('moved')")


def test_markup_in_a_client_id_is_text(browser: Browser, crowded: Served, teeming: Path) -> None:
    """An attacker who calls himself <img …> is shown by that name, and nothing of it is run."""
    with browser.new_page() as page:
        errors = watched(page)
        opened(page, crowded.port, f"/run/{teeming.name}/")
        _ready(page)
        assert page.get_by_text(MARKUP).count() > 0
        assert page.locator("main img").count() == 0
        assert page.title() != "1"
        assert errors == []


def test_a_hundred_thousand_alarms_do_not_hurt(browser: Browser, crowded: Served, teeming: Path) -> None:
    """They are counted, grouped and capped; the panel stays small, and comes again within a second."""
    text = crowded.panel(teeming.name, "incidents")
    assert f"{ALARMS:,} alarms" in text
    assert len(text) < 400_000
    assert len(crowded.panel(teeming.name, "lanes")) < 400_000
    began = time.process_time()
    crowded.panel(teeming.name, "incidents")
    assert time.process_time() - began < 1
    with browser.new_page() as page:
        watched(page)
        opened(page, crowded.port, f"/run/{teeming.name}/")
        _ready(page)
        assert page.locator("#incidents tbody tr").count() == 100


@pytest.mark.parametrize("path", ["/", "/run/made/"])
def test_it_fits_390_pixels(browser: Browser, crowded: Served, path: str) -> None:
    """On a telephone nothing but tables and the network scrolls sideways."""
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:
        watched(page)
        opened(page, crowded.port, path)
        if "run" in path:
            _ready(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_works_by_keyboard_alone(browser: Browser, crowded: Served, teeming: Path) -> None:
    """Tab reaches the slider, arrow keys move it, Space plays and pauses, and Enter copies a display filter."""
    with browser.new_page() as page:
        watched(page)
        opened(page, crowded.port, f"/run/{teeming.name}/")
        _ready(page)
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
            if reached[-1] == "slider":
                break
        assert reached[0] == "skip"
        assert "play" in reached
        page.keyboard.press("Home")
        page.wait_for_selector("text=shown until")
        until(page, "document.querySelectorAll('#lanes-body .played').length === 0")
        assert page.evaluate("document.activeElement.id") == "slider"
        page.focus("#play")
        page.keyboard.press("Space")
        until(page, "Number(document.getElementById('slider').value) >= 15")
        page.keyboard.press("Space")
        assert page.get_attribute("#play", "aria-pressed") == "false"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/run/made/", "/compare?a=made&b=made&"])
def test_axe_finds_nothing_serious(browser: Browser, crowded: Served, scheme: Any, path: str) -> None:
    """In both colour schemes axe-core has no serious or critical finding."""
    with browser.new_page(color_scheme=scheme) as page:
        watched(page)
        page.goto(f"http://127.0.0.1:{crowded.port}{path}{'' if '?' in path else '?'}token={TOKEN}")
        if "run" in path:
            _ready(page)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 25, 30)"}[scheme]
        found = Axe().run(page).response["violations"]
        serious = {
            rule["id"]: [node["html"][:200] for node in rule["nodes"]][:3]
            for rule in found
            if rule["impact"] in ("serious", "critical")
        }
        assert serious == {}


def test_a_finished_run_is_painted_within_a_second(browser: Browser, crowded: Served, teeming: Path) -> None:
    """The first paint of the page does not wait for the run to be read."""
    with browser.new_page() as page:
        watched(page)
        page.goto(f"http://127.0.0.1:{crowded.port}/?token={TOKEN}")
        paints = []
        for _ in range(3):  # another program may have the processor once
            page.goto(f"http://127.0.0.1:{crowded.port}/run/{teeming.name}/")
            until(page, "performance.getEntriesByName('first-contentful-paint').length")
            paints.append(
                page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            )
        assert min(paints) <= 1000


def test_what_is_known_is_not_sent_again(served: Served, finished: Path) -> None:
    """A stream that begins with the id of the present state sends no event; another id gets one."""
    cookie = f"coldaisle-desk-{NAME}={TOKEN}"
    fetch = [
        "curl",
        "-sN",
        "-m",
        "2",
        "-b",
        cookie,
        f"http://127.0.0.1:{served.port}/run/{finished.name}/events",
    ]
    first = subprocess.run(fetch, capture_output=True, text=True, check=False).stdout
    known = first.partition("id: ")[2].partition("\n")[0]
    assert len(known) == 16
    again = subprocess.run(
        [*fetch, "-H", f"Last-Event-ID: {known}"], capture_output=True, text=True, check=False
    ).stdout
    assert "id:" not in again
    assert "retry:" in again
