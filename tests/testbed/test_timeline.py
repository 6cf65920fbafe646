"""The timeline of a plan shows every episode at its place and time, in a terminal and in a picture."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import load_scenario
from coldaisle_testbed.show import picture, timeline

SCENARIOS = Path(__file__).parents[2] / "scenarios"
NAMES = sorted(path.stem for path in SCENARIOS.glob("*.toml"))
SVG = "{http://www.w3.org/2000/svg}"


def planned(name: str) -> Plan:
    """Return the plan of a scenario of the repository."""
    return build_plan(load_scenario(SCENARIOS / f"{name}.toml"))


def lanes(text: str) -> list[str]:
    """Return the cells of each row of a timeline."""
    return [line[16:] for line in text.splitlines() if re.match(r"(\w{3} \d\d| {6}) [a-z]", line)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_timeline_fits_its_width(name: str, width: int) -> None:
    """At any width of the terminal no line is longer, and each day and target has a row."""
    plan = planned(name)
    text = timeline.drawn(plan, width).plain
    assert max(map(len, text.splitlines())) <= width
    assert len(lanes(text)) == plan.scenario.days * len(timeline.targets(plan))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plain", [False, True])
def test_every_episode_is_in_its_row(name: str, plain: bool) -> None:
    """Each row has the glyphs of its episodes' families and no others, with and without colour."""
    plan = planned(name)
    rows = lanes(timeline.drawn(plan, 80, plain=plain).plain)
    for day in range(plan.scenario.days):
        for lane, target in enumerate(timeline.targets(plan)):
            episodes = [
                episode for episode in plan.episodes_on(range(day, day + 1)) if episode.unit == target
            ]
            looks = [timeline.LOOKS[episode.row.family] for episode in episodes]
            glyphs = {look.ascii if plain else look.glyph for look in looks}
            cells = rows[day * len(timeline.targets(plan)) + lane]
            assert set(cells) - set(" .·") == glyphs
            assert len(re.findall(r"[^ .·]", cells)) >= len(episodes)


def test_an_episode_stands_at_its_hours() -> None:
    """In the smoke run a cell is a minute: the removal of 00:25 fills cells 25 to 34 of its unit's row."""
    row = lanes(timeline.drawn(planned("hour"), 80).plain)[2]
    assert [cell for cell, glyph in enumerate(row) if glyph == "█"] == list(range(25, 35))


def test_families_differ_without_colour() -> None:
    """Each family has its own glyphs and colours, and the plain glyphs are ASCII."""
    looks = timeline.LOOKS.values()
    for part in ("glyph", "ascii", "style", "fill"):
        assert len({getattr(look, part) for look in looks}) == len(looks)
    text = timeline.drawn(planned("intrusions"), 80, plain=True).plain
    assert text.isascii()


def test_totals_are_the_plan_s() -> None:
    """The line of totals has the counts of the plan; its frames are the attacker's alone, its busiest day is one shard's."""
    plan = planned("week")
    frames = sum(episode.packets for episode in plan.episodes if episode.row.actor == "injector")
    seconds = sum(episode.cost_s for episode in plan.episodes)
    days = [sum(episode.cost_s for episode in plan.episodes_on(range(day, day + 1))) for day in range(7)]
    sentence = timeline.totals(plan)
    assert f"{len(plan.episodes)} episodes, 34 kinds" in sentence
    assert f"at most {frames:,} frames" in sentence
    assert f"about {seconds:.0f} s of real time ({max(days):.0f} s on the busiest day)" in sentence


@pytest.mark.parametrize("name", NAMES)
def test_picture_has_a_bar_for_every_episode(name: str) -> None:
    """The SVG is well-formed, needs no other file, and has inside it a bar with a title for each episode."""
    plan = planned(name)
    text = picture.svg(plan)
    assert "href" not in text
    root = ET.fromstring(text)  # noqa: S314 - made here
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "bar"]
    assert [bar.findtext(f"{SVG}title", "").split()[0] for bar in bars] == [
        episode.id for episode in plan.episodes
    ]
    for bar, episode in zip(bars, plan.episodes, strict=True):
        title = bar.findtext(f"{SVG}title", "")
        assert f"{episode.kind} ({episode.variant})" in title
        assert all(part in title for part in (episode.unit, *episode.parameters))
        right = float(bar.get("x", 0)) + float(bar.get("width", 0))
        assert 128 <= float(bar.get("x", 0)) < right <= 1200
        assert float(bar.get("y", 0)) < float(root.get("height", 0))


def test_tooltip_says_time_and_strength() -> None:
    """A bar's tooltip has kind, variant, target, sensors, local time and parameters with their units."""
    _, modification, _, duplication = planned("hour").episodes
    assert picture.description(planned("hour"), modification).splitlines()[:2] == [
        "e02 modification (scale)",
        "inrow-15, sensors 1 4, Mon 00:20 to 00:35",
    ]
    assert picture.description(planned("hour"), modification).endswith("\nfactor 0.6")
    assert picture.description(planned("hour"), duplication).endswith("\ncount 3 copies")


def test_what_hides_says_so() -> None:
    """An episode in stealth has a hollow bar, whose tooltip says that its values are normal and that it hides."""
    plan = planned("stealth")
    hiding = next(episode for episode in plan.episodes if episode.stealth)
    assert "within normal values" in picture.description(plan, hiding)
    assert timeline.level(hiding) == "hides"
    assert picture.svg(plan).count('fill-opacity="0.15"') == sum(episode.stealth for episode in plan.episodes)


def test_kinds_without_strength_have_no_level() -> None:
    """If nothing depends on intensity, no level is shown, and the bar is not pale."""
    interception, *_ = planned("hour").episodes
    assert (interception.kind, timeline.level(interception)) == ("interception", "")
