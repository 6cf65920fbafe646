"""Actions of the page: only if allowed, only from the page, one run at a time."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.conftest import HOUSE
from tests.desk.conftest import Served, serving

from coldaisle_contracts.errors import InputError
from coldaisle_testbed.player import ScenarioPlayer


def _post(desk: Served, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
    own = f"http://127.0.0.1:{desk.port}"
    return desk.ask(path, method="POST", body=urlencode(fields), Origin=own)


@pytest.fixture
def player() -> Iterator[ScenarioPlayer]:
    """A player of the scenarios of the checkout."""
    player = ScenarioPlayer(HOUSE / "scenarios", 0)
    yield player
    player.close()


def test_a_desk_that_only_shows_plays_nothing(served: Served) -> None:
    """Without --allow-play both actions are refused, and the page offers none."""
    assert _post(served, "/play/start", scenario="hour")[0] == 403
    assert _post(served, "/play/stop")[0] == 403
    assert "Play a scenario" not in served.ask("/")[2]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scenario": "../week"},
        {"scenario": "hour", "seed": "-1"},
        {"scenario": "hour", "seed": "1e9"},
        {"scenario": "x" * 9000},
    ],
)
def test_a_form_that_is_not_valid_plays_nothing(
    tmp_path: Path, player: ScenarioPlayer, fields: dict[str, str]
) -> None:
    """A scenario that is none, a seed that is none and a form that is too long are refused."""
    with serving(tmp_path) as desk:
        desk.desk.player = player
        assert _post(desk, "/play/start", **fields)[0] in (400, 413)
    assert player.playing == ""


@pytest.mark.netns
def test_a_run_is_started_and_stopped_from_the_page(tmp_path: Path, player: ScenarioPlayer) -> None:
    """The page leads to the run that it started; a second one is refused; stopping ends it, and nothing is left running."""
    with serving(tmp_path) as desk:
        desk.desk.player = player
        assert "Play a scenario" in desk.ask("/")[2]
        status, headers, _ = _post(desk, "/play/start", scenario="week", seed="3")
        assert status == 303
        name = player.playing
        assert headers["location"] == f"../run/{name}/"
        with pytest.raises(InputError, match="the desk is playing"):
            player.start(tmp_path, "hour", None)
        until = time.monotonic() + 60
        while 'class="stop"' not in desk.panel(name, "now") and time.monotonic() < until:
            time.sleep(0.2)
        assert _post(desk, "/play/stop")[0] == 303
        while player.playing and time.monotonic() < until:
            time.sleep(0.1)
        assert player.playing == ""
        assert "interrupted" in player.ending
        assert "interrupted" in desk.ask("/")[2]
